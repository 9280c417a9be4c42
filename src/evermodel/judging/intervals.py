"""How far a headline may be off by the luck of the test rows: 95 % bootstrap intervals (Efron 1979)."""

from collections.abc import Callable

import numpy as np
from scipy import stats

from evermodel.core.data import Array
from evermodel.core.errors import EvermodelError

Interval = tuple[float, float]
LEVEL = 0.95
RESAMPLES = 2000
NUMBERS_AT_ONCE = 1_000_000  # 8 MB, however many test rows there are


def mean(values: Array, seed: int) -> Interval:
    """The percentile interval of the mean of per-example values (n,)."""
    return _interval((np.asarray(values, dtype=float),), np.mean, seed, vectorized=True)


def ratio(numerator: Array, denominator: Array, seed: int) -> Interval:
    """The percentile interval of sum(numerator) / sum(denominator), (n,) each, in order of time.

    Neighbours in time are alike, so that blocks of about the cube root of n neighbours are drawn, not single
    examples (Carlstein 1986).
    """
    starts = np.arange(0, len(numerator), round(len(numerator) ** (1 / 3)))
    sums = tuple(np.add.reduceat(np.asarray(part, dtype=float), starts) for part in (numerator, denominator))

    def of_sums(above: Array, below: Array, axis: int) -> Array:
        return np.asarray(above.sum(axis=axis) / below.sum(axis=axis))

    return _interval(sums, of_sums, seed, vectorized=True, paired=True)


def roc_auc(target: Array, score: Array, seed: int) -> Interval:
    """The percentile interval of the area under the ROC curve.

    target: (n,) 0 or 1; score: (n,), higher for class 1. Rows are drawn within each class, so that every
    resample has both. The area is the share of (positive, negative) pairs in the right order, a tie
    counting half (Hanley & McNeil 1982).
    """
    # Only the order counts, and counting whole ranks is several times faster than sorting each resample.
    ranks = np.unique(score, return_inverse=True)[1]
    levels = len(ranks)

    def area(positive: Array, negative: Array) -> float:
        below = np.bincount(negative, minlength=levels)
        ordered = np.bincount(positive, minlength=levels) @ (np.cumsum(below) - below / 2)
        return float(ordered / (len(positive) * len(negative)))

    target = np.asarray(target)
    return _interval((ranks[target == 1], ranks[target == 0]), area, seed, vectorized=False)


def groups(count: int, statistic: Callable[[Array], float], seed: int) -> Interval:
    """The percentile interval of a statistic when whole groups of rows are drawn, not single rows.

    statistic: takes how often each of the groups was drawn, (count,).
    """

    def of_drawn(numbers: Array) -> float:
        return statistic(np.bincount(numbers, minlength=count))

    return _interval((np.arange(count),), of_drawn, seed, vectorized=False)


def _interval(
    samples: tuple[Array, ...],
    statistic: Callable[..., object],
    seed: int,
    vectorized: bool,
    paired: bool = False,
) -> Interval:
    if min(map(len, samples)) < 2:
        raise EvermodelError(
            "the test split is too small for an interval: it needs two rows, and two of each class for "
            "roc_auc; set a larger split.test of the data set in params.yaml"
        )
    result = stats.bootstrap(
        samples,
        statistic,
        n_resamples=RESAMPLES,
        batch=max(1, NUMBERS_AT_ONCE // max(map(len, samples))),
        vectorized=vectorized,
        paired=paired,
        confidence_level=LEVEL,
        method="percentile",
        rng=np.random.default_rng(seed),
    )
    return float(result.confidence_interval.low), float(result.confidence_interval.high)
