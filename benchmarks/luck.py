"""How often luck alone makes a champion, and how often a better model becomes it, by the test that promotes.

    .venv/bin/python -m benchmarks.luck --pairs 10000

Trains nothing. Of right and wrong answers, all that may be seen is counted: on so many of 360 test rows just
one of two models is right, each as likely as the other, or one more likely. Of errors and of rows in groups,
so many pairs of models are drawn. Prints the share that is promoted at the first look at the test rows and at
later ones, which get less and less of the chance of error.
"""

import argparse
from collections.abc import Callable, Iterable

import numpy as np
import pandas as pd
from numpy.random import Generator
from scipy import stats

from evermodel.core.data import Array
from evermodel.evaluation import statistics
from evermodel.evaluation.statistics import Statistic
from evermodel.publishing import paired, promotion

CONFIDENCE = 0.95
LOOKS = (1, 2, 5, 10, 30)
LEVELS = np.array([1 - promotion.spent(CONFIDENCE, look - 1) for look in LOOKS])
ROWS = 360
SCORE = "score"
FOUND = {
    "F1": Statistic(kind="f1", columns=("target", "predicted")),
    "average precision": Statistic(kind="average_precision", columns=("target", SCORE)),
}
Pair = tuple[Array, Array]


def main(pairs: int) -> None:
    show("allowed", LEVELS)
    for differ, ahead in ((6, 0.95), (20, 0.8), (60, 0.7)):
        for share in (0.5, ahead):
            show(f"{differ} rows differ, {share:.0%} of them won", answers(differ, share))
    for name, draw in {"errors": errors, "groups": groups, "rare large errors": rare}.items():
        for ahead in (False, True):
            who = "one is better" if ahead else "neither is better"
            show(f"{name}, {who}", drawn(draw, ahead, pairs))
    for name, how in FOUND.items():
        for ahead in (False, True):
            show(f"{name}, {'one is' if ahead else 'neither is'} better", found(how, ahead, pairs))


def show(name: str, shares: Iterable[float]) -> None:
    print(f"{name:40}", *(f"{share:9.4%}" for share in shares), flush=True)


def answers(differ: int, share: float) -> Array:
    """The share of promotions at each look, where a model wins so many of the rows that differ."""
    chances = []
    for wins in range(differ + 1):
        ours, theirs = np.ones((2, ROWS))
        theirs[:wins], ours[wins:differ] = 0, 0
        chances.append(chance(ours, theirs, 1))
    likely = stats.binom.pmf(np.arange(differ + 1), differ, share)
    return (np.array(chances)[:, None] < LEVELS).T @ likely


def drawn(draw: Callable[[Generator, bool], tuple[Pair, Array | None]], ahead: bool, pairs: int) -> Array:
    """The share of promotions at each look, of so many pairs."""
    rng = np.random.default_rng(0)
    chances = [chance(*both, -1, group) for both, group in (draw(rng, ahead) for _ in range(pairs))]
    return (np.array(chances)[:, None] < LEVELS).mean(axis=0)


def found(how: Statistic, ahead: bool, pairs: int) -> Array:
    """The share of promotions at each look of models that look for a class, by F1 or average precision."""
    rng = np.random.default_rng(0)
    chances = [paired.chance(how, *looking(rng, ahead), 1, 0.0, 1 - CONFIDENCE) for _ in range(pairs)]
    return (np.array(chances)[:, None] < LEVELS).mean(axis=0)


def looking(rng: Generator, ahead: bool) -> list[pd.DataFrame]:
    """Two models of 100 rows that are as hard for both, a fifth of them of the class."""
    target = np.arange(100) % 5 // 4
    hard, own = 1.5 * target + rng.normal(size=100), rng.normal(size=(2, 100))
    scores = hard + own * np.array([[0.5 if ahead else 1], [1]])
    return [pd.DataFrame({"target": target, "predicted": score > 1, SCORE: score}) for score in scores]


def errors(rng: Generator, ahead: bool) -> tuple[Pair, None]:
    """Of 60 rows that are as hard for both; the better model's are smaller by a tenth."""
    hard = rng.lognormal(size=60)
    ours, theirs = hard * rng.lognormal(sigma=0.25, size=(2, 60))
    return (ours * (0.9 if ahead else 1), theirs), None


def groups(rng: Generator, ahead: bool) -> tuple[Pair, Array]:
    """Wrong answers of 20 groups of 18 rows, in which a model's luck is that of the whole group."""
    group = np.arange(20).repeat(18)
    rate = rng.beta(1, 4, size=(2, 20)) * np.array([[0.5 if ahead else 1], [1]])
    ours, theirs = (rng.random((2, 360)) < rate[:, group]).astype(float)
    return (ours, theirs), group


def rare(rng: Generator, ahead: bool) -> tuple[Pair, None]:
    """Of 60 rows, where one model is mostly better by 1 and rarely worse by 9 or 4: no swap is like that."""
    lost = rng.random(60) < 0.1
    theirs = 10 + rng.normal(0, 0.5, 60)
    return (theirs - np.where(lost, -4 if ahead else -9, 1) + rng.normal(0, 0.5, 60), theirs), None


def chance(ours: Array, theirs: Array, sign: int, group: Array | None = None) -> float:
    """How likely luck alone puts ours as far ahead."""
    tables = (pd.DataFrame({SCORE: scores}) for scores in (ours, theirs))
    if group is not None:
        tables = (table.assign(group=group) for table in tables)
    return paired.chance(statistics.mean(SCORE), *tables, sign, 0.0, 1 - CONFIDENCE)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m benchmarks.luck")
    parser.add_argument("--pairs", type=int, default=10_000)
    main(parser.parse_args().pairs)
