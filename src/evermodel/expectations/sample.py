"""A first look at a table, whose rows are read once and never all held: what it shows, and some rows."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from evermodel.core import data, fields
from evermodel.core.columns import Column
from evermodel.core.data import Array, Raw
from evermodel.datasets.dataset import Dataset, Declared
from evermodel.expectations import labels
from evermodel.preparing import inference
from evermodel.preparing.inference import Seen

ROWS = 100_000  # that are looked at together
ALMOST = 0.95  # of a column's fields are numbers; then the others may be a fault
FIELDS = 5_000_000  # that they may have, if a table has very many columns
HIGHEST = 2**64 - 1  # of all hashes


@dataclass(frozen=True)
class Sample:
    """What a table shows.

    rows: how many it has. seen: what each column shows. labels: how often each label of the target occurs,
    None if there are too many for classes. frame: the rows that are looked at together, as the source has
    them: all, or if there are too many those whose hash is low, so that copies of a row are all there or
    none, and the first row of each label. Its index is that of the rows.
    """

    rows: int
    seen: dict[str, Seen]
    labels: "pd.Series[int] | None"
    frame: pd.DataFrame

    @property
    def is_whole(self) -> bool:
        """Whether these are all rows."""
        return len(self.frame) == self.rows


def take(raw: Raw, dataset: Dataset) -> Sample:
    """Look at all rows of a table once."""
    return look(raw, dataset).sample()


def look(raw: Raw, dataset: Dataset, limit: int = HIGHEST) -> "Look":
    """What the rows of a table show, or of a part of it. limit: on the hashes of rows looked at together."""
    assert raw.pieces is not None, "a reader of tables gives pieces"
    found = Look(raw, dataset, limit)
    for piece in raw.pieces():
        found.add(piece)
    return found


class Look:
    """What rows show, piece by piece."""

    def __init__(self, raw: Raw, dataset: Dataset, limit: int = HIGHEST) -> None:
        self.numbers = {"decimal": raw.layout.decimal, "thousands": raw.layout.thousands}
        self.rows, self.seen = 0, dict[str, Seen]()
        self.some, self.marked = Some(limit), _Labels(dataset)

    def add(self, piece: pd.DataFrame) -> None:
        """Take notice of some more rows."""
        self.rows += len(piece)
        for name in piece:
            self.seen.setdefault(str(name), Seen(**self.numbers)).add(piece[name])
        self.some.add(piece)
        self.marked.add(piece)

    def merge(self, other: "Look") -> None:
        """Take notice of what other rows of the table show, which come after these."""
        self.rows += other.rows
        inference.merge(self.seen, other.seen)
        self.some.merge(other.some)
        self.marked.merge(other.marked)

    def sample(self) -> Sample:
        """What the table shows, after all rows."""
        frame = pd.concat([*self.some.frames, *self.marked.frames])
        frame = frame[~frame.index.duplicated()].sort_index()
        return Sample(self.rows, self.seen, self.marked.counts, frame)


def most_rows(columns: int) -> int:
    """How many rows with so many columns are looked at together."""
    return min(ROWS, FIELDS // max(columns, 1))


def typed(frame: pd.DataFrame, columns: dict[str, Column], raw: Raw) -> pd.DataFrame:
    """The rows with those columns typed; what is none of a column's kind stays there as text."""
    found = {name: _read(frame[name], column, raw) for name, column in columns.items() if name in frame}
    return frame.assign(**found)


def column(name: str, sample: Sample, dataset: Dataset, raw: Raw) -> Column:
    """What a column is, as declared, or as a range says, or as all its fields show, or almost all."""
    declared, seen = dataset.columns.get(name, Declared()), sample.seen[name]
    kind = declared.kind or seen.kind
    if not declared.kind and kind in fields.TEXTS and not (name == dataset.target and dataset.classes):
        known = sample.frame[name][~fields.is_gap(sample.frame[name])]
        readable = fields.numbers(known, raw.layout.decimal, raw.layout.thousands).notna().sum()
        is_target = name == dataset.target and not labels.recur(known)
        if name in dataset.expect.ranges or readable > (labels.MOST if is_target else ALMOST) * len(known):
            kind = "number"
    return Column(name=name, kind=kind, format=declared.format or (seen.format if kind == "time" else ""))


