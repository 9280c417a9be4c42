"""Whether a model beats its baseline on the same test rows: McNemar's exact test.

    .venv/bin/python benchmarks/paired.py face_smile

Needs the report (`dvc repro experiments/face_smile/dvc.yaml:evaluate`) of a task that tells right answers
from wrong. Prints the accuracy of both, the rows on which just one of them is right, and how likely rows as
uneven as these are (p, two-sided) where neither is better (McNemar 1947, Psychometrika 12).
"""

import sys

import pandas as pd
from scipy.stats import binomtest

from evermodel.core import folders
from evermodel.core.errors import EvermodelError
from evermodel.evaluation.statistics import GROUP


def main(name: str) -> None:
    """Raises EvermodelError if there is no report, its rows are not right or wrong, or belong together."""
    file = folders.experiment(name) / "scores.parquet"
    if not file.exists():
        raise EvermodelError(
            f"{file} is missing; run `dvc repro {folders.experiment(name)}/dvc.yaml:evaluate`"
        )
    scores = pd.read_parquet(file)
    if "correct" not in scores:
        raise EvermodelError(
            f"{file} has no column 'correct'; pick an experiment that is right or wrong in each row"
        )
    if GROUP in scores:
        raise EvermodelError(
            f"the rows of {file} belong together (split.groups of the data set), but the test takes each of "
            "them for evidence; see the interval of accuracy in metrics.json, which draws whole groups"
        )
    model, baseline = scores["correct"] == 1, scores["baseline_correct"] == 1
    ours, theirs = int((model & ~baseline).sum()), int((baseline & ~model).sum())
    print(f"{name}: accuracy {model.mean():.4f}, baseline {baseline.mean():.4f}, of {len(scores)} test rows")
    print(f"only the model is right: {ours}, only the baseline: {theirs}, p = {mcnemar(ours, theirs):.2g}")


def mcnemar(ours: int, theirs: int) -> float:
    """The two-sided p of so many rows on which just one of two is right, were either equally likely."""
    return float(binomtest(ours, ours + theirs).pvalue) if ours + theirs else 1.0


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python benchmarks/paired.py EXPERIMENT")
    try:
        main(sys.argv[1])
    except EvermodelError as error:
        sys.exit(f"paired: {error}")
