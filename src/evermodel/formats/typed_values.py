"""Values of a file that has types, as one of those that the columns of a table have."""

from collections.abc import Sequence

import pandas as pd
import pyarrow as pa

from evermodel.core.errors import EvermodelError

KNOWN = (
    *(pa.types.is_boolean, pa.types.is_integer, pa.types.is_floating, pa.types.is_timestamp),
    *(pa.types.is_string, pa.types.is_large_string, pa.types.is_null),
)


def array(values: Sequence[object]) -> pa.Array:
    """Values of Python as Arrow has them; as texts if they are of several types."""
    try:
        return pa.array(values)
    except (pa.ArrowException, OverflowError):
        return pa.array([None if value is None else str(value) for value in values], pa.string())


def plain(name: str, table: pa.Table) -> pa.Table:
    """Columns of numbers, booleans, texts, and times without a zone, in UTC.

    name: of the file, for errors. Raises EvermodelError that names a column of another type, such as lists.
    """
    columns = [_plain(table[column].combine_chunks()) for column in table.column_names]
    for column, values in zip(table.column_names, columns, strict=True):
        if not any(is_of(values.type) for is_of in KNOWN):
            raise EvermodelError(
                f"{name}: column {column} holds values of type {values.type}, which a table can't have; "
                "write them as numbers, texts or times, or leave the column out"
            )
    return pa.table(columns, table.column_names)


def frame(table: pa.Table, start: int) -> pd.DataFrame:
    """A plain table with rows that count from `start`.

    A gap is None, NaN or NaT. Whole numbers and booleans are objects where there are gaps among them, so that
    no 1 becomes 1.0.
    """
    found: pd.DataFrame = table.to_pandas(integer_object_nulls=True, ignore_metadata=True)
    return found.set_axis(pd.RangeIndex(start, start + len(found)))


def _plain(values: pa.Array) -> pa.Array:
    kind = values.type
    if pa.types.is_dictionary(kind):
        return _plain(values.dictionary_decode())
    if pa.types.is_timestamp(kind):
        return values.cast(pa.timestamp(kind.unit))  # which is the same moment in UTC
    if pa.types.is_date(kind):
        return values.cast(pa.timestamp("s"))
    if pa.types.is_decimal(kind):
        return values.cast(pa.float64())
    if pa.types.is_time(kind) or kind == pa.string_view():
        return values.cast(pa.string())
    if kind == pa.uuid():
        return pa.array(list(map(str, values.to_pylist())), pa.string())
    return values
