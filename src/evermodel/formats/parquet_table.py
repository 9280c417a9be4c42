"""Tables in Parquet."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from evermodel.core.errors import EvermodelError
from evermodel.formats import table_file, typed_values

INDEX = "__index_level_"  # the beginning of a name that pandas gives to row numbers that have none
BUFFER = 1 << 20  # bytes of a column that are read at a time, however large its groups of rows are


def names(name: str, file: Path | IO[bytes]) -> list[str]:
    """The columns of a file; EvermodelError if it is none in Parquet, or two columns have one name."""
    with _opened(name, file) as read:
        found = [column for column in read.schema_arrow.names if not column.startswith(INDEX)]
    table_file.require_distinct(name, found)
    return found


def group_rows(name: str, file: Path | IO[bytes]) -> list[int]:
    """How many rows each of its groups of rows has; EvermodelError as `names` raises it."""
    with _opened(name, file) as read:
        return [read.metadata.row_group(number).num_rows for number in range(read.num_row_groups)]


def pieces(name: str, file: Path | IO[bytes], groups: Sequence[int] | None = None) -> Iterator[pd.DataFrame]:
    """The rows, at most table_file.ROWS at a time, as typed_values has them; the index counts from 0.

    groups: the numbers of the groups of rows that are read, if not all. There is one piece at least. Raises
    EvermodelError as `names` does, and if a column has values that a table can't have.
    """
    columns, start = names(name, file), 0
    with _opened(name, file) as read:
        for batch in read.iter_batches(table_file.most_rows(len(columns)), groups, columns=columns):
            yield _frame(name, pa.table(batch), columns, start)
            start += len(batch)
        if not start:
            yield _frame(name, read.schema_arrow.empty_table(), columns, start)


def _frame(name: str, table: pa.Table, columns: list[str], start: int) -> pd.DataFrame:
    return typed_values.frame(typed_values.plain(name, table.select(columns)), start)


@contextmanager
def _opened(name: str, file: Path | IO[bytes]) -> Iterator[pq.ParquetFile]:
    try:
        with pq.ParquetFile(file, pre_buffer=False, buffer_size=BUFFER) as read:
            yield read
    except (pa.ArrowException, OSError) as error:
        reason = " ".join(str(error).split()).partition(". ")[0]
        raise EvermodelError(f"{name} is not a Parquet table ({reason}); write it anew") from None
