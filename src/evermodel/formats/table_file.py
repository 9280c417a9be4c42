"""Text files with one row a line, and what counts as a number in a table from anywhere."""

import csv
import io
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import chain, islice
from pathlib import Path
from typing import IO

import numpy as np
import pandas as pd

from evermodel.core.errors import EvermodelError

ROWS = 65_536  # that are read at a time
WHITE_SPACE = r"\s+"
TRUTH = {"True": 1.0, "true": 1.0, "TRUE": 1.0, "False": 0.0, "false": 0.0, "FALSE": 0.0}
GROUPED = re.compile(r"\s*[+-]?\d{1,3}(,\d{3})+(\.\d*)?([eE][+-]?\d+)?\s*")
NO_TEXT = re.compile("[\0\udc80-\udcff]")  # as bytes that are no UTF-8 are read with "surrogateescape"


def load(file: Path, *, separator: str, header: bool) -> pd.DataFrame:
    """A text file as `pieces` reads it, all at once."""
    with file.open("rb") as stream:
        return pd.concat(pieces(str(file), stream, separator=separator, header=header))


def pieces(
    name: str, stream: IO[bytes], *, separator: str = ",", header: bool = True
) -> Iterator[pd.DataFrame]:
    r"""A text file, ROWS rows at a time: columns of texts, exactly as they stand there; one piece at least.

    name: of the file, for errors. separator: a character, or \s+ for any number of spaces and tabs. header:
    whether the first line names the columns; without, they are named by their places from "0". Quotes are
    read as RFC 4180 has them. Lines end as in any system; empty ones are left out. The index counts from 0.

    Raises EvermodelError that names the line if that has more or fewer fields than the first, is no text in
    UTF-8 or is wrongly quoted; and if the file is empty, or a name stands twice in its header.
    """
    # "utf-8-sig", since Excel begins with a mark that would become part of the first name.
    rows = _rows(name, io.TextIOWrapper(stream, "utf-8-sig", "surrogateescape", newline=""), separator)
    if (first := next(rows, None)) is None:
        raise EvermodelError(f"{name} is empty; give a table with one row a line")
    if header:
        require_distinct(f"{name}: the first line", first)
    columns = first if header else list(map(str, range(len(first))))
    rest, start = rows if header else chain([first], rows), 0
    while (some := list(islice(rest, ROWS))) or not start:
        index = pd.RangeIndex(start, start + len(some))
        yield pd.DataFrame(some, index, columns, dtype="str")
        if not some:
            return
        start += len(some)


def first_line(name: str, stream: IO[bytes], separator: str) -> set[str]:
    """The fields of the first line, none if it can't be read so; after it the stream is where it was."""
    start, text = stream.tell(), io.TextIOWrapper(stream, "utf-8-sig", "surrogateescape", newline="")
    try:
        return set(next(_rows(name, text, separator), []))
    except EvermodelError:
        return set()
    finally:
        text.detach()
        stream.seek(start)


def numbers(column: pd.Series) -> pd.Series:
    """A column as float64: numbers, texts of numbers in decimal notation, and booleans, which are 1 and 0.

    White space around them does not matter. All else is NaN, also what some read as a number: "inf", "nan",
    "1e999", "0x10", "1_000", "1,000" and the empty text.
    """
    fields = column.astype(object)
    found = pd.to_numeric(fields, errors="coerce").astype(np.float64)
    found = found.where(np.isfinite(found))
    return found.fillna(fields[found.isna()].astype(str).str.strip().map(TRUTH))


def grouped(column: pd.Series) -> pd.Series:
    """As `numbers`, also of texts in which commas set thousands apart, as in "1,657,300"."""
    fields = column.astype(object)
    return numbers(
        fields.map(lambda field: field.replace(",", "") if GROUPED.fullmatch(str(field)) else field)
    )


def typed(frame: pd.DataFrame) -> pd.DataFrame:
    """A table whose columns are float64 where `numbers` finds one in every field; the others as they are."""
    found = {name: numbers(column) for name, column in frame.items()}
    return frame.assign(**{str(name): column for name, column in found.items() if column.notna().all()})


def require_distinct(where: str, names: Iterable[str]) -> None:
    """Raise EvermodelError if a column is named twice; where: what names them."""
    if twice := [name for name, count in Counter(names).items() if count > 1]:
        raise EvermodelError(f"{where} names the column {twice[0]!r} twice; rename or remove one")


def _rows(name: str, text: IO[str], separator: str) -> Iterator[list[str]]:
    """The fields of each line, as many in each."""
    width = 0
    for line, row in _fields(name, text, separator):
        width = width or len(row)
        if len(row) != width:
            raise EvermodelError(
                f"{name}: line {line} has {len(row)} fields, but the first line has {width}; "
                "give every line as many, and quote a field that holds the separator"
            )
        yield row


def _fields(name: str, text: IO[str], separator: str) -> Iterator[tuple[int, list[str]]]:
    """The number and the fields of each line that is not empty."""
    lines, spaced = _lines(name, text), separator == WHITE_SPACE
    if spaced:
        lines, separator = (line.replace("\t", " ") for line in lines), " "
    try:
        reader = csv.reader(lines, delimiter=separator, strict=True)
    except (TypeError, ValueError):
        raise EvermodelError(
            f"{name} can't be read with the separator {separator!r}; give one character, "
            f"or {WHITE_SPACE} for white space"
        ) from None
    while True:
        line = reader.line_num + 1
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise EvermodelError(f"{name}: line {line} can't be read ({error}); mend it") from None
        if spaced:  # between two spaces there is no field
            row = [field for field in row if field]
        if row:
            yield line, row


def _lines(name: str, text: IO[str]) -> Iterator[str]:
    for number, line in enumerate(text, 1):
        if NO_TEXT.search(line):
            raise EvermodelError(f"{name}: line {number} is no text in UTF-8; save the file as UTF-8")
        yield line
