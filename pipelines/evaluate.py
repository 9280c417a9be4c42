"""evaluate NAME: how good the model of an experiment is on the test rows, into experiments/NAME."""

from collections.abc import Callable
from functools import partial
from typing import Any

import pandas as pd

from evermodel.core import catalog, data, folders, project, stage
from evermodel.core.data import Array, Predictions, Prepared, Spec, Split, Target
from evermodel.core.errors import EvermodelError
from evermodel.evaluation import evaluation, importance, statistics
from evermodel.runs import determinism, journal, recipe, saved
from evermodel.runs.recipe import Recipe
from evermodel.training import estimator


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
    simple = baseline(chosen, spec, model.metadata.target, train, seed)
    answered, expected = (evaluation.answer(task, predict, shown) for predict in (model.predict, simple))
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


def baseline(chosen: Recipe, spec: Spec, target: Target, train: Split, seed: int) -> Callable[[Any], Array]:
    """What the baseline, fitted on the same training rows, predicts.

    It gets the options that it shares with the model, so that an autoencoder's latent size is its own too.
    """
    build = catalog.builder(chosen.baseline)
    known = catalog.options(chosen.baseline)
    shared = {name: value for name, value in chosen.options.items() if name in known}
    return partial(estimator.predict, estimator.fit(build, spec, target, train, seed, **shared))


if __name__ == "__main__":
    stage.run(main)
