"""A table in parts that workers read, each by our own readers."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import groupby

from evermodel.core.data import Raw
from evermodel.formats.tables import Part, Table
from evermodel.spark.session import Cluster

ROWS = 4 * 65_536  # of a part, if it is made of smaller ones


def in_parts(raw: Raw, cluster: Cluster) -> list[Raw]:
    """The rows of a table, in order: Parquet's groups of rows, or files, together up to ROWS.

    How it is parted depends on nothing but the files.
    """
    assert raw.table is not None, "engine: spark goes with a reader of tables"
    here = replace(raw.table, parts=tuple(replace(one, path=one.path.absolute()) for one in raw.table.parts))
    smallest = here.apart()
    counts = cluster.map(Table.count, smallest)
    return [
        replace(raw, table=one, pieces=one.pieces) for one in _together(zip(smallest, counts, strict=True))
    ]


def _together(counted: Iterator[tuple[Table, int]]) -> Iterator[Table]:
    """Neighbours as one table each, numbered."""
    some: list[Table] = []
    start = rows = 0
    for table, count in counted:
        if some and rows + count > ROWS:
            yield _one(some, start)
            some, start, rows = [], start + rows, 0
        some.append(table)
        rows += count
    yield _one(some, start)


def _one(some: Sequence[Table], start: int) -> Table:
    """Several tables as one, in which groups of rows of one file stand together again."""
    parts = [part for one in some for part in one.parts]
    files = groupby(parts, lambda part: replace(part, groups=None))
    return replace(some[0], parts=tuple(_joined(file, list(of_file)) for file, of_file in files), start=start)


def _joined(file: Part, parts: list[Part]) -> Part:
    groups = tuple(number for part in parts for number in part.groups or ())
    return replace(file, groups=groups or None)
