"""A first look at a table, whose rows are read once and never all held: what it shows, and some rows."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from evermodel.core import data, fields
from evermodel.core.columns import Column
from evermodel.core.data import Array, Raw
from evermodel.datasets.dataset import Dataset, Declared
from evermodel.expectations import labels
from evermodel.preparing.inference import Seen

ROWS = 100_000  # that are looked at together
ALMOST = 0.95  # of a column's fields are numbers; then the others may be a fault
FIELDS = 5_000_000  # that they may have, if a table has very many columns


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
    assert raw.pieces is not None, "a reader of tables gives pieces"
    seen: dict[str, Seen] = {}
    some, marked, rows = _Some(), _Labels(dataset), 0
    for piece in raw.pieces():
        rows += len(piece)
        for name in piece:
            seen.setdefault(str(name), Seen(raw.layout.decimal, raw.layout.thousands)).add(piece[name])
        some.add(piece)
        marked.add(piece)
    frame = pd.concat([*some.frames, *marked.frames])
    return Sample(rows, seen, marked.counts, frame[~frame.index.duplicated()].sort_index())


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


class _Some:
    """Rows by their hash: ever fewer, as more come."""

    def __init__(self) -> None:
        self.frames: list[pd.DataFrame] = []
        self.hashes: list[Array] = []
        self.limit = 2**64 - 1

    def add(self, piece: pd.DataFrame) -> None:
        hashes = pd.util.hash_pandas_object(piece, index=False).to_numpy()
        low = hashes <= np.uint64(self.limit)
        self.frames.append(piece if low.all() else piece[low])
        self.hashes.append(hashes[low])
        most = min(ROWS, FIELDS // max(piece.shape[1], 1))
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
        self.counts = self.counts.add(counts.groupby(level=0).sum(), fill_value=0).astype(np.int64)
        by = [self.dataset.target, *(["split"] if "split" in piece else [])]
        first = piece[~piece.duplicated(by)]
        keys = list(map(tuple, first[by].astype(str).to_numpy()))
        self.frames.append(first[[key not in self._known for key in keys]])
        self._known.update(keys)
        if len(self.counts) > data.MOST_CLASSES:
            self.counts, self.frames = None, []
