"""How well one class is found among others, of rows of which each counts so often.

Measures are those of scikit-learn. Beside each value there are its slopes, by which draws of many rows are
valued (statistics.py) and two models compared (publishing/paired.py). A value does not change where every row
counts twice as often, so that the slopes sum to 0 over the rows (Euler's theorem).
"""

from typing import Literal, TypeAlias

import numpy as np

from evermodel.core.data import Array

Measure: TypeAlias = Literal["recall", "f1", "average_precision"]


def value(measure: Measure, positive: Array, answer: Array, times: Array) -> float:
    """The value, NaN if no row that counts is of the class.

    positive: (n,) bool, whether a row is of the class; answer: (n,), whether it was taken for that (bool), or
    for average_precision its score, higher for the class; times: (n,), how often each row counts.
    """
    of_class = times[positive].sum()
    if not of_class:
        return float("nan")
    if measure == "average_precision":
        _, found, _, precision = _by_level(positive, answer, times)
        return float((found * precision).sum() / of_class)
    below = of_class if measure == "recall" else (of_class + times[answer].sum()) / 2
    return float(times[positive & answer].sum() / below)


def slopes(measure: Measure, positive: Array, answer: Array, times: Array) -> Array:
    """How fast the value grows with how often each row counts, (n,); takes what `value` does."""
    whole = value(measure, positive, answer, times)
    if measure == "average_precision":
        return _slopes_of_precision(positive, answer, times, whole)
    below = positive.astype(float) if measure == "recall" else (positive + answer.astype(float)) / 2
    return np.asarray(((positive & answer) - whole * below) / (times * below).sum())


def _slopes_of_precision(positive: Array, score: Array, times: Array, whole: float) -> Array:
    """A positive adds its own precision and raises that of all below it; another row lowers that."""
    level, found, named, precision = _by_level(positive, score, times)
    per_row = np.divide(found, named, out=np.zeros_like(found), where=named > 0)
    raised, lowered = np.cumsum(per_row * (1 - precision)), np.cumsum(per_row * precision)
    gained = np.where(positive, precision[level] + raised[level] - whole, -lowered[level])
    return np.asarray(gained / found.sum())


def _by_level(positive: Array, score: Array, times: Array) -> tuple[Array, Array, Array, Array]:
    """The level of each row's score, (n,) from the lowest up; and of each level its positives, how many rows
    are there or above, and the share of positives among those.
    """
    levels, level = np.unique(score, return_inverse=True)
    found, others = (np.bincount(level, times * rows, len(levels)) for rows in (positive, ~positive))
    named, right = (count[::-1].cumsum()[::-1] for count in (found + others, found))
    return level, found, named, np.divide(right, named, out=np.zeros_like(right), where=named > 0)
