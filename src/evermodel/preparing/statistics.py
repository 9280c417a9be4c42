"""What the training rows of a table tell of its columns."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from evermodel.core import fields
from evermodel.core.columns import MOST_CATEGORIES, MOST_WORDS, RARE, Column
from evermodel.core.data import Array
from evermodel.preparing import words
from evermodel.preparing.moments import Moments

SAMPLE = 100_000  # rows on which medians are counted, if there are more
DIFFERENT = 1_000_000  # values of a column that are counted at a time; then the rarest go


class Statistics:
    """Of columns whose kinds are known; rows: how many there are to learn from."""

    def __init__(self, columns: Sequence[Column], rows: int) -> None:
        self.columns = columns
        self.counts = {one.name: Counter[Any]() for one in columns if one.kind in fields.TEXTS}
        self.plain = [one.name for one in columns if one.name not in self.counts]
        self.times = [one.name for one in columns if one.kind == "time"]
        self.moments, self.spans = Moments(len(self.plain)), Moments(len(self.times))
        self.share = min(1.0, SAMPLE / max(rows, 1))
        self.sampled = [np.empty((0, len(self.plain)))]

    def add(self, frame: pd.DataFrame, lot: Array) -> None:
        """Take notice of some more rows, typed. lot: (n,) from 0 to 1; the rows with low ones are sampled."""
        numbers = frame[self.plain].to_numpy(np.float64)
        self.moments.add(numbers)
        self.spans.add(frame[self.times].diff(axis=1).to_numpy(np.float64))
        self.sampled.append(numbers[lot < self.share])
        for one in self.columns:
            if one.kind == "category":
                self.counts[one.name].update(frame[one.name].value_counts(sort=False).to_dict())
            elif one.kind == "text":
                self.counts[one.name].update(words.count(frame[one.name].dropna()))
        self._prune()

    def merge(self, other: "Statistics") -> None:
        """Take notice of what other rows tell, which come after these."""
        self.moments.merge(other.moments)
        self.spans.merge(other.spans)
        self.sampled += other.sampled
        for name, counter in self.counts.items():
            counter.update(other.counts[name])
        self._prune()

    def told(self) -> tuple[Column, ...]:
        """The columns with what all those rows tell."""
        medians = _medians(np.concatenate(self.sampled))
        return tuple(one.model_copy(update=self._told(one, medians)) for one in self.columns)

    def _prune(self) -> None:
        self.counts = {name: _pruned(counter) for name, counter in self.counts.items()}

    def _told(self, one: Column, medians: Array) -> dict[str, Any]:
        if one.kind == "category":
            return {"categories": _categories(self.counts[one.name])}
        if one.kind == "text":
            return {"vocabulary": words.ranked(self.counts[one.name], MOST_WORDS)}
        found = _numbers(self.plain.index(one.name), self.moments, medians)
        if one.kind == "time":
            place = self.times.index(one.name)
            found |= {"span_mean": self.spans.mean[place], "span_variance": self.spans.variance[place]}
        return found


def _numbers(place: int, moments: Moments, medians: Array) -> dict[str, Any]:
    known = bool(moments.count[place])
    return {
        "low": float(moments.low[place]) if known else 0.0,
        "high": float(moments.high[place]) if known else 0.0,
        "mean": float(moments.mean[place]),
        "variance": float(moments.variance[place]),
        "median": float(medians[place]),
    }


def _medians(sample: Array) -> Array:
    """Of each column, gaps left out; 0 where nothing is known."""
    known = [column[~np.isnan(column)] for column in sample.T]
    return np.array([np.median(column) if len(column) else 0.0 for column in known])


def _categories(counts: Counter[str]) -> tuple[str, ...]:
    """Those that recur, most frequent first, ties by the alphabet."""
    ranked = sorted(counts, key=lambda value: (-counts[value], value))
    return tuple(value for value in ranked if counts[value] >= RARE)[:MOST_CATEGORIES]


def _pruned(counts: Counter[Any]) -> Counter[Any]:
    """The more frequent half, where more are counted than memory should hold."""
    if len(counts) <= DIFFERENT:
        return counts
    ranked = sorted(counts, key=lambda value: (-counts[value], value))
    return Counter({value: counts[value] for value in ranked[: DIFFERENT // 2]})
