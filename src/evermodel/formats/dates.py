"""How dates and times are written, told by what is written."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd

from evermodel.core import fields
from evermodel.core.errors import EvermodelError

DATES = ("%m/%d/%Y", "%d/%m/%Y", "%d.%m.%Y", "%Y/%m/%d", "%Y.%m.%d", "%d-%m-%Y", "%m-%d-%Y")
NAMED = ("%d %b %Y", "%d-%b-%Y", "%b %d, %Y", "%d %B %Y", "%B %d, %Y")
CLOCKS = ("", " %H:%M", " %H:%M:%S", " %I:%M %p", " %I:%M:%S %p")
# ISO 8601 first, which pandas knows whole; of 1/2/2024 nobody can tell which is the month, so the months of
# the United States come first, and who adds such a table is told.
FORMATS = ("", *(date + clock for date in (*DATES, *NAMED) for clock in CLOCKS))


def fitting(values: pd.Series, forms: Sequence[str] = FORMATS) -> list[str]:
    """Those of the forms that all values are written in; none of them may be a gap."""
    few = [form for form in forms if _may_be(values.iloc[0], form)]
    return [form for form in few if fields.times(values, form).notna().all()]


def form_of(values: pd.Series) -> str:
    """How all dates of a column are written, or else the first one, so that another is told by its row."""
    texts = _spelled(values)
    return next(iter([*fitting(texts), *fitting(texts.iloc[:1])]), "")


def read(where: str, column: pd.Series, form: str) -> pd.Series:
    """A column of dates as datetime64, of UTC but without a zone; EvermodelError for what is none.

    form: how they are written, as strptime has it; ISO 8601 if empty. The index counts rows, from 0.
    """
    seconds = fields.times(_spelled(column), form)
    if (wrong := seconds.isna()).any():
        row = int(wrong.to_numpy().argmax())
        raise EvermodelError(
            f"{where}: row {column.index[row] + 1}, column {column.name} is {column.iloc[row]!r}, not a date "
            f"like {form or '2024-12-31 23:59:59'}; mend it"
        )
    return pd.to_datetime((seconds * 1e6).round().astype(np.int64), unit="us")


def told(date: pd.Timestamp) -> str:
    """A date as people write it: without a time at midnight."""
    return f"{date:%Y-%m-%d}" if date == date.normalize() else f"{date:%Y-%m-%d %H:%M:%S}"


def _spelled(column: pd.Series) -> pd.Series:
    """Years, or days as 20241231, which are numbers to many programs, as text."""
    return column.astype(str) if column.dtype.kind in "iu" else column


def _may_be(value: Any, form: str) -> bool:
    """Whether a value may be a time of that form, found out sooner than by reading a column."""
    if not form or not isinstance(value, str):
        return not form
    try:
        datetime.strptime(value, form)
    except ValueError:
        return False
    return True