def _read(values: pd.Series, column: Column, raw: Raw) -> pd.Series:
    found = fields.read(values, column, decimal=raw.layout.decimal, thousands=raw.layout.thousands)
    if column.kind in fields.TEXTS:
        return found
    wrong = found.isna() & ~fields.is_gap(values)
    if column.kind == "whole":
        wrong |= found % 1 > 0
    if not wrong.any():
        return found
    mixed = found.astype(object)
    mixed[wrong] = fields.texts(values[wrong])
    return mixed


class Some:
    """Rows by their hash: ever fewer, as more come. limit: the highest hash there is."""

    def __init__(self, limit: int = HIGHEST) -> None:
        self.frames: list[pd.DataFrame] = []
        self.hashes: list[Array] = []
        self.limit = limit

    def add(self, piece: pd.DataFrame) -> None:
        """Take notice of some more rows."""
        hashes = pd.util.hash_pandas_object(piece, index=False).to_numpy()
        low = hashes <= np.uint64(self.limit)
        self.frames.append(piece if low.all() else piece[low])
        self.hashes.append(hashes[low])
        self._reduce()

    def merge(self, other: "Some") -> None:
        """Take notice of what is kept of other rows."""
        self.frames += other.frames
        self.hashes += other.hashes
        self.limit = min(self.limit, other.limit)
        self._keep()
        self._reduce()

    def _reduce(self) -> None:
        most = most_rows(self.frames[0].shape[1])
        while sum(map(len, self.frames)) > most:
            longest = int(np.argmax([*map(len, self.frames)]))
            some = self.frames[longest][:most], self.hashes[longest][:most]
            self.limit //= 2
            self._keep()
            if not sum(map(len, self.frames)):  # all rows are copies of a few
                self.frames, self.hashes = [some[0]], [some[1]]
                return

    def _keep(self) -> None:
        low = [hashes <= np.uint64(self.limit) for hashes in self.hashes]
        self.frames = [frame[chosen] for frame, chosen in zip(self.frames, low, strict=True)]
        self.hashes = [hashes[chosen] for hashes, chosen in zip(self.hashes, low, strict=True)]


class _Labels:
    """How often each label occurs, and the first row of each in each split."""

    def __init__(self, dataset: Dataset) -> None:
        self.dataset = dataset
        self.frames: list[pd.DataFrame] = []
        self.counts: pd.Series[int] | None = pd.Series(dtype=np.int64)
        self._known: set[tuple[str, ...]] = set()

    def add(self, piece: pd.DataFrame) -> None:
        if self.dataset.target not in piece or self.counts is None:
            return
        counts = piece[self.dataset.target].value_counts(sort=False)
        counts.index = pd.Index(self.dataset.labels(counts.index.to_series()))
        self._count(counts.groupby(level=0).sum(), [piece[~piece.duplicated(self._by(piece))]])

    def merge(self, other: "_Labels") -> None:
        if other.counts is None:
            self.counts, self.frames = None, []
        elif self.counts is not None:
            self._count(other.counts, other.frames)

    def _by(self, rows: pd.DataFrame) -> list[str]:
        return [self.dataset.target, *(["split"] if "split" in rows else [])]

    def _count(self, counts: "pd.Series[int]", firsts: list[pd.DataFrame]) -> None:
        """Count labels, of which the rows are the first ones."""
        assert self.counts is not None, "as long as they are counted"
        self.counts = self.counts.add(counts, fill_value=0).astype(np.int64)
        for first in firsts:
            keys = list(map(tuple, first[self._by(first)].astype(str).to_numpy()))
            self.frames.append(first[[key not in self._known for key in keys]])
            self._known.update(keys)
        if len(self.counts) > data.MOST_CLASSES:
            self.counts, self.frames = None, []
