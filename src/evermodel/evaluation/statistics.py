"""How a headline follows from the scores of the test rows, and how far luck of the draw may have moved it.

Intervals of one model, and of the difference of two on the same rows, by the bootstrap (Efron 1979). Rows
that belong together (column GROUP) are drawn together, since they are no independent evidence (the cluster
bootstrap; Field & Welsh 2007), and intervals allow for there being few groups. They are for reading: what is
decided about two models is decided by a test (publishing/paired.py).
"""

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple, cast

import numpy as np
import pandas as pd
from pydantic import BaseModel, ConfigDict

from evermodel.core.data import Array
from evermodel.core.errors import EvermodelError
from evermodel.evaluation import detection, frechet

LEVEL = 0.95
RESAMPLES = 2000
MOST_NUMBERS = 160_000_000  # drawn for an interval: a few seconds, however many test rows there are
MOST_RANKED = 50_000_000  # the same where ranks are counted, which takes longer
MOST_SORTED = 10_000_000  # and where a class is looked for in each draw
NUMBERS_AT_ONCE = 1_000_000  # 8 MB
GROUP = "group"  # the column that says which test rows belong together
EMBEDDING = r"^e_\d+$"  # the columns of an embedding
REAL, MADE = r"^real_\d+$", r"^made_\d+$"  # those of features of what is real, and of what was made
ROUNDING = 1e-12  # the share of a sum of squares that is no more than how it was rounded
DIGITS = 6  # of a cosine; what lies behind them is another on another processor, and would untie ties
SHAPES: dict[str, Callable[[Array], Array]] = {
    "mean": lambda ratio: ratio,
    "root_mean": np.sqrt,
    "skill": lambda ratio: 1 - ratio,
    "ratio": lambda ratio: ratio,
}


class Interval(NamedTuple):
    """Where a value lies, by the luck of the draw of the test rows."""

    low: float
    high: float


class Statistic(BaseModel):
    """A value of a table of scores: how it is made, and of which columns.

    mean and root_mean: of a column; ratio: sum / sum of two, and skill: 1 less that. roc_auc: of the target
    and a score of class 1. r2: of a squared error and the target. recall, f1 and average_precision: of the
    class `positive`, by the target and what was answered, a class or (average_precision) the score of this
    one; macro: the mean of those `parts` whose class there is. identification: the mean of a column over
    probes; verification: the area under the ROC curve of the cosines of all pairs of embeddings. frechet: the
    distance of the features REAL and MADE. in_time: rows are in order of time, and neighbours alike.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Literal[
        "mean",
        "root_mean",
        "ratio",
        "skill",
        "roc_auc",
        "r2",
        "recall",
        "f1",
        "average_precision",
        "macro",
        "identification",
        "verification",
        "frechet",
    ]
    columns: tuple[str, ...] = ()
    in_time: bool = False
    positive: int = 1
    parts: tuple["Statistic", ...] = ()

    @property
    def needs(self) -> list[str]:
        """The columns that it is of, its parts' too."""
        return list(dict.fromkeys([*self.columns, *(name for part in self.parts for name in part.needs)]))


def mean(column: str) -> Statistic:
    """The mean of a column over examples that are in no order."""
    return Statistic(kind="mean", columns=(column,))


def macro(parts: Iterable[Statistic]) -> Statistic:
    """The mean of what is told of each class or label."""
    return Statistic(kind="macro", parts=tuple(parts))


def intervals(of: Mapping[str, Statistic], scores: pd.DataFrame, seed: int) -> dict[str, Interval]:
    """The 95 % percentile interval of each. Raises EvermodelError if there are too few rows."""

    def interval(statistic: Statistic) -> Interval:
        group = groups(statistic, scores)
        return _bootstrap(draws(statistic, scores, group, RESAMPLES), group, seed)

    return {name: interval(statistic) for name, statistic in of.items()}


def value(statistic: Statistic, scores: pd.DataFrame) -> float:
    """The statistic of all rows, as they are."""
    drawn = draws(statistic, scores, None, 1)
    return float(drawn.value(*drawn.units))


def difference(statistic: Statistic, ours: pd.DataFrame, theirs: pd.DataFrame, seed: int) -> Interval:
    """The 95 % interval of ours minus theirs, of draws of the same rows; EvermodelError if they are too few.

    Rows of both belong together where ours do: theirs may have been written before anybody said so.
    """
    group = groups(statistic, ours)
    our, their = (draws(statistic, scores, group, RESAMPLES) for scores in (ours, theirs))
    paired = Draws(our.units, lambda *drawn: our.value(*drawn) - their.value(*drawn), our.at_once)
    return _bootstrap(paired, group, seed)


