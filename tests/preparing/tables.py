"""Tables in memory, given in pieces as a reader gives them."""

import pandas as pd

from evermodel.core.data import CSV, Layout, Raw

ROWS = 7  # of a piece, so that few rows are several


def in_pieces(frame: pd.DataFrame, rows: int = ROWS, layout: Layout = CSV) -> Raw:
    """A table that is read some rows at a time, again and again."""

    def pieces():
        for start in range(0, max(len(frame), 1), rows):
            piece = frame.iloc[start : start + rows]
            yield piece.set_axis(pd.RangeIndex(start, start + len(piece)))

    return Raw("table", pd.DataFrame(), pieces=pieces, layout=layout)


def csv(**columns: list[str]) -> pd.DataFrame:
    """Columns of texts, as a file has them."""
    return pd.DataFrame(columns, dtype="str")
