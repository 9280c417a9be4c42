"""How a headline follows from the scores of the test rows, and how far luck of the draw may have moved it.

Intervals of one model, and of the difference of two on the same rows, by the bootstrap (Efron 1979).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
import pandas as pd
from pydantic import BaseModel, ConfigDict

from evermodel.core.data import Array
from evermodel.core.errors import EvermodelError

LEVEL = 0.95
RESAMPLES = 2000
NUMBERS_AT_ONCE = 1_000_000  # 8 MB, however many test rows there are
EMBEDDING = r"^e_\d+$"  # the columns of an embedding
DIGITS = 6  # of a cosine; what lies behind them is another on another processor, and would untie ties
SHAPES: dict[str, Callable[[Array], Array]] = {
    "mean": lambda ratio: ratio,
    "root_mean": np.sqrt,
    "skill": lambda ratio: 1 - ratio,
}


class Interval(NamedTuple):
    """Where a value lies, by the luck of the draw of the test rows."""

    low: float
    high: float


class Statistic(BaseModel):
    """A value of a table of scores: how it is made, and of which columns.

    mean and root_mean: of a column; skill: 1 - sum / sum of two. roc_auc: of the target and a score of class
    1. identification: the mean of a column over probes; verification: the area under the ROC curve of the
    cosines of all pairs of embeddings. in_time: rows are in order of time, and neighbours alike.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Literal["mean", "root_mean", "skill", "roc_auc", "identification", "verification"]
    columns: tuple[str, ...] = ()
    in_time: bool = False


def mean(column: str) -> Statistic:
    """The mean of a column over examples that have nothing to do with each other."""
    return Statistic(kind="mean", columns=(column,))


def intervals(of: Mapping[str, Statistic], scores: pd.DataFrame, seed: int) -> dict[str, Interval]:
    """The 95 % percentile interval of each. Raises EvermodelError if there are too few rows."""
    return {
        name: _bootstrap(draws(statistic, scores), seed, LEVEL, RESAMPLES) for name, statistic in of.items()
    }


def value(statistic: Statistic, scores: pd.DataFrame) -> float:
    """The statistic of all rows, as they are."""
    drawn = draws(statistic, scores)
    return float(drawn.value(*drawn.units))


def difference(
    statistic: Statistic, ours: pd.DataFrame, theirs: pd.DataFrame, seed: int, level: float, resamples: int
) -> Interval:
    """The interval of ours minus theirs, each draw of the same rows; EvermodelError if there are too few."""
    our, their = draws(statistic, ours), draws(statistic, theirs)
    paired = Draws(our.units, lambda *drawn: our.value(*drawn) - their.value(*drawn), our.at_once)
    return _bootstrap(paired, seed, level, resamples)


@dataclass(frozen=True)
class Draws:
    """What is drawn anew, and the value of a draw.

    units: numbers of what is drawn, (n,) each, independently of each other. value: takes as many arrays of
    drawn numbers, (…, n) each if it can take many draws at once, and gives (…).
    """

    units: tuple[Array, ...]
    value: Callable[..., Array]
    at_once: bool = True


def draws(statistic: Statistic, scores: pd.DataFrame) -> Draws:
    """What is drawn anew for a statistic of a table, and its value of a draw."""
    match statistic.kind:
        case "roc_auc":
            return _area(*(scores[column].to_numpy() for column in statistic.columns))
        case "identification":
            probes = scores[scores["role"] == "probe"].groupby("target")[statistic.columns[0]]
            right, asked = probes.agg(["sum", "count"]).to_numpy(float).T
            return _ratio(right, asked, SHAPES["mean"])
        case "verification":
            return _area_over_people(scores)
        case shape:
            parts = [scores[column].to_numpy(float) for column in statistic.columns]
            above, below = parts if shape == "skill" else (*parts, np.ones(len(scores)))
            if statistic.in_time:
                above, below = _in_blocks(above), _in_blocks(below)
            return _ratio(above, below, SHAPES[shape])


def _in_blocks(values: Array) -> Array:
    """Sums of about the cube root of n neighbours each, (m,).

    Neighbours in time are alike, so that blocks are drawn and not single examples (Carlstein 1986).
    """
    return np.add.reduceat(values, np.arange(0, len(values), round(len(values) ** (1 / 3))))