def groups(statistic: Statistic, scores: pd.DataFrame) -> Array | None:
    """The number of each row's group, (n,) from 0 up; None if every row stands for itself, or if what is
    drawn is no row anyway: neighbours in time, people.
    """
    if GROUP not in scores or statistic.in_time or statistic.kind in ("identification", "verification"):
        return None
    return np.unique(scores[GROUP], return_inverse=True)[1]


def neighbours_in_time(rows: int) -> int:
    """How many rows in order of time are drawn as one, since neighbours are alike: about the cube root of all
    (Carlstein 1986).
    """
    return int(np.rint(rows ** (1 / 3)))


@dataclass(frozen=True)
class Draws:
    """What is drawn anew, and the value of a draw.

    units: numbers of what is drawn, (n,) each, independently of each other. value: takes as many arrays of
    drawn numbers, (…, n) each if it can take many draws at once, and gives (…).
    """

    units: tuple[Array, ...]
    value: Callable[..., Array]
    at_once: bool = True


def draws(statistic: Statistic, scores: pd.DataFrame, group: Array | None, resamples: int) -> Draws:
    """What is drawn anew `resamples` times for a statistic of a table, and its value of a draw.

    group: as `groups` tells.
    """
    match statistic.kind:
        case "roc_auc":
            target, score = (scores[column].to_numpy() for column in statistic.columns)
            return _area(target == 1, score, group, resamples)
        case "identification":
            probes = scores[scores["role"] == "probe"].groupby("target")[statistic.columns[0]]
            right_asked = probes.agg(["sum", "count"]).to_numpy(float).T
            return _ratio(right_asked, SHAPES["mean"], resamples)
        case "verification":
            return _area_over_people(scores)
        case "r2":
            return _of_sums((_explained(statistic, scores, group),), _r2, resamples)
        case "recall" | "f1" | "average_precision" | "macro":
            return _found(statistic, scores, group, resamples)
        case "frechet":
            return _far(scores, group, resamples)
        case shape:
            parts = [scores[column].to_numpy(float) for column in statistic.columns]
            above_below = np.stack(parts if len(parts) > 1 else [*parts, np.ones(len(scores))])
            if statistic.in_time:
                above_below = _neighbours(above_below, neighbours_in_time(len(scores)))
            elif group is not None:
                above_below = _together(above_below, group)
            return _ratio(above_below, SHAPES[shape], resamples)


def _neighbours(numbers: Array, size: int) -> Array:
    """Sums (k, m) of `size` neighbours each in numbers (k, n), of fewer in the last."""
    return np.add.reduceat(numbers, np.arange(0, numbers.shape[1], size), axis=1)


def _together(numbers: Array, group: Array) -> Array:
    """Sums (k, m) of each of m groups in numbers (k, n)."""
    return np.stack([np.bincount(group, row) for row in numbers])


def _ratio(above_below: Array, shape: Callable[[Array], Array], resamples: int) -> Draws:
    """The shape of sum(above) / sum(below), (2, n) together."""
    return _of_sums((above_below,), lambda sums: shape(sums[0] / sums[1]), resamples)


def _explained(statistic: Statistic, scores: pd.DataFrame, group: Array | None) -> Array:
    """Of each row, or group, the sums that r2 is made of: (4, n)."""
    error, target = (scores[column].to_numpy(float) for column in statistic.columns)
    far = target - target.mean()
    sums = np.stack([error, far**2, far, np.ones(len(scores))])
    return sums if group is None else _together(sums, group)


def _r2(sums: Array) -> Array:
    """1 - sum of squared errors / sum of squares about the mean; 0 where all targets are alike."""
    error, squares, total, rows = sums
    spread = squares - total**2 / rows
    varies = spread > ROUNDING * squares
    return np.asarray(np.where(varies, 1 - error / np.where(varies, spread, 1), 0.0))


def detections(statistic: Statistic, scores: pd.DataFrame) -> list[tuple[detection.Measure, Array, Array]]:
    """What `detection` takes of each class or label that rows are of: measure, positive and answer, (n,)."""
    found = []
    for part in statistic.parts or (statistic,):
        target, answer = (scores[column].to_numpy() for column in part.columns)
        if (positive := target == part.positive).any():
            ranked = part.kind == "average_precision"
            measure = cast(detection.Measure, part.kind)
            found.append((measure, positive, answer if ranked else answer == part.positive))
    return found


