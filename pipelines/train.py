"""train NAME: the model of one experiment, into experiments/NAME/model, told to MLflow as it goes."""

import shutil

from evermodel.core import catalog, data, folders, project, stage
from evermodel.runs import determinism, journal, recipe
from evermodel.training import display, fit, identity, training


def main(name: str) -> None:
    """Train experiment `name`, or go on where a killed training stopped."""
    shared = project.load()
    chosen = recipe.load(name, shared.profile)
    prepared = folders.prepared(chosen.dataset)
    determinism.fix(shared.runtime)
    splits = data.load(prepared, catalog.target(chosen.task), "train", "validation")
    fit.require(chosen.task, splits.spec, chosen.options)
    fit.require_used(recipe.where(name), chosen.train, splits.spec.kind)
    key = identity.key(name)
    state = folders.STATE / "checkpoints" / key
    total = chosen.train.total_epochs if chosen.train else 1
    with journal.keep("train", name, key) as events, display.epochs(name, total) as show:
        if chosen.train:
            events.write("devices", gpus=determinism.gpus())

        def report(figures: dict[str, float]) -> None:
            events.epoch(figures)
            show(figures)

        with data.whole_folder(folders.model(name)) as folder:
            training.train(chosen, shared.runtime, splits, folder, state, key, report)
    shutil.rmtree(state, ignore_errors=True)


if __name__ == "__main__":
    stage.run(main)
