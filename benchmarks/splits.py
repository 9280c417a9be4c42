"""How much of a score is luck of the split: one experiment on several splits of its data set.

    .venv/bin/python -m benchmarks.splits face_recognition --splits 5

Needs the raw data (`dvc repro validate@orl_faces`). Each split is that of params.yaml with another seed, 0
and up, so that other rows are the test rows: with `by`, those of other people. The training's own seed
stays. Prints every split, then mean and standard deviation (n - 1) of each headline on the test rows, the
model's beside its baseline's, and keeps them in docs/results/.
"""

import argparse
import sys
from collections.abc import Iterator
from functools import partial

import pandas as pd

from benchmarks import seeds
from evermodel.core import params
from evermodel.core.data import Prepared
from evermodel.core.errors import EvermodelError
from evermodel.core.params import Dataset, Experiment, Runtime
from evermodel.runs import determinism
from pipelines import evaluate, prepare


def main(name: str, count: int) -> None:
    """Raises EvermodelError if the data set has no split that a seed could change, or count is below 2."""
    values = params.load()
    experiment = values.experiment(name)
    dataset = values.dataset(experiment.dataset)
    if count < 2:
        raise EvermodelError(f"--splits is {count}, but a standard deviation needs 2 or more")
    if dataset.split.method != "shuffle":
        raise EvermodelError(
            f"datasets.{experiment.dataset}.split.method is {dataset.split.method}, so no seed changes the "
            "test rows; take benchmarks/seeds.py, which changes the seed of the training"
        )
    determinism.fix(values.runtime)
    scored = []
    for prepared in splits(experiment.dataset, dataset, count):
        scored.append(score(experiment, values.runtime, prepared))
        print(*(f"{metric} {value:.4f}" for metric, value in scored[-1].items()), sep=", ", flush=True)
    rows = pd.DataFrame(scored)
    print(pd.DataFrame({"mean": rows.mean(), "sd": rows.std()}).to_string(float_format="{:.4f}".format))
    seeds.keep(rows, name, values.profile, "splits")


def splits(name: str, dataset: Dataset, count: int) -> Iterator[Prepared]:
    """The data set prepared with the seeds 0 to count - 1."""
    for seed in range(count):
        rule = dataset.split.model_copy(update={"seed": seed})
        yield prepare.prepared(name, dataset.model_copy(update={"split": rule}))


def score(experiment: Experiment, runtime: Runtime, prepared: Prepared) -> dict[str, float]:
    """The headlines of the model, each followed by that of its baseline."""
    model = seeds.trained(experiment, runtime, prepared)
    baseline = partial(evaluate.predict_baseline, experiment, prepared.spec, prepared.splits["train"])
    figures = {
        "": seeds.score(experiment, runtime, prepared, f"model {experiment.model}", model),
        "baseline_": seeds.score(experiment, runtime, prepared, f"baseline {experiment.baseline}", baseline),
    }
    headlines = params.headlines(experiment.task)
    return {f"{whose}{name}": figures[whose][name] for name in headlines for whose in figures}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m benchmarks.splits")
    parser.add_argument("name")
    parser.add_argument("--splits", type=int, default=5)
    given = parser.parse_args()
    try:
        main(given.name, given.splits)
    except EvermodelError as error:
        sys.exit(f"splits: {error}")