def _found(statistic: Statistic, scores: pd.DataFrame, group: Array | None, resamples: int) -> Draws:
    """How well classes are found, the mean over those that a draw has.

    Of many rows it is valued by its slopes, which leaves out what vanishes with their number (Hájek 1968).
    Raises EvermodelError if there are not two rows of classes that are looked for, independent of each other.
    """
    asked, mine = detections(statistic, scores), np.arange(len(scores)) if group is None else group
    _require_two(sum(len(np.unique(mine[positive])) for _, positive, _ in asked))
    units = np.arange(mine.max() + 1)

    def of_times(times: Array) -> float:
        told = np.array([detection.value(*one, times) for one in asked])
        known = told[~np.isnan(told)]
        return float(known.mean()) if len(known) else math.nan

    everyone = np.ones(len(scores))
    whole = of_times(everyone)

    def of(drawn: Array) -> Array:
        value = of_times(np.bincount(drawn, minlength=len(units))[mine].astype(float))
        return np.asarray(whole if math.isnan(value) else value)  # such a draw says nothing

    if len(scores) * len(asked) * resamples <= MOST_SORTED:
        return Draws((units,), of, at_once=False)
    slopes = np.mean([detection.slopes(*one, everyone) for one in asked], axis=0, keepdims=True)
    sums = slopes if group is None else _together(slopes, group)
    return _of_sums((sums,), lambda drawn: whole + drawn[0], resamples)


def clouds(scores: pd.DataFrame) -> tuple[Array, Array]:
    """The features of what is real and of what was made, (n, d) each, side by side."""
    real, made = (scores.filter(regex=columns).to_numpy(float) for columns in (REAL, MADE))
    return real, made


def _far(scores: pd.DataFrame, group: Array | None, resamples: int) -> Draws:
    """The Fréchet distance, of draws by its slopes: of fewer different rows it would be larger by itself."""
    both = clouds(scores)
    whole, slopes = frechet.distance(*both), frechet.slopes(*both)[None] / len(scores)
    sums = slopes if group is None else _together(slopes, group)
    return _of_sums((sums,), lambda drawn: np.maximum(whole + drawn[0], 0), resamples)


