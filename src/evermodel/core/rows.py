"""The rows of a table whose columns are of several kinds, mapped from disk or in memory."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from evermodel.core.columns import Column
from evermodel.core.fields import TEXTS

Array = np.ndarray[Any, Any]
PIECE = 4096  # rows that are turned into a frame at a time, where all are asked for one by one
NUMBERS = "numbers.npy"


@dataclass(frozen=True)
class Rows:
    """Rows, by number or slice, of typed columns (see core/fields.py).

    names: of the columns, in order. numbers: (n, k) float64 of those that are not in texts, NaN for a gap.
    texts: of each column of categories or texts, (n,) strings; the empty one is a gap.
    """

    names: tuple[str, ...]
    numbers: Array
    texts: Mapping[str, pa.LargeStringArray]

    def __len__(self) -> int:
        return len(self.numbers)

    def __getitem__(self, rows: Any) -> "Rows":
        """The rows of a slice, of an array of row numbers, or where an array of booleans is true."""
        if isinstance(rows, slice) and rows.step in (None, 1):
            start, stop, _ = rows.indices(len(self))
            taken = {name: one.slice(start, max(stop - start, 0)) for name, one in self.texts.items()}
        else:
            is_numbers = isinstance(rows, np.ndarray) and rows.dtype != bool
            places = pa.array(rows if is_numbers else np.arange(len(self))[rows])
            taken = {name: one.take(places) for name, one in self.texts.items()}
        return Rows(self.names, self.numbers[rows], taken)

    def frame(self) -> pd.DataFrame:
        """All rows as a table: float64 columns, and objects, str or None for a gap."""
        if not self.texts:
            return pd.DataFrame(self.numbers, columns=list(self.names))
        numbers = iter(np.asarray(self.numbers).T)
        return pd.DataFrame(
            {
                # pandas would make its own texts of objects, and NaN of None.
                name: pd.Series(_objects(self.texts[name]), dtype=object)
                if name in self.texts
                else next(numbers)
                for name in self.names
            }
        )

    def frames(self) -> Iterator[pd.DataFrame]:
        """All rows, in tables of a few."""
        for start in range(0, len(self), PIECE):
            yield self[start : start + PIECE].frame()

    def encoded(self) -> Iterator[bytes]:
        """The bytes of each row; equal rows, and only they, have equal ones."""
        for start in range(0, len(self), PIECE):
            piece = self[start : start + PIECE]
            width = 8 * piece.numbers.shape[1]
            numbers = np.asarray(piece.numbers).tobytes()
            columns = [column.to_pylist() for column in piece.texts.values()]
            words = ("\0".join(("", *row)) for row in zip(*columns, strict=True))
            for number in range(len(piece)):
                yield numbers[number * width : (number + 1) * width] + next(words, "").encode()


def of(frame: pd.DataFrame, columns: Sequence[Column]) -> Rows:
    """The rows of a typed table in memory."""
    texts = {one.name: _strings(frame[one.name]) for one in columns if one.kind in TEXTS}
    numbers = frame[[one.name for one in columns if one.name not in texts]].to_numpy(np.float64)
    return Rows(tuple(one.name for one in columns), numbers, texts)


def joined(some: Sequence[Rows]) -> Rows:
    """Rows of the same columns, one after the other."""
    texts = {name: pa.concat_arrays([one.texts[name] for one in some]) for name in some[0].texts}
    return Rows(some[0].names, np.concatenate([one.numbers for one in some]), texts)


class Writer:
    """Rows that are written in pieces into a folder, as many as were told before."""

    def __init__(self, folder: Path, columns: Sequence[Column], rows: int) -> None:
        self.folder, self.columns, self.done = folder, columns, 0
        texts = [number for number, one in enumerate(columns) if one.kind in TEXTS]
        folder.mkdir(parents=True)
        # numpy.lib.format writes the header; the file is mapped, not held.
        shape = (rows, len(columns) - len(texts))
        self.numbers = np.lib.format.open_memmap(folder / NUMBERS, "w+", np.float64, shape)
        self.ends = dict.fromkeys(texts, 0)
        for number in texts:
            (folder / f"{number}.utf8").touch()
            (folder / f"{number}.offsets").write_bytes(np.zeros(1, np.int64).tobytes())

    def write(self, rows: Rows) -> None:
        """Append some rows."""
        self.numbers[self.done : self.done + len(rows)] = rows.numbers
        self.done += len(rows)
        for number, end in self.ends.items():
            strings = rows.texts[self.columns[number].name]
            _, offsets, content = strings.buffers()
            places = np.frombuffer(offsets, np.int64, len(strings) + 1, 8 * strings.offset)
            with (self.folder / f"{number}.utf8").open("ab") as stream:
                stream.write(memoryview(content)[places[0] : places[-1]] if content else b"")
            with (self.folder / f"{number}.offsets").open("ab") as stream:
                stream.write((places[1:] - places[0] + end).tobytes())
            self.ends[number] += int(places[-1] - places[0])


def load(folder: Path, columns: Sequence[Column]) -> Rows:
    """The rows in a folder, mapped."""
    numbers = np.load(folder / NUMBERS, mmap_mode="r")
    texts = {one.name: _mapped(folder, n, len(numbers)) for n, one in enumerate(columns) if one.kind in TEXTS}
    return Rows(tuple(one.name for one in columns), numbers, texts)


def _mapped(folder: Path, number: int, rows: int) -> pa.LargeStringArray:
    offsets, content = (
        pa.py_buffer(np.memmap(file, np.uint8, "r")) if file.stat().st_size else pa.py_buffer(b"")
        for file in (folder / f"{number}.offsets", folder / f"{number}.utf8")
    )
    return pa.LargeStringArray.from_buffers(rows, offsets, content)


def _strings(column: pd.Series) -> pa.LargeStringArray:
    return pa.array(column, pa.large_string(), from_pandas=True).fill_null("")


def _objects(strings: pa.LargeStringArray) -> Array:
    found = strings.to_numpy(zero_copy_only=False)
    found[found == ""] = None
    return np.asarray(found)
