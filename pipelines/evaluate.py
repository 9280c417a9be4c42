"""evaluate NAME: how good the model of an experiment is on the test rows, into experiments/NAME."""

import pandas as pd

from evermodel.core import data, folders, project, stage
from evermodel.core.data import Predictions, Prepared
from evermodel.core.errors import EvermodelError
from evermodel.evaluation import baseline, evaluation, importance, statistics
from evermodel.runs import determinism, journal, recipe, saved
from evermodel.runs.recipe import Recipe


def main(name: str) -> None:
    """Write metrics.json, scores.parquet, curves.csv and figures/ into experiments/<name>/."""
    shared = project.load()
    chosen = recipe.load(name, shared.profile)
    folder, metadata = folders.prepared(chosen.dataset), saved.metadata(folders.model(name))
    prepared = data.load(folder, metadata.target, *data.SPLITS)
    if metadata.test_hash != prepared.spec.test_hash:
        raise EvermodelError(
            f"{folders.model(name)} was trained for other test rows than {folder} has now; "
            f"run `dvc repro {folders.experiment(name)}/dvc.yaml:train`"
        )
    determinism.fix(shared.runtime)
    with journal.keep("evaluate", name, metadata.key):
        data.write_whole(folders.experiment(name), report(name, chosen, prepared, shared.runtime.seed))


def report(name: str, chosen: Recipe, prepared: Prepared, seed: int) -> dict[str, bytes]:
    """The files of the report, by their paths."""
    history = folders.model(name) / "history.csv"
    if not history.exists():
        raise EvermodelError(
            f"{history} is missing; run `dvc repro {folders.experiment(name)}/dvc.yaml:train`"
        )
    task = evaluation.task_module(chosen.task)
    model = saved.load(folders.model(name))
    options, spec = chosen.options, prepared.spec
    train, test = prepared.splits["train"], prepared.splits["test"]
    told, shown = evaluation.told(task, options, prepared), evaluation.inputs(task, test.x, options, seed)
    simple = baseline.fitted(chosen, spec, model.metadata.target, train, seed)
    both = (model.predict, simple)
    answered, expected = (evaluation.answer(task, predict, shown, told) for predict in both)
    predictions = Predictions(test, answered, expected, shown, train, model.predict, simple)
    ours = evaluation.evaluate(task, f"model {chosen.model}", predictions.model, test, spec, told)
    theirs = evaluation.evaluate(task, f"baseline {chosen.baseline}", predictions.baseline, test, spec, told)
    headlines, asked = task.statistics(spec), evaluation.asked(spec, test, shown, told)
    intervals = statistics.intervals(headlines, ours.scores, seed)
    drawn = evaluation.images(task, name, spec, ours.scores, predictions, pd.read_csv(history))
    if spec.kind == "table":
        unseen = prepared.splits["validation"]
        worth = importance.of_columns(task, model.predict, unseen, spec, options, seed)
        drawn |= importance.files(worth, name, spec)
    return {
        "metrics.json": evaluation.metrics_json(ours, theirs, intervals, model.metadata.parameters),
        "scores.parquet": evaluation.scores_parquet(ours.scores, theirs.scores, asked, headlines),
        "curves.csv": history.read_bytes(),
        **{f"figures/{file}": content for file, content in drawn.items()},
    }


if __name__ == "__main__":
    stage.run(main)