def _of_sums(strata: tuple[Array, ...], of: Callable[..., Array], resamples: int) -> Draws:
    """A value of sums over units that are drawn within strata.

    strata: the numbers of each unit, (k, n) each; of: takes as many arrays of sums, (k, …) each, and gives
    (…). Where more than MOST_NUMBERS would be drawn, units are put at random into blocks of equal size, and
    blocks are drawn: sums over so many are as uncertain either way (both are nearly normal).
    """
    most = MOST_NUMBERS // (resamples * len(strata))
    sizes = [-(-stratum.shape[1] // most) for stratum in strata]
    drawn_from = [
        _blocks(stratum, size) if size > 1 else stratum for stratum, size in zip(strata, sizes, strict=True)
    ]

    def value(*drawn: Array) -> Array:
        return of(*(_sums(*pair) for pair in zip(drawn_from, drawn, strict=True)))

    return Draws(tuple(np.arange(units.shape[1]) for units in drawn_from), value)


def _blocks(numbers: Array, size: int) -> Array:
    """Sums (k, m) of `size` of numbers (k, n) each, put together at random; one of k is copied at a time."""
    order = _shuffled(numbers.shape[1])
    return np.concatenate([_neighbours(each[None, order], size) for each in numbers])


def _shuffled(count: int) -> Array:
    """The numbers 0 to count - 1 in random order, the same for both who are compared."""
    return np.random.default_rng(0).permutation(count)


def _sums(units: Array, drawn: Array) -> Array:
    """The sums (k, …) over what was drawn (…, n) of units (k, n)."""
    return np.stack([numbers[drawn].sum(axis=-1) for numbers in units])


def _area(positive: Array, score: Array, group: Array | None, resamples: int) -> Draws:
    """The area under the ROC curve. positive: (n,) bool; score: (n,), higher for positives.

    The area is the share of (positive, negative) pairs in the right order, a tie counting half (Hanley &
    McNeil 1982). Rows are drawn within each class, so that every draw has both. Raises EvermodelError if
    there are not two of each class that are independent of each other.
    """
    mine = np.arange(len(positive)) if group is None else group
    _require_two(*(int(np.count_nonzero(np.bincount(mine[rows]))) for rows in (positive, ~positive)))
    # Only the order counts, and counting whole ranks is several times faster than sorting each draw.
    ranks = np.unique(score, return_inverse=True)[1]
    if len(ranks) * resamples > MOST_RANKED:
        return _area_by_placements(positive, ranks, group, resamples)
    levels, classes = ranks.max() + 1, (np.flatnonzero(positive), np.flatnonzero(~positive))

    def of_rows(*drawn: Array) -> Array:
        return _ordered(*(np.bincount(ranks[rows], minlength=levels) for rows in drawn))

    def of_groups(drawn: Array) -> Array:
        times = np.bincount(drawn, minlength=len(units))[group]
        return _ordered(*(np.bincount(ranks[rows], times[rows], levels) for rows in classes))

    if group is None:
        return Draws(classes, of_rows, at_once=False)
    units = np.arange(group.max() + 1)
    return Draws((units,), of_groups, at_once=False)


def _ordered(above: Array, below: Array) -> Array:
    """The share of pairs in the right order, of so many positives and negatives of each rank.

    Where there are no pairs, as in a draw of groups that lack a class, nothing is said, which is 1/2.
    """
    pairs = above.sum() * below.sum()
    ordered = (above * (np.cumsum(below) - below / 2)).sum()  # not @, whose threads wait for each other
    return np.asarray(ordered / pairs if pairs else 0.5)


def _area_by_placements(positive: Array, ranks: Array, group: Array | None, resamples: int) -> Draws:
    """The area under the ROC curve of many rows, as the sum of two means that are drawn.

    They are of each positive's share of the negatives below it, and of each negative's of the positives above
    it (DeLong, DeLong & Clarke-Pearson 1988). What this leaves out of a draw's area (it is its projection,
    Hájek 1968) vanishes with the number of rows.
    """
    above, below = (np.bincount(ranks[rows], minlength=ranks.max() + 1) for rows in (positive, ~positive))
    under = (np.cumsum(below) - below / 2) / below.sum()
    over = 1 - (np.cumsum(above) - above / 2) / above.sum()
    parts = np.stack([positive * under[ranks], positive, ~positive * over[ranks], ~positive]).astype(float)
    area = parts[0].sum() / parts[1].sum()

    def of(*sums: Array) -> Array:
        placed, positives, passed, negatives = np.concatenate(sums)
        with np.errstate(invalid="ignore"):
            drawn = placed / positives + passed / negatives - area
        return np.where(positives * negatives > 0, drawn, 0.5)

    strata = (parts[:2, positive], parts[2:, ~positive]) if group is None else (_together(parts, group),)
    return _of_sums(strata, of, resamples)


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


def _bootstrap(drawn: Draws, group: Array | None, seed: int) -> Interval:
    _require_two(*map(len, drawn.units))

    from scipy import stats  # half a second, of no use to a promotion that compares nothing

    def of(*numbers: Array, axis: int = -1) -> Array:
        return drawn.value(*numbers)

    result = stats.bootstrap(
        drawn.units,
        of if drawn.at_once else drawn.value,
        n_resamples=RESAMPLES,
        batch=max(1, NUMBERS_AT_ONCE // max(map(len, drawn.units))),
        vectorized=drawn.at_once,
        confidence_level=LEVEL,
        method="percentile",
        rng=np.random.default_rng(seed),
    )
    bounds = np.array(result.confidence_interval)
    if group is not None:
        # Percentiles over few are too narrow by the root of (n - 1) / n, and as the normal distribution is
        # beside Student's (Hesterberg 2015, The American Statistician 69): of 2 groups that have nothing to
        # tell, both lie above 0 in every fourth case.
        count, tail, middle = len(drawn.units[0]), (1 + LEVEL) / 2, drawn.value(*drawn.units)
        wider = stats.t.ppf(tail, count - 1) / stats.norm.ppf(tail) * (count / (count - 1)) ** 0.5
        bounds = middle + (bounds - middle) * wider
    return Interval(*bounds.tolist())


def _require_two(*counts: int) -> None:
    """Raise EvermodelError unless there are two of everything that is drawn."""
    if min(counts) < 2:
        raise EvermodelError(
            "the test split is too small for an interval: it needs two rows that do not belong together (by "
            "split.groups), and two of each class for roc_auc, or of the second for f1 and "
            "average_precision; set a larger split.test in the params.yaml of the data set"
        )
