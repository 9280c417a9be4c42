"""The steps of series: how far apart they are, which are missing, and what stands in for them."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from evermodel.core import fields
from evermodel.core.data import Array, Spec
from evermodel.core.errors import EvermodelError
from evermodel.formats import dates

UNITS = {
    "year": "Y",
    "month": "M",
    "day": "D",
    "hour": "h",
    "minute": "m",
    "second": "s",
    "microsecond": "us",
}
CALENDAR = ("Y", "M")  # units that are not always as long
SHORTEST_MONTH = np.timedelta64(28, "D")


def step(moments: Array, series: Array) -> str:
    """How far apart the steps of series are, most often, as "15 minutes" or "1 month"; "" of single steps.

    moments: (n,) datetime64, in order within each series. series: (n,), which one each is of.
    """
    moments, within = moments.astype("datetime64[us]"), series[1:] == series[:-1]
    if not within.any():
        return ""
    usual = _most_frequent(np.diff(moments)[within])
    if usual >= SHORTEST_MONTH and _by_the_calendar(moments):
        months = _most_frequent(np.diff(moments.astype("datetime64[M]"))[within]).astype(int)
        count, unit = (months // 12, "year") if months % 12 == 0 else (months, "month")
    else:
        lengths = {
            unit: np.array(1, f"timedelta64[{code}]") for unit, code in UNITS.items() if code not in CALENDAR
        }
        unit = next(unit for unit, length in lengths.items() if usual % length == np.timedelta64(0, "us"))
        count = usual // lengths[unit]
    return f"{count} {unit}{'s' if count > 1 else ''}"


def numbers(moments: Array, every: str) -> Array:
    """How many steps each of the moments (n,) is after the first, float64: a whole number, or between two."""
    count, code = _parsed(every)
    moments = moments.astype(f"datetime64[{code if code in CALENDAR else 'us'}]")
    return np.asarray((moments - moments[0]) / np.array(count, f"timedelta64[{code}]"))


def complete(where: str, series: pd.DataFrame, every: str) -> pd.DataFrame:
    """A series with a row of NaN for each step that is missing; its index are the dates, in order.

    Raises EvermodelError that begins with `where` for a date that is between two steps.
    """
    places = numbers(series.index.to_numpy(), every)
    if (between := (places % 1 != 0) | (np.diff(places, prepend=-1) == 0)).any():
        raise EvermodelError(
            f"{where} has a row of {dates.told(series.index[between][0])}, which comes between two steps of "
            f"{every}; repair it, or say `step: rows` in params.yaml if rows come when they like"
        )
    missing = np.setdiff1d(np.arange(places[-1]), places)
    before = np.searchsorted(places, missing) - 1
    count, code = _parsed(every)
    passed = ((missing - places[before]) * count).astype(f"timedelta64[{code}]")
    known = series.index.to_numpy()[before]
    # Of a month or a year, its first day is near enough.
    new = (known.astype(f"datetime64[{code}]") if code in CALENDAR else known) + passed
    return series.reindex(series.index.union(pd.DatetimeIndex(new.astype("datetime64[us]"))))


def filled(series: pd.DataFrame, gaps: str) -> pd.DataFrame:
    """A series with what stands in for its gaps; those before its first value stay, and the same at its end
    where a value is taken from between two.
    """
    match gaps:
        case "forward":
            return series.ffill()
        case "interpolate":
            return series.reset_index(drop=True).interpolate(limit_area="inside").set_axis(series.index)
        case _:
            return series


def windows(where: str, table: pd.DataFrame, spec: Spec) -> tuple[list[str], Array]:
    """The keys of the series in a table, and the last steps of each, (n, steps, columns) float64.

    table: the spec's columns as numbers, NaN for a gap, and the layout's columns of dates and keys as they
    stand there. Without dates, rows are steps in order of time; without keys, they are of one series, "".
    Raises EvermodelError that begins with `where` for what is no date, dates that repeat, or a series that is
    too short or has a gap there that nothing stands in for.
    """
    found = {key: _window(where, one, spec) for key, one in _series(where, table, spec)}
    return list(found), np.stack(list(found.values()))


def _series(where: str, table: pd.DataFrame, spec: Spec) -> Iterator[tuple[str, pd.DataFrame]]:
    """The key of each series and its columns, in order of time."""
    key, date = spec.layout.key, spec.layout.date
    parts = fields.texts(table[key]).groupby(fields.texts(table[key]), sort=False) if key in table else None
    rows = {"": table.index} if parts is None else {str(name): part.index for name, part in parts}
    for name, index in rows.items():
        one = table.loc[index, list(spec.names)]
        if date in table:
            when = dates.read(where, table.loc[index, date], spec.layout.date_format)
            one = one.set_axis(pd.DatetimeIndex(when)).sort_index()
            if (again := one.index.duplicated()).any():
                raise EvermodelError(f"{where} has two rows of {dates.told(one.index[again][0])}; remove one")
            one = complete(where, one, spec.step) if spec.step else one
        yield name, one


def _window(where: str, series: pd.DataFrame, spec: Spec) -> Array:
    steps = spec.input_shape[0]
    if len(series) < steps:
        raise EvermodelError(f"{where} has {len(series)} rows; the {steps} last steps are needed")
    last = filled(series, spec.gaps).iloc[-steps:]
    if (empty := last.isna().to_numpy()).any():
        row, column = np.argwhere(empty)[0]
        at = f" at {dates.told(last.index[row])}" if isinstance(last.index, pd.DatetimeIndex) else ""
        raise EvermodelError(
            f"{where} has no value of {last.columns[column]}{at}, {steps - row} steps before what is "
            "predicted; give one"
        )
    return last.to_numpy(np.float64)


def _parsed(every: str) -> tuple[int, str]:
    """How many of which of NumPy's units."""
    count, unit = every.split()
    return int(count), UNITS[unit.removesuffix("s")]


def _most_frequent(values: Array) -> np.timedelta64:
    """The smallest of them, if there are several."""
    different, counts = np.unique(values, return_counts=True)
    found: np.timedelta64 = different[counts.argmax()]
    return found


def _by_the_calendar(moments: Array) -> bool:
    """Whether all dates are of the same day of a month, or of its last one, at the same time."""
    start = moments.astype("datetime64[M]")
    next_month = (start + 1).astype(moments.dtype)
    return any(len(np.unique(passed)) == 1 for passed in (moments - start, next_month - moments))
