"""Folds of the rows that may be learned from: training and validation rows, never the test's."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
from sklearn.model_selection import (
    GroupKFold,
    GroupShuffleSplit,
    KFold,
    ShuffleSplit,
    StratifiedKFold,
    StratifiedShuffleSplit,
    TimeSeriesSplit,
)

from evermodel.core import data
from evermodel.core.data import Array, Prepared, Split
from evermodel.core.errors import EvermodelError
from evermodel.core.rows import Rows
from evermodel.datasets.dataset import Split as Rule

LEARNED = ("train", "validation")  # the splits that folds are of


def folds(prepared: Prepared, rule: Rule, count: int, seed: int) -> Iterator[Prepared]:
    """The prepared data so many times, each time with another part of its rows as `test`.

    Rows are cut as the split of the data set is: by groups, by classes, or in order of time, where each part
    is judged by what was learned from the rows before it (TimeSeriesSplit). Of the other rows the share
    `rule.validation` is watched in training. What the spec tells, scales and words, stays that of the
    prepared training rows. All rows are held in memory.

    Raises EvermodelError if there are too few rows, groups or rows of a class, or their order in time is not
    known.
    """
    known = [prepared.splits[name] for name in LEARNED]
    time = _time(known, rule, prepared)
    rows = data.joined([split[np.arange(len(split))] for split in known])
    if prepared.spec.kind == "series" and rows.group is not None:
        rows = replace(rows, group=time)
    # What is predicted several steps ahead reaches into the next block, which is left out between two parts.
    gap = int(time is not None and prepared.spec.horizon > 1)
    try:
        parts = list(_cut(rows, rule, time, gap, count, seed))
    except ValueError as error:  # scikit-learn's, who knows how many there have to be
        raise EvermodelError(
            f"the training and validation rows of data set {prepared.spec.dataset} can't be cut into {count} "
            f"folds ({' '.join(str(error).split())}); ask for fewer"
        ) from None
    for learned, watched, judged in parts:
        splits = {"train": rows[learned], "validation": rows[watched], "test": rows[judged]}
        yield replace(prepared, splits=splits)


def _cut(
    rows: Split, rule: Rule, time: Array | None, gap: int, count: int, seed: int
) -> Iterator[tuple[Array, Array, Array]]:
    """The numbers of the rows that are learned from, watched and judged, of each fold.

    gap: the moments that are left out between two of these parts. Raises ValueError if there are too few.
    """
    if time is not None:
        moments = np.unique(time)
        for before, after in TimeSeriesSplit(count, gap=gap).split(moments):
            first = len(before) - max(1, round(len(before) * rule.validation))
            if first <= gap:
                raise ValueError(f"{len(before)} moments before the first that is judged are too few")
            cuts = (moments[: first - gap], moments[first : len(before)], moments[after])
            learned, watched, judged = (np.flatnonzero(np.isin(time, cut)) for cut in cuts)
            yield learned, watched, judged
        return
    whole, part, y, group = _cutters(rows, rule, count, seed)
    for rest, judged in whole.split(np.zeros(len(rows)), y, group):
        beside = (None if one is None else one[rest] for one in (y, group))
        learned, watched = next(part.split(np.zeros(len(rest)), *beside))
        yield rest[learned], rest[watched], judged


def _cutters(rows: Split, rule: Rule, count: int, seed: int) -> tuple[Any, Any, Array | None, Array | None]:
    """What cuts into folds, what cuts off the rows to watch, and the classes or groups that both go by."""
    of = {"test_size": rule.validation, "random_state": seed}
    if rule.groups:
        return (
            GroupKFold(count, shuffle=True, random_state=seed),
            GroupShuffleSplit(1, **of),
            None,
            rows.group,
        )
    if rule.stratify:
        folded = StratifiedKFold(count, shuffle=True, random_state=seed)
        return folded, StratifiedShuffleSplit(1, **of), rows.y, None
    return KFold(count, shuffle=True, random_state=seed), ShuffleSplit(1, **of), None, None


def _time(known: list[Split], rule: Rule, prepared: Prepared) -> Array | None:
    """When each row is, as numbers that grow with time; None where time does not matter."""
    if rule.method != "time":
        return None
    if prepared.spec.kind == "series":
        if known[0].group is None:
            return np.arange(sum(map(len, known)))
        # Blocks of dates, which are counted anew in each split.
        train, validation = (np.asarray(split.group) for split in known)
        return np.concatenate([train, validation + train.max() + 1])
    if rule.time not in prepared.spec.names:
        raise EvermodelError(
            f"the rows of data set {prepared.spec.dataset} are split by time, but are known without it; "
            f"let data/{prepared.spec.dataset}/params.yaml keep the column {rule.time} among the features"
        )
    return np.concatenate([_column(split.x, rule.time) for split in known])


def _column(x: Any, name: str) -> Array:
    rows: Rows = x[np.arange(len(x))]
    return np.asarray(rows.frame()[name], np.float64)
