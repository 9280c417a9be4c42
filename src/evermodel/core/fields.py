"""What the fields of a table mean: from values as a source has them to typed ones.

The package of a version carries a copy of this file, by which MLflow reads what it is asked. So it imports
nothing of ours.
"""

import re
import reprlib
from collections.abc import Callable, Iterable
from typing import Any, Protocol

import numpy as np
import pandas as pd

# What people and programs write where there is nothing: the words that pandas knows, and UCI's question mark.
GAPS = frozenset(
    ["", "?", "<NA>", "N/A", "NA", "NULL", "NaN", "None", "n/a", "nan", "null", "#N/A", "#N/A N/A", "#NA"]
)
TRUTH = {"true": 1.0, "false": 0.0}  # what only booleans look like
BOOLEAN = TRUTH | {"yes": 1.0, "no": 0.0, "y": 1.0, "n": 0.0, "t": 1.0, "f": 0.0, "1": 1.0, "0": 0.0}
TEXTS = ("category", "text")  # the kinds that stay what is written there
ISO = "ISO8601"
REFUSED = {
    "number": "no finite number",
    "whole": "no finite number",
    "boolean": "neither true nor false",
    "time": "no date or time of the form {}",
}


class Column(Protocol):
    """What has to be known of a column; format: of dates, as strptime has it."""

    @property
    def name(self) -> str: ...  # noqa: D102
    @property
    def kind(self) -> str: ...  # noqa: D102
    @property
    def gaps(self) -> str: ...  # noqa: D102
    @property
    def format(self) -> str: ...  # noqa: D102


class FieldError(ValueError):
    """A field that can't be read: its row, from 0, its column, and what is wrong with it."""

    def __init__(self, row: int, column: str, wrong: str) -> None:
        super().__init__(f"row {row + 1}, column {column} {wrong}")
        self.row, self.column, self.wrong = row, column, wrong


def typed(
    frame: pd.DataFrame, columns: Iterable[Column], *, decimal: str = ".", thousands: str = ""
) -> pd.DataFrame:
    """The columns, in their order, as a model takes them; the frame's other columns are left out.

    number, whole and boolean: float64, NaN for a gap; time: float64 seconds since 1970-01-01 UTC; category
    and text: objects, str or None for a gap. decimal, thousands: how numbers are written where they are text.
    Raises KeyError for a column that is not there, and FieldError for a field of another kind, or a gap
    where there may be none.
    """
    found = {column.name: _required(frame[column.name], column, decimal, thousands) for column in columns}
    return pd.DataFrame(found, index=frame.index)


def read(values: pd.Series, column: Column, *, decimal: str = ".", thousands: str = "") -> pd.Series:
    """One column as `typed` has it, with a gap also where a field is of another kind."""
    match column.kind:
        case "text":
            return _known(texts(values), values)
        case "category":
            return _each(
                lambda fields: _known(texts(fields).astype("str").str.strip(), fields), values, object
            )
        case "boolean":
            return booleans(values)
        case "time":
            return times(values, column.format)
        case _:
            return numbers(values, decimal, thousands)


def is_gap(values: pd.Series) -> "pd.Series[bool]":
    """Where a column has nothing, or one of the words for it."""
    empty = values.isna()
    if values.dtype.kind in "biufM":
        return empty
    if (written := _written(values)) is not None:
        return empty | written.str.strip().isin(GAPS)
    return empty | values.astype(object).map(lambda value: isinstance(value, str) and value.strip() in GAPS)


def numbers(values: pd.Series, decimal: str = ".", thousands: str = "") -> pd.Series:
    """Numbers, and texts of numbers in decimal notation, as float64; all else is NaN.

    White space around them does not matter. What some read as a number is none: "inf", "nan", "1e999",
    "0x10", "1_000", and a text with thousands set apart otherwise than in threes.
    """
    if values.dtype.kind in "biuf":
        found = values.astype(np.float64)
        return found.where(np.isfinite(found))

    def read(fields: pd.Series) -> pd.Series:
        if thousands or decimal != ".":
            fields = fields.map(_plain(decimal, thousands))
        try:
            found = pd.to_numeric(fields, errors="coerce").astype(np.float64)
        except OverflowError:  # of a whole number that is larger than all float64
            found = pd.to_numeric(fields.map(str), errors="coerce").astype(np.float64)
        return found.where(np.isfinite(found))

    return _each(read, values)


def booleans(values: pd.Series, words: dict[str, float] = BOOLEAN) -> pd.Series:
    """Booleans, and the words for them, as float64; all else is NaN."""
    if values.dtype.kind == "b":
        return values.astype(np.float64)
    if values.dtype.kind in "iuf":
        known = [number for number in (0, 1) if str(number) in words]
        return values.astype(np.float64).where(values.isin(known))
    return _each(
        lambda fields: fields.map(lambda value: words.get(_text(value).strip().lower(), np.nan)), values
    ).astype(np.float64)