def _ratio(above: Array, below: Array, shape: Callable[[Array], Array]) -> Draws:
    """The shape of sum(above) / sum(below), (n,) each."""

    def of(drawn: Array) -> Array:
        return shape(above[drawn].sum(axis=-1) / below[drawn].sum(axis=-1))

    return Draws((np.arange(len(above)),), of)


def _area(target: Array, score: Array) -> Draws:
    """The area under the ROC curve. target: (n,) 0 or 1; score: (n,), higher for class 1.

    Rows are drawn within each class, so that every draw has both. The area is the share of (positive,
    negative) pairs in the right order, a tie counting half (Hanley & McNeil 1982).
    """
    # Only the order counts, and counting whole ranks is several times faster than sorting each draw.
    ranks = np.unique(score, return_inverse=True)[1]
    levels = len(ranks)

    def of(positive: Array, negative: Array) -> Array:
        below = np.bincount(ranks[negative], minlength=levels)
        ordered = np.bincount(ranks[positive], minlength=levels) @ (np.cumsum(below) - below / 2)
        return np.asarray(ordered / (len(positive) * len(negative)))

    return Draws((np.flatnonzero(target == 1), np.flatnonzero(target == 0)), of, at_once=False)


def verification(scores: pd.DataFrame) -> tuple[Array, Array]:
    """The cosine of every pair of rows, and whether it is of one person (0 or 1)."""
    first, second = np.triu_indices(len(scores), 1)
    people = scores["target"].to_numpy()
    cosine = cosines(scores.filter(regex=EMBEDDING).to_numpy())
    return cosine[first, second], (people[first] == people[second]).astype(np.int64)


def cosines(vectors: Array) -> Array:
    """The cosine of each pair, (n, n), of vectors (n, d), rounded to DIGITS."""
    from sklearn.metrics.pairwise import cosine_similarity  # half a second, of no use to most promotions

    return np.asarray(cosine_similarity(vectors).round(DIGITS))


def _area_over_people(scores: pd.DataFrame) -> Draws:
    """People are drawn, since images of one are no independent evidence (Bolle, Ratha & Pankanti 2004).

    A pair of two people counts as often as both were drawn together, one of one person as often as that
    person was; a draw with no pairs of either kind says nothing, which is an area of 1/2.
    """
    cosine, one = verification(scores)
    names, person = np.unique(scores["target"], return_inverse=True)
    first, second = (person[side] for side in np.triu_indices(len(scores), 1))
    alike, order = np.flatnonzero(one), np.flatnonzero(one == 0)
    order = order[np.argsort(cosine[order])]
    couple, owner = first[order] * len(names) + second[order], first[alike]
    below, up_to = (np.searchsorted(cosine[order], cosine[alike], side) for side in ("left", "right"))

    def of(numbers: Array) -> Array:
        drawn = np.bincount(numbers, minlength=len(names))
        weights = np.outer(drawn, drawn).ravel()[couple]
        passed, own = np.concatenate([[0], weights.cumsum()]), drawn[owner]
        pairs = own.sum() * passed[-1]
        return np.asarray(own @ (passed[below] + passed[up_to]) / (2 * pairs) if pairs else 0.5)

    return Draws((np.arange(len(names)),), of, at_once=False)


def _bootstrap(drawn: Draws, seed: int, level: float, resamples: int) -> Interval:
    if min(map(len, drawn.units)) < 2:
        raise EvermodelError(
            "the test split is too small for an interval: it needs two rows, and two of each class for "
            "roc_auc; set a larger split.test in the params.yaml of the data set"
        )

    from scipy import stats  # half a second, of no use to a promotion that compares nothing

    def of(*numbers: Array, axis: int = -1) -> Array:
        return drawn.value(*numbers)

    result = stats.bootstrap(
        drawn.units,
        of if drawn.at_once else drawn.value,
        n_resamples=resamples,
        batch=max(1, NUMBERS_AT_ONCE // max(map(len, drawn.units))),
        vectorized=drawn.at_once,
        confidence_level=level,
        method="percentile",
        rng=np.random.default_rng(seed),
    )
    return Interval(float(result.confidence_interval.low), float(result.confidence_interval.high))
