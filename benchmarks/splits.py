"""How much of a score is luck of the split: one experiment on several splits of its data set.

    .venv/bin/python -m benchmarks.splits face_recognition --splits 5

Needs the raw data (`dvc repro data/orl_faces/dvc.yaml`). Each split is that of params.yaml with another
seed, 0 and up, so that other rows are the test rows: with `groups`, those of other people. The training's own
seed stays. Prints every split, then mean and standard deviation (n - 1) of each headline on the test rows,
the model's beside its baseline's, and keeps them in docs/results/.
"""

import argparse
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from benchmarks import seeds
from evermodel.core import catalog, data, folders, project
from evermodel.core.data import Prepared, Target
from evermodel.core.errors import EvermodelError
from evermodel.core.project import Runtime
from evermodel.datasets import dataset
from evermodel.datasets.dataset import Dataset
from evermodel.runs import determinism, recipe
from evermodel.runs.recipe import Recipe
from pipelines import evaluate, prepare


def main(name: str, count: int) -> None:
    """Raises EvermodelError if the data set has no split that a seed could change, or count is below 2."""
    shared = project.load()
    chosen = recipe.load(name, shared.profile)
    rules = dataset.load(chosen.dataset, shared.profile)
    if count < 2:
        raise EvermodelError(f"--splits is {count}, but a standard deviation needs 2 or more")
    if rules.split.method != "shuffle":
        raise EvermodelError(
            f"{folders.dataset(chosen.dataset)}: split.method is {rules.split.method}, so no seed changes "
            "the test rows; take benchmarks/seeds.py, which changes the seed of the training"
        )
    determinism.fix(shared.runtime)
    scored = []
    for prepared in splits(chosen.dataset, rules, catalog.target(chosen.task), count):
        scored.append(score(chosen, shared.runtime, prepared))
        print(*(f"{metric} {value:.4f}" for metric, value in scored[-1].items()), sep=", ", flush=True)
    rows = pd.DataFrame(scored)
    print(pd.DataFrame({"mean": rows.mean(), "sd": rows.std()}).to_string(float_format="{:.4f}".format))
    seeds.keep(rows, name, shared.profile, "splits")


def splits(name: str, rules: Dataset, target: Target, count: int) -> Iterator[Prepared]:
    """The data set prepared with the seeds 0 to count - 1."""
    for seed in range(count):
        split = rules.split.model_copy(update={"seed": seed})
        with tempfile.TemporaryDirectory() as folder:
            prepare.prepare(name, rules.model_copy(update={"split": split}), Path(folder))
            yield data.load(Path(folder), target, *data.SPLITS)


def score(chosen: Recipe, runtime: Runtime, prepared: Prepared) -> dict[str, float]:
    """The headlines of the model, each followed by that of its baseline."""
    model = seeds.trained(chosen, runtime, prepared)
    target, train = catalog.target(chosen.task), prepared.splits["train"]
    baseline = evaluate.baseline(chosen, prepared.spec, target, train, runtime.seed)
    figures = {
        "": seeds.score(chosen, runtime, prepared, f"model {chosen.model}", model),
        "baseline_": seeds.score(chosen, runtime, prepared, f"baseline {chosen.baseline}", baseline),
    }
    headlines = catalog.headlines(chosen.task)
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
