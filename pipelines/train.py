"""train NAME: the model of one experiment, into experiments/NAME/model, told to MLflow as it goes."""

import shutil

from evermodel.core import catalog, data, folders, project, stage
from evermodel.runs import determinism, journal, recipe
from evermodel.training import display, fit, identity, processes, training


def main(name: str) -> None:
    """Train experiment `name`, or go on where a killed training stopped.

    Of several processes that train together, the first alone writes, shows and tells anything.
    """
    shared = project.load()
    chosen = recipe.load(name, shared.profile)
    prepared = folders.prepared(chosen.dataset)
    determinism.fix(shared.runtime)
    splits = data.load(prepared, catalog.target(chosen.task), "train", "validation")
    fit.require(chosen.task, splits.spec, chosen.options)
    fit.require_judge(chosen.task, splits)
    fit.require_used(recipe.where(name), chosen.train, splits.spec.kind)
    team = processes.team(chosen, recipe.where(name))
    key = identity.key(name, team)
    state = folders.STATE / "checkpoints" / key
    if processes.helps():
        if team.count > 1:  # or else params say that there is nothing to help with
            with processes.joined(team):
                training.assist(chosen, shared.runtime, splits, state, team)
        return
    total = chosen.train.total_epochs if chosen.train else 1
    with journal.keep("train", name, key) as events, display.epochs(name, total) as show:

        def report(figures: dict[str, float]) -> None:
            events.epoch(figures)
            show(figures)

        with data.whole_folder(folders.model(name)) as folder, processes.joined(team):
            if chosen.train:
                events.write("devices", gpus=determinism.gpus())
            training.train(chosen, shared.runtime, splits, folder, state, key, report, team)
    shutil.rmtree(state, ignore_errors=True)


if __name__ == "__main__":
    stage.run(main)