def times(values: pd.Series, form: str = "") -> pd.Series:
    """Dates and times as seconds since 1970-01-01 UTC, float64; what is none is NaN.

    form: how they are written where they are text, as strptime has it; ISO 8601 if empty. A time without a
    zone is one of UTC.
    """
    if values.dtype.kind in "biuf":  # of numbers, pandas would make nanoseconds
        return pd.Series(np.nan, values.index)
    if values.dtype.kind == "M":
        return _seconds(values)

    def read(fields: pd.Series) -> pd.Series:
        # Of numbers, pandas would make nanoseconds, and of some words the time at which it reads them.
        fields = fields.map(
            lambda value: None if isinstance(value, int | float) or value in ("now", "today") else value
        )
        return _seconds(pd.to_datetime(fields, format=form or ISO, errors="coerce", utc=True))

    return _each(read, values)


def texts(values: pd.Series) -> pd.Series:
    """What is written there, as objects: a whole number without a point, as a gap among them gives it one."""
    if _written(values) is not None:
        return values.astype(object)
    if values.dtype.kind in "iu":
        return pd.Series([*map(str, values)], values.index, object)
    if values.dtype.kind in "bfM":
        codes, different = pd.factorize(values, use_na_sentinel=False)
        return pd.Series(np.array([*map(_text, different)], object)[codes], values.index, object)
    return values.astype(object).map(_text)


def _written(values: pd.Series) -> "pd.Series[str] | None":
    """A column as pandas' own texts, which are read at once; None if not all are texts."""
    if isinstance(values.dtype, pd.StringDtype):
        return values
    if values.dtype == object and pd.api.types.infer_dtype(values, skipna=True) == "string":
        return values.astype("str")
    return None


def _each(
    read: Callable[[pd.Series], pd.Series], values: pd.Series, kind: type[float] | type[object] = float
) -> pd.Series:
    """What is read of the fields, as objects; of texts each different one is read once."""
    if (written := _written(values)) is None:
        return read(values.astype(object))
    codes, different = pd.factorize(written)
    found = read(pd.Series(different, dtype=object)).to_numpy(kind)
    gap = np.array([None], kind)
    return pd.Series(np.concatenate([found, gap])[codes], values.index, kind)  # the last one is that of -1


def _known(found: pd.Series, values: pd.Series) -> pd.Series:
    """What was read of the fields, as objects, with None for a gap."""
    written = found.to_numpy(object, copy=True)
    written[is_gap(values)] = None
    return pd.Series(written, values.index, object)


def _seconds(moments: pd.Series) -> pd.Series:
    if isinstance(moments.dtype, pd.DatetimeTZDtype):
        moments = moments.dt.tz_convert(None)
    moments = moments.astype("datetime64[us]")
    seconds: pd.Series = moments.astype(np.int64) / 1e6
    return seconds.where(moments.notna())


def _required(values: pd.Series, column: Column, decimal: str, thousands: str) -> pd.Series:
    found = read(values, column, decimal=decimal, thousands=thousands)
    if not (missing := found.isna()).any():
        return found
    gaps = is_gap(values)
    if column.gaps == "refuse" and gaps.any():
        raise FieldError(_first(gaps), column.name, f"is empty ({reprlib.repr(_at(values, gaps))})")
    if (wrong := missing & ~gaps).any():
        why = REFUSED[column.kind].format(column.format or "2024-12-31 23:59:59")
        raise FieldError(_first(wrong), column.name, f"is {reprlib.repr(_at(values, wrong))}, {why}")
    return found


def _plain(decimal: str, thousands: str) -> Callable[[Any], Any]:
    """From a text of a number as some write it to how a program does; other texts become none of a number."""
    apart = f"(?:{re.escape(thousands)}\\d{{3}})+" if thousands else "(?!)"
    form = re.compile(rf"\s*([+-]?(?:\d{{1,3}}{apart}|\d*))(?:{re.escape(decimal)}(\d*))?([eE][+-]?\d+)?\s*")

    def plain(value: Any) -> Any:
        if not isinstance(value, str):
            return value
        if not (found := form.fullmatch(value)):
            return None
        whole = found[1].replace(thousands, "") if thousands else found[1]
        return whole + ("" if found[2] is None else f".{found[2]}") + (found[3] or "")

    return plain


def _text(value: Any) -> str:
    if isinstance(value, float | np.floating) and np.isfinite(value) and float(value).is_integer():
        return str(int(value))
    return str(value)


def _first(wrong: "pd.Series[bool]") -> int:
    return int(wrong.to_numpy().argmax())


def _at(values: pd.Series, wrong: "pd.Series[bool]") -> Any:
    return values.astype(object).iloc[_first(wrong)]
