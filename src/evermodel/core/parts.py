"""The rows of a very large table in Parquet files, of which one row group at a time is in memory."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from evermodel.core.columns import Column
from evermodel.core.errors import EvermodelError
from evermodel.core.fields import TEXTS
from evermodel.core.rows import Array, Rows

GROUP = 65_536  # rows of a row group
GROUPS = 16  # of a file
FEATURE = "x_"  # before the name of a column, so that no answer has the same
ANSWERS = {"class": np.int64, "number": np.float64, "y": np.float64, "group": np.int64, "weight": np.float64}
# Nothing but the rows and the version of Arrow is in the bytes. Without dictionaries a row group is in memory
# as large as its file says.
FORMAT: dict[str, Any] = {
    "version": "2.6",
    "compression": "zstd",
    "compression_level": 3,
    "use_dictionary": False,
    "write_statistics": False,
    "store_schema": False,
}


class Writer:
    """Rows that are written in pieces into a folder, as Parquet files of up to GROUPS row groups.

    answers: the arrays beside the examples, by the names in ANSWERS, each with the shape of one row. first:
    the number of the first file. The same rows give the same bytes, in whatever pieces they come.
    """

    def __init__(
        self, folder: Path, columns: Sequence[Column], answers: Mapping[str, tuple[int, ...]], first: int = 0
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self.columns, self.number = folder, columns, first
        self.answers = [name for name in ANSWERS if name in answers]
        fields = [(FEATURE + one.name, _kind(one)) for one in columns]
        for name in self.answers:
            columns_of_it = [f"{name}{place}" for place in range(*answers[name])] if answers[name] else [name]
            fields += [(one, pa.from_numpy_dtype(ANSWERS[name])) for one in columns_of_it]
        self.schema = pa.schema([pa.field(name, kind, nullable=False) for name, kind in fields])
        self.waiting, self.groups = self.schema.empty_table(), 0
        self.file = self._file()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def write(self, rows: Rows, answers: Mapping[str, Array]) -> None:
        """Append some rows with their answers, (n,) each, and "y" (n, k)."""
        numbers = iter(np.asarray(rows.numbers).T)
        columns = [rows.texts[one.name] if one.kind in TEXTS else next(numbers) for one in self.columns]
        for name in self.answers:
            columns += list(np.atleast_2d(answers[name].T))
        arrays = [pa.array(one, field.type) for one, field in zip(columns, self.schema, strict=True)]
        self.waiting = pa.concat_tables([self.waiting, pa.Table.from_arrays(arrays, schema=self.schema)])
        while len(self.waiting) >= GROUP:
            self._write(self.waiting[:GROUP])
            self.waiting = self.waiting[GROUP:]

    def close(self) -> None:
        """Write what is left."""
        if len(self.waiting):
            self._write(self.waiting)
        self.file.close()

    def _write(self, table: pa.Table) -> None:
        if self.groups == GROUPS:
            self.file.close()
            self.number, self.groups = self.number + 1, 0
            self.file = self._file()
        self.file.write_table(table.combine_chunks(), GROUP)
        self.groups += 1

    def _file(self) -> pq.ParquetWriter:
        return pq.ParquetWriter(self.folder / f"part-{self.number:05d}.parquet", self.schema, **FORMAT)


class Taken(NamedTuple):
    """Some rows in memory: their examples and their answers, (n,) each, and "y" (n, k)."""

    x: Rows
    answers: dict[str, Array]


class Parts:
    """All Parquet files of a split.

    sizes: the rows of each row group, in the order of the files; starts: which is the first row of each.
    bytes: what the largest takes in memory. answers: the columns of each answer that there is. Raises
    EvermodelError if a file can't be read.
    """

    def __init__(self, folder: Path, columns: Sequence[Column]) -> None:
        self.columns = columns
        self.files = sorted(folder.glob("part-*.parquet"))
        self.places: list[tuple[Path, int]] = []
        self.answers: dict[str, list[str]] = {}
        sizes, self.bytes = list[int](), 1
        for file in self.files:
            with _opened(file) as read:
                known = read.metadata
            beside = known.schema.names[len(columns) :]
            self.answers = {name: found for name in ANSWERS if (found := _columns_of(name, beside))}
            for place in range(known.num_row_groups):
                self.places.append((file, place))
                sizes.append(known.row_group(place).num_rows)
                self.bytes = max(self.bytes, known.row_group(place).total_byte_size)
        self.sizes = np.array(sizes, np.int64)
        self.starts = np.cumsum(self.sizes) - self.sizes
        self._group = lru_cache(1)(self._read)  # rows are mostly asked for one after the other

    def __len__(self) -> int:
        return int(self.sizes.sum())

    def take(self, rows: Any) -> Taken:
        """The rows of a slice, of an array of row numbers, or where an array of booleans is true."""
        wanted = _numbers(rows, len(self))
        texts = {one.name: [pa.array([], pa.large_string())] for one in self.columns if one.kind in TEXTS}
        numbers = np.empty((len(wanted), len(self.columns) - len(texts)))
        answers = {
            name: np.empty((len(wanted), *([len(columns)] if name == "y" else [])), ANSWERS[name])
            for name, columns in self.answers.items()
        }
        order = [np.empty(0, np.int64)]
        for number, here in self._by_group(wanted):
            group, local = self._group(number), wanted[here] - self.starts[number]
            numbers[here] = group.x.numbers[local]
            for name, values in group.answers.items():
                answers[name][here] = values[local]
            for name, found in texts.items():
                found.append(group.x.texts[name].take(pa.array(local)))
            order.append(here)
        places = np.concatenate(order)
        strings = {name: pa.concat_arrays(found) for name, found in texts.items()}
        if (np.diff(places) < 0).any():
            back = pa.array(np.argsort(places))
            strings = {name: found.take(back) for name, found in strings.items()}
        return Taken(Rows(self.names, numbers, strings), answers)

    def answer(self, name: str) -> Array | None:
        """An answer of all rows, which are in memory then; None without one of that name."""
        if name not in self.answers:
            return None
        parts = []
        for file in self.files:
            with _opened(file) as read:
                parts.append(_array(name, read.read(self.answers[name])))
        return np.concatenate(parts)

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the columns."""
        return tuple(one.name for one in self.columns)

    def _by_group(self, rows: Array) -> Iterator[tuple[int, Array]]:
        """The row groups that rows are in, in the order of their first ones, and which of them each has."""
        groups = np.searchsorted(self.starts, rows, side="right") - 1
        order = np.argsort(groups, kind="stable")
        parts = np.split(order, np.flatnonzero(np.diff(groups[order])) + 1) if len(rows) else []
        yield from sorted(((int(groups[one[0]]), one) for one in parts), key=lambda found: int(found[1][0]))

    def _read(self, number: int) -> Taken:
        file, place = self.places[number]
        with _opened(file) as read:
            table = read.read_row_group(place)
        columns = list(zip(self.columns, table.columns, strict=False))  # and then the answers
        numbers = [values.to_numpy() for one, values in columns if one.kind not in TEXTS]
        texts = {
            one.name: values.cast(pa.large_string()).combine_chunks()
            for one, values in columns
            if one.kind in TEXTS
        }
        x = np.stack(numbers, axis=1) if numbers else np.empty((len(table), 0))
        answers = {name: _array(name, table.select(found)) for name, found in self.answers.items()}
        return Taken(Rows(self.names, x, texts), answers)


