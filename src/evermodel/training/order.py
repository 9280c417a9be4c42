"""In which order a training sees its rows: by its seed and the epoch's number alone."""

from collections.abc import Callable
from dataclasses import replace
from typing import Protocol

import numpy as np

from evermodel.core import data
from evermodel.core.data import Array, Split, StoredSplit

BLOCK = 2**27  # bytes of stored rows that are in memory together


class Ordered(Protocol):
    """All rows of a split in some order, of which those at some places are taken at a time."""

    def __getitem__(self, places: slice | Array, /) -> Split:
        """The rows at a slice of places, or at those of an array, which mostly ascend."""


Order = Callable[[Split, int, int], Ordered]  # of the rows of a split, by seed and epoch


class Permuted:
    """Rows each of which can be had by itself; their order takes four bytes a row."""

    def __init__(self, split: Split, seed: int, epoch: int) -> None:
        self.split, self.order = split, np.arange(len(split), dtype=np.uint32)
        np.random.default_rng([seed, epoch]).shuffle(self.order)

    def __getitem__(self, places: slice | Array, /) -> Split:
        return self.split[self.order[places]]


class Blocks:
    """Rows that are read a row group at a time, in bounded memory.

    Row groups are permuted, joined to blocks as large as BLOCK, and the rows of each block are permuted. So
    the rows of a block come from all over the table, and an epoch reads each row group once.
    """

    def __init__(self, split: StoredSplit, seed: int, epoch: int) -> None:
        self.split, self.seed = split, [seed, epoch]
        groups = np.random.default_rng(self.seed).permutation(len(split.parts.sizes))
        together = max(1, BLOCK // split.parts.bytes)
        self.blocks = np.array_split(groups, -(-len(groups) // together))
        self.ends = np.cumsum([split.parts.sizes[block].sum() for block in self.blocks])
        self.number, self.held, self.order = -1, split[:0], np.empty(0, np.int64)

    def __getitem__(self, places: slice | Array, /) -> Split:
        if isinstance(places, slice):
            places = np.arange(*places.indices(len(self.split)))
        blocks = np.searchsorted(self.ends, places, side="right")
        starts = np.flatnonzero(np.diff(blocks, prepend=-1))
        runs = zip(blocks[starts], np.split(places, starts)[1:], strict=True)
        found = [self._of_block(int(number), run) for number, run in runs]
        return found[0] if len(found) == 1 else data.joined(found or [self.split[:0]])

    def _of_block(self, number: int, places: Array) -> Split:
        order = self._order(number)
        return self.held[order[places - (int(self.ends[number]) - len(order))]]

    def _order(self, number: int) -> Array:
        """The order of the rows of a block, which is in memory then."""
        if number != self.number:
            parts, groups = self.split.parts, self.blocks[number]
            self.held = self.split[:0]  # or else two blocks would be in memory
            spans = [np.arange(parts.sizes[one]) + parts.starts[one] for one in groups]
            self.held, self.number = self.split[np.concatenate(spans)], number
            self.order = np.random.default_rng([*self.seed, number]).permutation(len(self.held))
        return self.order


class Windows:
    """Of each text of ordered rows `length` characters: those after `before` windows of as many."""

    def __init__(self, ordered: Ordered, length: int, before: int) -> None:
        self.ordered, self.length, self.before = ordered, length, before

    def __getitem__(self, places: slice | Array, /) -> Split:
        rows = self.ordered[places]
        return replace(rows, x=np.array([self._window(text) for text in rows.x], dtype=object))

    def _window(self, text: str) -> str:
        """A text that ends too early begins again; its last window is a full one, too."""
        count = max(1, -(-len(text) // self.length))
        start = max(0, min(self.before % count * self.length, len(text) - self.length))
        return text[start : start + self.length]


def windows(length: int, epochs: int) -> Order:
    """Rows in the order of an epoch, and of their texts a window that is another one in each epoch.

    The last epoch learns from the first windows, as every text that the model is given has a beginning.
    """
    return lambda split, seed, epoch: Windows(shuffled(split, seed, epoch), length, epochs - 1 - epoch)


def shuffled(split: Split, seed: int, epoch: int) -> Ordered:
    """The rows of a split in the order of an epoch."""
    return Blocks(split, seed, epoch) if isinstance(split, StoredSplit) else Permuted(split, seed, epoch)
