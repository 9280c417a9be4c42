"""Tables in Excel: a sheet of a workbook, whose first row names the columns."""

from collections.abc import Iterator
from contextlib import closing
from itertools import islice
from pathlib import Path
from typing import IO, Any

import pandas as pd
import pyarrow as pa
from openpyxl import load_workbook

from evermodel.core.errors import EvermodelError
from evermodel.formats import table_file, typed_values

Row = tuple[int, list[Any]]  # its number in the sheet, and its cells without the empty ones at the end


def names(name: str, file: Path | IO[bytes], sheet: str | None = None) -> list[str]:
    """What the first row names the columns.

    sheet: its name; without, the first one. Raises EvermodelError if the file is no workbook or has no such
    sheet, or if a column has no name, or that of another.
    """
    _, first = next(_rows(name, file, sheet), (0, []))
    if not first or None in first:
        raise EvermodelError(f"{name}: the first row does not name each column; write their names there")
    found = list(map(str, first))
    table_file.require_distinct(f"{name}: the first row", found)
    return found


def pieces(name: str, file: Path | IO[bytes], sheet: str | None = None) -> Iterator[pd.DataFrame]:
    """The rows, at most table_file.ROWS at a time, as typed_values has them; the index counts from 0.

    There is one piece at least. A formula is what Excel last made of it. Raises EvermodelError as `names`
    does, and if a row has more cells than the first.
    """
    columns, start = names(name, file, sheet), 0
    rows = islice(_rows(name, file, sheet), 1, None)
    while (some := list(islice(rows, table_file.most_rows(len(columns))))) or not start:
        if long := next((row for row in some if len(row[1]) > len(columns)), None):
            raise EvermodelError(
                f"{name}: row {long[0]} has {len(long[1])} cells, but the first row has {len(columns)}; "
                "write a name above each column, or clear the cells beside"
            )
        padded = [cells + [None] * (len(columns) - len(cells)) for _, cells in some]
        values = [[cells[place] for cells in padded] for place in range(len(columns))]
        table = pa.table([*map(typed_values.array, values)], columns)
        yield typed_values.frame(typed_values.plain(name, table), start)
        if not some:
            return
        start += len(some)


def _rows(name: str, file: Path | IO[bytes], sheet: str | None) -> Iterator[Row]:
    """The rows that are not empty."""
    try:
        book = load_workbook(file, read_only=True, data_only=True)
    except Exception as error:  # whatever is wrong in the archive that a workbook is
        raise EvermodelError(f"{name} is no workbook of Excel in .xlsx ({error}); save it anew") from None
    with closing(book):
        titles = [one.title for one in book.worksheets]
        if (wanted := sheet or titles[0]) not in titles:
            raise EvermodelError(f"{name} has no sheet {wanted!r}; the sheets are {', '.join(titles)}")
        cells = book[wanted]
        cells.reset_dimensions()  # of which not every program tells the truth
        for number, row in enumerate(cells.iter_rows(values_only=True), 1):
            filled = [place for place, value in enumerate(row, 1) if value is not None]
            if filled:
                yield number, list(row[: filled[-1]])
