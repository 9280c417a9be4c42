"""One series of numbers, or several, as a table with a column of dates."""

from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Unpack

import pandas as pd

from evermodel.core import fields
from evermodel.core.data import OF_SERIES, SPLITS, Kind, Raw
from evermodel.core.errors import EvermodelError
from evermodel.core.terms import TableOptions
from evermodel.formats import dates as written
from evermodel.formats import raw_files, tables
from evermodel.formats.tables import Table

KIND: Kind = "series"

SPLIT, DATE, SERIES = OF_SERIES
Way = Callable[[pd.Series], pd.Series]


def read(
    folder: Path,
    *,
    date: str,
    key: str | None = None,
    format: str | None = None,
    **options: Unpack[TableOptions],
) -> Raw:
    """The steps of each series in order of time.

    date: the column of dates. key: the column that tells one series from another, if there are several.
    format: how dates are written, as strptime has it; what all of them show if None, where 1/2/2024 is taken
    for January. The others are those of TableOptions. The manifest has a row per step: split, if the source
    declares one, date (datetime64, UTC), series (its key), and all other columns: float64, NaN for a gap,
    where they are numbers, else as they stand there. All of it is held in memory: with what is made of it in
    prepare, a million rows of four numbers take a gigabyte.

    Raises EvermodelError if a column is missing or has a name that the manifest needs, if a date is none or
    stands twice in a series, if the test does not begin after the training has ended, or as tables.read does.
    """
    table = tables.read(folder, **options)
    params = raw_files.described(folder / date)
    _require_columns(folder, params, table.columns, date, key)
    known = [name for name in (date, key) if name]
    others = [name for name in table.columns if name not in known]
    ways = _ways(table, others)
    frame = pd.concat(piece[known] for piece in table.pieces())
    if frame.empty:
        raise EvermodelError(f"{folder} has no rows; give one per step")
    form = written.form_of(frame[date]) if format is None else format
    steps_of = {DATE: written.read(str(folder), frame[date], form)}
    if key:
        steps_of[SERIES] = fields.texts(frame[key])
    values = pd.concat(
        pd.DataFrame({name: ways[name](piece[name]) for name in others}, piece.index)
        for piece in table.pieces()
    )
    manifest = pd.DataFrame(steps_of).join(values).sort_values(list(steps_of)[::-1], kind="stable")
    _require_order(folder, manifest)
    layout = table.layout.model_copy(update={"date": date, "date_format": form, "key": key or ""})
    return Raw(KIND, manifest.reset_index(drop=True), layout=layout)


def _require_columns(folder: Path, params: Path, columns: Sequence[str], date: str, key: str | None) -> None:
    if missing := [name for name in (date, key) if name and name not in columns]:
        raise EvermodelError(
            f"{folder} has no column {missing[0]!r}; its columns are {', '.join(columns)}; correct {params}"
        )
    if taken := [name for name in (DATE, SERIES) if name in columns and name not in (date, key)]:
        raise EvermodelError(
            f"{folder} has a column {taken[0]!r}, as which the "
            f"{'dates' if taken == [DATE] else 'keys'} are kept; rename it in the file"
        )


def _ways(table: Table, names: Sequence[str]) -> dict[str, Way]:
    """How each column is read: as numbers, or booleans, if every field that is no gap is one; or as it is."""
    layout = table.layout
    numbers: tuple[Way, ...] = (
        lambda column: fields.numbers(column, layout.decimal, layout.thousands),
        lambda column: fields.booleans(column, fields.TRUTH),
    )
    ways, filled = {name: list(numbers) for name in names}, set()
    for piece in table.pieces():
        for name in names:
            column, gaps = piece[name], fields.is_gap(piece[name])
            ways[name] = [way for way in ways[name] if (way(column).notna() | gaps).all()]
            filled |= set() if gaps.all() else {name}
    return {name: next(iter(ways[name]), _as_it_is) if name in filled else _as_it_is for name in names}


def _as_it_is(column: pd.Series) -> pd.Series:
    return column


def _require_order(folder: Path, manifest: pd.DataFrame) -> None:
    moments = [column for column in (SERIES, DATE) if column in manifest]
    if (again := manifest.duplicated(moments)).any():
        first = manifest[again].iloc[0]
        of = f" of {first[SERIES]}" if SERIES in manifest else ""
        raise EvermodelError(
            f"{folder} has two rows of {written.told(first[DATE])}{of}; remove one, or name as `key` the "
            "column that tells several series apart"
        )
    if SPLIT not in manifest:
        return
    dates = {split: manifest.loc[manifest[SPLIT] == split, DATE] for split in SPLITS}
    for one, other in pairwise(split for split in SPLITS if len(dates[split])):
        ends, begins = dates[one].max(), dates[other].min()
        if begins <= ends:
            raise EvermodelError(
                f"{folder}: {other} begins on {written.told(begins)}, but {one} ends on "
                f"{written.told(ends)}; give later rows"
            )
