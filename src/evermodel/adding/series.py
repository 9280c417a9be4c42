"""A table of dates and numbers as a series, or as several."""

import numpy as np
import pandas as pd

from evermodel.adding import doubts, recipes, season, tables
from evermodel.adding.entry import Entry, Values
from evermodel.adding.finding import Found
from evermodel.adding.look import Look
from evermodel.core.data import Array
from evermodel.core.errors import EvermodelError
from evermodel.formats import steps
from evermodel.formats import tables as written

WINDOW = 30  # steps that are known, at most two seasons; but always one
PART = 10  # of the shortest series, which a window is at most
SEASONS = 6  # in a series, without which there is none
FEWEST = 2  # steps of a window


def entry(found: Found, look: Look, target: str) -> Entry:
    """What is written of series whose next value is predicted.

    Raises EvermodelError if no column has dates, or dates recur and no column tells several series apart.
    """
    if look.kind(target) not in ("number", "whole"):
        raise EvermodelError(
            f"the target {target} is no number (kind {look.kind(target)}), as forecasting needs"
        )
    date = _date(look)
    key = _key(look, date)
    used = [
        target,
        *(name for name in look.of_kind("number", "whole", "boolean") if name not in (target, key)),
    ]
    dropped = [name for name in look.names if name not in (date, key, *used)]
    every, length, complete = _steps(look, date, key)
    form = look.seen[date].format
    options = {"date": date, **({"key": key} if key else {}), **({"format": form} if form else {})}
    gaps = not complete or any(look.seen[name].gaps for name in used)
    past = _past(look, date, key, target, every) if every else []
    strengths = season.strengths(past, every, length // SEASONS)
    repeats = season.clear(strengths, min(map(len, past), default=0))
    window = max(FEWEST, repeats or 0, min(WINDOW, 2 * (repeats or WINDOW), length // PART))
    new = Entry(
        {
            "source": tables.source(found, "series", options | look.options),
            "target": target,
            **({"drop": dropped} if dropped else {}),
            "window": window,
            **({"season": repeats} if repeats else {}),
            **({"gaps": "forward"} if gaps and every else {}),
            **({} if every else {"step": "rows"}),
            "split": _split(found),
            "expect": _expect(look, used),
        },
        recipes.of_series(),
    )
    new.assumed += [
        f"{look.rows} rows; the next value of {target} is predicted from the last {window} (window; horizon "
        "tells how many are predicted)",
        f"dates: {date}" + (f"; one series for each {key}" if key else ""),
        f"a step is {every}"
        if every
        else "each row is a step, as dates are not equally far apart (step: rows)",
        *_repeating(repeats, strengths),
        *(["gaps and missing steps take the value before (gaps: forward)"] if gaps and every else []),
        f"split: {tables.ruled(new)}",
    ]
    new.doubts += [
        *([f"no numbers, and dropped: {doubts.listed(dropped)}"] if dropped else []),
        *doubts.of_rows(look),
        *doubts.of_columns(look, [date, *used]),
    ]
    return new


def _date(look: Look) -> str:
    if times := look.of_kind("time"):
        return times[0]
    raise EvermodelError(
        f"no column has dates, which forecasting needs; the columns are {', '.join(look.names)}"
    )


def _key(look: Look, date: str) -> str | None:
    """The column that tells series apart, if a date stands there several times."""
    if not look.frame[date].duplicated().any():
        return None
    for name in look.of_kind("category", "whole", "text"):
        recurs = look.frame[name].nunique() <= len(look.frame) / PART
        if recurs and not look.frame[[date, name]].duplicated().any():
            return name
    raise EvermodelError(
        f"dates of {date} stand in several rows, and no column tells several series apart; sum the rows of a "
        "date, or add a column"
    )


def _steps(look: Look, date: str, key: str | None) -> tuple[str, int, bool]:
    """How far apart steps are, "" if unequally, the length of the shortest series, and if all are there."""
    moments = pd.DataFrame(
        {"series": "" if key is None else look.frame[key], "date": _moments(look.frame[date])}
    ).sort_values(["series", "date"])
    every = steps.step(moments["date"].to_numpy(), moments["series"].to_numpy(dtype=object))
    of_each = [part["date"].to_numpy() for _, part in moments.groupby("series")]
    shortest = min(map(len, of_each))
    if not every:
        return "", shortest, True
    places = [steps.numbers(one, every) for one in of_each]
    if any((one % 1 != 0).any() or (np.diff(one) == 0).any() for one in places):
        return "", shortest, True
    return every, shortest, all(one[-1] == len(one) - 1 for one in places)


def _past(look: Look, date: str, key: str | None, target: str, every: str) -> list[Array]:
    """The target at each step of each series before the test rows, NaN where there is none."""
    moments = pd.Series(_moments(look.frame[date]), look.frame.index)
    if written.SPLIT in look.raw:
        test = moments[look.raw[written.SPLIT] == "test"].min()
    else:
        different = np.unique(moments)
        test = different[int(len(different) * (1 - tables.SPLIT["test"]))]
    table = look.frame.assign(**{date: moments})[moments < test].sort_values(date)
    found = []
    for _, one in table.groupby(key) if key else [("", table)]:
        places = steps.numbers(one[date].to_numpy(), every).astype(int)
        values = np.full(places[-1] + 1, np.nan)
        values[places] = one[target]
        found.append(values)
    return found


def _repeating(repeats: int | None, strengths: dict[int, float]) -> list[str]:
    if repeats:
        return [
            f"it repeats itself after {repeats} steps (season): before the test rows each step is like the "
            f"one so many before (correlation {strengths[repeats]:.2f} without the trend)"
        ]
    told = doubts.listed(f"{steps} steps ({strength:z.2f})" for steps, strength in strengths.items())
    return [f"it does not clearly repeat itself after {told}, so there is no season"] if told else []


def _moments(seconds: pd.Series) -> Array:
    return np.asarray((seconds.to_numpy() * 1e6).astype("datetime64[us]"))


def _split(found: Found) -> Values:
    shares = {"validation": tables.SPLIT["validation"]}
    return {
        "method": "time",
        **({} if "splits" in found.options else {"test": tables.SPLIT["test"]}),
        **shares,
    }


def _expect(look: Look, used: list[str]) -> Values:
    rules = tables.expect(look, [], used)
    return {key: rules[key] for key in ("min_rows", "ranges") if key in rules}