class StoredRows(Rows):
    """The rows of a table in Parquet files, read when they are asked for."""

    parts: Parts

    def __init__(self, parts: Parts) -> None:
        object.__setattr__(self, "parts", parts)

    def __len__(self) -> int:
        return len(self.parts)

    def __getitem__(self, rows: Any) -> Rows:
        return self.parts.take(rows).x

    @property
    def names(self) -> tuple[str, ...]:
        """Of the columns, in order."""
        return self.parts.names

    @property
    def numbers(self) -> Array:
        """Those of all rows, in memory."""
        return self[:].numbers

    @property
    def texts(self) -> Mapping[str, pa.LargeStringArray]:
        """Those of all rows, in memory."""
        return self[:].texts

    def frame(self) -> pd.DataFrame:
        """All rows as a table, in memory."""
        return self[:].frame()


def _kind(column: Column) -> pa.DataType:
    return pa.large_string() if column.kind in TEXTS else pa.float64()


def _columns_of(name: str, columns: Sequence[str]) -> list[str]:
    """Those of an answer: y0, y1 … of "y", of all others the one of its name."""
    return [one for one in columns if (one.rstrip("0123456789") if name == "y" else one) == name]


def _array(name: str, answer: pa.Table) -> Array:
    found = np.stack([column.to_numpy() for column in answer.columns], axis=1)
    return found if name == "y" else found[:, 0]


def _numbers(rows: Any, count: int) -> Array:
    if isinstance(rows, slice):
        return np.arange(*rows.indices(count))
    return np.flatnonzero(rows) if np.asarray(rows).dtype == bool else np.asarray(rows)


@contextmanager
def _opened(file: Path) -> Iterator[pq.ParquetFile]:
    try:
        with pq.ParquetFile(file) as read:
            yield read
    except (pa.ArrowException, OSError) as error:
        reason = " ".join(str(error).split()).partition(". ")[0]
        raise EvermodelError(f"{file} can't be read ({reason}); `dvc repro --force` makes it anew") from None
