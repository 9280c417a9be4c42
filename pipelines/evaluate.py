"""evaluate NAME: how good the model of an experiment is on the test rows, into reports/NAME."""

import importlib

import pandas as pd

from evermodel.core import data, params, stage
from evermodel.core.data import Answers, Array, Spec, Split
from evermodel.core.errors import EvermodelError
from evermodel.core.params import Experiment, Params
from evermodel.judging import evaluation, statistics
from evermodel.learners import estimator
from evermodel.runs import determinism, journal, saved


def main(name: str) -> None:
    """Write reports/<name>/ with metrics.json, scores.parquet, curves.csv and figures/."""
    values = params.load()
    spec = data.load_spec(data.PREPARED / values.experiment(name).dataset)
    facts = saved.facts(saved.MODELS / name)
    if facts.test_hash != spec.test_hash:
        raise EvermodelError(
            f"{saved.MODELS / name} was trained for other test rows than {data.PREPARED / spec.dataset} "
            f"has now; run `dvc repro train@{name}`"
        )
    determinism.fix(values.runtime)
    with (
        journal.keep("evaluate", name, facts.key),
        data.whole_folder(data.REPORTS / name) as folder,
    ):
        (folder / "figures").mkdir()
        for file, content in report(name, values, spec).items():
            (folder / file).write_bytes(content)


def report(name: str, values: Params, spec: Spec) -> dict[str, bytes]:
    """The files of the report, by their paths."""
    experiment = values.experiment(name)
    history = saved.MODELS / name / "history.csv"
    if not history.exists():
        raise EvermodelError(f"{history} is missing; run `dvc repro train@{name}`")
    train, test = (data.load_split(data.PREPARED / spec.dataset, split) for split in ("train", "test"))
    task = evaluation.task_module(experiment.task)
    saved_model = saved.load(saved.MODELS / name)
    shown = evaluation.inputs(task, test.x, values.runtime.seed)
    answers = Answers(
        test, saved_model.predict(shown), predict_baseline(experiment, spec, train, shown), shown
    )
    model = evaluation.judge(task, f"model {experiment.model}", answers.model, test, spec)
    baseline = evaluation.judge(task, f"baseline {experiment.baseline}", answers.baseline, test, spec)
    headlines = task.statistics(spec)
    intervals = statistics.intervals(headlines, model.scores, values.runtime.seed)
    drawn = evaluation.pictures(task, name, spec, model.scores, answers, pd.read_csv(history))
    return {
        "metrics.json": evaluation.metrics_json(model, baseline, intervals, saved_model.facts.parameters),
        "scores.parquet": evaluation.scores_parquet(model.scores, baseline.scores, spec, headlines),
        "curves.csv": history.read_bytes(),
        **{f"figures/{file}": content for file, content in drawn.items()},
    }


def predict_baseline(experiment: Experiment, spec: Spec, train: Split, x: Array) -> Array:
    """What the baseline, fitted on the same training rows, predicts for x.

    It gets the options that it shares with the model, so that an autoencoder's latent size is its own too.
    """
    build = importlib.import_module(f"evermodel.models.{experiment.baseline}").build
    known = params.options(experiment.baseline)
    shared = {name: value for name, value in experiment.options.items() if name in known}
    return estimator.predict(estimator.fit(build, spec, experiment.task, train, **shared), x)


if __name__ == "__main__":
    stage.run(main)
