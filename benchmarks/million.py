"""How long a comparison with the champion takes on very many test rows, and how sure it is.

    PYTHONPATH=src .venv/bin/python -m benchmarks.million --rows 1000000

Scores are made up: two models that are right, or wrong by something skewed, mostly on the same rows. Prints
for each kind of headline, without and with a margin, the seconds of promotion's own comparison, how wide its
interval is beside that of the normal limit (of sums of independent rows, and of DeLong's placements for the
area under the ROC curve), and its chance beside the normal limit's.
"""

import argparse
import time
from collections.abc import Mapping

import numpy as np
import pandas as pd
from scipy import stats

from evermodel.core.data import Array
from evermodel.evaluation import statistics
from evermodel.evaluation.statistics import Statistic
from evermodel.publishing import promotion
from evermodel.publishing.policy import Promotion
from evermodel.publishing.promotion import Part
from evermodel.publishing.scores import Scores

LEVEL = 0.0304
MARGIN = 1e-5
HEADLINES: Mapping[str, Statistic] = {
    "accuracy": statistics.mean("correct"),
    "mae": statistics.mean("error"),
    "rmse": Statistic(kind="root_mean", columns=("square",)),
    "skill": Statistic(kind="skill", columns=("square", "persistence")),
    "roc_auc": Statistic(kind="roc_auc", columns=("target", "score")),
}


def main(rows: int) -> None:
    ours, theirs = made(rows, 1), made(rows, 2)
    print(f"{rows:,} test rows: seconds, the width beside the normal limit's, and both chances")
    for name in HEADLINES:
        told = (compared(name, ours, theirs, needed) for needed in (0, MARGIN))
        print(f"{name:9}", *told, sep="    ", flush=True)


def made(rows: int, model: int) -> pd.DataFrame:
    """Scores of a model: the rows' own luck is the same for all, and each has some of its own."""
    shared, own = np.random.default_rng(0), np.random.default_rng(model)
    target = (shared.random(rows) < 0.2).astype(int)
    error = shared.lognormal(size=rows) * own.lognormal(sigma=0.2, size=rows)
    return pd.DataFrame(
        {
            "target": target,
            "score": shared.normal(target) + own.normal(0, 0.3, rows),
            "correct": (shared.random(rows) + own.normal(0, 0.02, rows) < 0.9).astype(int),
            "error": error,
            "square": error**2,
            "persistence": 9 * shared.lognormal(size=rows),
        }
    )


def compared(name: str, ours: pd.DataFrame, theirs: pd.DataFrame, needed: float) -> str:
    """Seconds, relative width and chances of one comparison."""
    policy = Promotion(metric=name, floor=0)
    scores = [Scores(table, "made", HEADLINES) for table in (ours, theirs)]
    start = time.perf_counter()
    made = promotion._compare(policy, *scores, Part("all", np.ones(len(ours), dtype=bool), needed), LEVEL)
    seconds = time.perf_counter() - start
    influence = influences(name, ours) - influences(name, theirs)
    error = influence.std() / len(influence) ** 0.5
    width = (made.high - made.low) / (2 * stats.norm.ppf((1 + statistics.LEVEL) / 2) * error)
    limit = stats.norm.sf((made.value - needed) / error)
    return f"{seconds:4.1f} s {width:.3f} {made.chance:.4f} {limit:.4f}"


def influences(name: str, table: pd.DataFrame) -> Array:
    """By how much each row moves the headline of n rows, times n (the delta method)."""
    if name == "roc_auc":
        return _placements(table)
    if name == "skill":
        ratio = table["square"].sum() / table["persistence"].sum()
        return ((ratio * table["persistence"] - table["square"]) / table["persistence"].mean()).to_numpy()
    column = table[HEADLINES[name].columns[0]].to_numpy()
    return (column - column.mean()) / (2 * np.sqrt(column.mean()) if name == "rmse" else 1)


def _placements(table: pd.DataFrame) -> Array:
    positive, rank = table["target"] == 1, table["score"].rank()
    within = table["score"].groupby(table["target"]).rank()
    others = np.where(positive, (~positive).sum(), positive.sum())
    below = (rank - within) / others
    right = np.where(positive, below, 1 - below)
    area = right[positive].mean()
    return (right - area) * len(table) / np.where(positive, positive.sum(), (~positive).sum())


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m benchmarks.million")
    parser.add_argument("--rows", type=int, default=1_000_000)
    main(parser.parse_args().rows)
