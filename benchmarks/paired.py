"""Whether a model beats its baseline, or another experiment's, on the same test rows: McNemar's exact test.

    .venv/bin/python benchmarks/paired.py face_smile
    .venv/bin/python benchmarks/paired.py lite0_features lite0_features_random

Needs the reports (`dvc repro experiments/face_smile/dvc.yaml:evaluate`) of tasks that tell right answers from
wrong. Prints the accuracy of both, the rows on which just one of them is right, and how likely rows as uneven
as these are (p, two-sided) where neither is better (McNemar 1947, Psychometrika 12).
"""

import sys
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
from scipy.stats import binomtest

from evermodel.core import folders
from evermodel.core.errors import EvermodelError
from evermodel.evaluation.statistics import GROUP


def main(name: str, other: str | None = None) -> None:
    """Raises EvermodelError if there is no report, its rows are not right or wrong, or belong together, or
    those of the other are not the same.
    """
    scores = _scores(name)
    if other is not None and _test_rows(name) != _test_rows(other):
        raise EvermodelError(
            f"{name} and {other} were scored on different test rows; pick two that share them"
        )
    rival = other or "baseline"
    first, second = (name, other) if other else ("the model", "the baseline")
    model = scores["correct"] == 1
    against = scores["baseline_correct"] == 1 if other is None else _scores(other)["correct"] == 1
    ours, theirs = int((model & ~against).sum()), int((against & ~model).sum())
    print(f"{name}: accuracy {model.mean():.4f}, {rival} {against.mean():.4f}, of {len(scores)} test rows")
    print(f"only {first} is right: {ours}, only {second}: {theirs}, p = {mcnemar(ours, theirs):.2g}")


def mcnemar(ours: int, theirs: int) -> float:
    """The two-sided p of so many rows on which just one of two is right, were either equally likely."""
    return float(binomtest(ours, ours + theirs).pvalue) if ours + theirs else 1.0


def _scores(name: str) -> pd.DataFrame:
    scores = pd.read_parquet(file := _file(name))
    if "correct" not in scores:
        raise EvermodelError(
            f"{file} has no column 'correct'; pick an experiment that is right or wrong in each row"
        )
    if GROUP in scores:
        raise EvermodelError(
            f"the rows of {file} belong together (split.groups of the data set), but the test takes each of "
            "them for evidence; see the interval of accuracy in metrics.json, which draws whole groups"
        )
    return scores


def _test_rows(name: str) -> bytes:
    """The hash of the test rows that a report is of."""
    return bytes(pq.read_schema(_file(name)).metadata[b"test_hash"])


def _file(name: str) -> Path:
    file = folders.experiment(name) / "scores.parquet"
    if not file.exists():
        raise EvermodelError(
            f"{file} is missing; run `dvc repro {folders.experiment(name)}/dvc.yaml:evaluate`"
        )
    return file


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        sys.exit("usage: python benchmarks/paired.py EXPERIMENT [EXPERIMENT]")
    try:
        main(*sys.argv[1:])
    except EvermodelError as error:
        sys.exit(f"paired: {error}")
