"""Two CSV files of daily prices, one to train with and one of the days that follow."""

import reprlib
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from evermodel.core.data import OF_SERIES, Layout, Raw
from evermodel.core.errors import EvermodelError
from evermodel.formats import raw_files, table_file

DATE = "%m/%d/%Y"
NUMBER = r"\s*[+-]?(\d{1,3}(,\d{3})+|\d+)(\.\d*)?([eE][+-]?\d+)?\s*"


def read(folder: Path, *, train: str, test: str, date: str, columns: Sequence[str]) -> Raw:
    """The days of both files in order of time.

    train, test: the files. date: the column of dates, month/day/year as in 1/31/2017. columns: those of
    numbers that are kept, as float64; thousands may be set apart by commas, as in "1,657,300". The manifest
    has a row per day: split, date (datetime64) and these columns. Raises EvermodelError that names file,
    row and column of a field that is no date or number; if dates repeat or go back, or the test
    does not begin after the training has ended; or if a file is missing, changed or lacks a column.
    """
    files = {"train": train, "test": test}
    parts = {split: _days(raw_files.checked(folder, name), date, columns) for split, name in files.items()}
    end, start = parts["train"]["date"].iloc[-1], parts["test"]["date"].iloc[0]
    if start <= end:
        raise EvermodelError(
            f"{folder / test} begins on {start:%Y-%m-%d}, but {train} ends on {end:%Y-%m-%d}; give later days"
        )
    manifest = pd.concat(parts, names=["split"]).reset_index("split").reset_index(drop=True)
    return Raw("series", manifest, layout=Layout(thousands=","))


def _days(file: Path, date: str, columns: Sequence[str]) -> pd.DataFrame:
    frame, params = table_file.load(file, separator=",", header=True), raw_files.described(file)
    if taken := [name for name in OF_SERIES if name in columns]:
        raise EvermodelError(
            f"{params}: columns names {taken[0]!r}, which the manifest has already; remove it"
        )
    if missing := [name for name in (date, *columns) if name not in frame]:
        raise EvermodelError(
            f"{file} has no column {missing[0]!r}; its columns are {', '.join(map(str, frame))}; "
            f"correct {params}"
        )
    if frame.empty:
        raise EvermodelError(f"{file} has no rows; give one per day")
    numbers = {name: _numbers(file, frame[name]) for name in columns}
    return pd.DataFrame({"date": _dates(file, frame[date]), **numbers})


def _dates(file: Path, column: pd.Series) -> pd.Series:
    dates = pd.to_datetime(column, format=DATE, errors="coerce")
    _refuse(file, column, dates.isna(), "not a date; write month/day/year")
    _refuse(file, column, dates.diff() <= pd.Timedelta(0), "not later than the row before; sort or repair it")
    return dates


def _numbers(file: Path, column: pd.Series) -> pd.Series:
    found = table_file.grouped(column).where(column.str.fullmatch(NUMBER))
    _refuse(file, column, found.isna(), "not a finite number; mend it")
    return found


def _refuse(file: Path, column: pd.Series, wrong: "pd.Series[bool]", fault: str) -> None:
    """Name the first field that is wrong; row 1 is the first after the header."""
    if wrong.any():
        row = int(wrong.to_numpy().argmax())
        value = reprlib.repr(column.iloc[row])
        raise EvermodelError(f"{file}: row {row + 1}, column {column.name} is {value}, {fault}")
