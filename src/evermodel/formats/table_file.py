"""Text files with one row a line, and what counts as a number in a table from anywhere."""

import codecs
import csv
import io
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import chain, islice
from typing import IO

import numpy as np
import pandas as pd
import pyarrow as pa
from pyarrow import csv as arrow_csv

from evermodel.core.errors import EvermodelError

ROWS = 65_536  # that are read at a time
FIELDS = 2_000_000  # that are read at a time, where rows are long
BLOCK = 1 << 23  # characters that are read at a time
LONGEST = 1 << 23  # characters that a field may have: a quote that does not end would else take all memory
HEAD = 1 << 16  # characters that tell the separator
UTF_8 = "utf-8"
WHITE_SPACE = r"\s+"
SEPARATORS = (";", "\t", "|", ",")  # that a file may tell by itself
TRUTH = {"True": 1.0, "true": 1.0, "TRUE": 1.0, "False": 0.0, "false": 0.0, "FALSE": 0.0}
NO_TEXT = re.compile("[\0\udc80-\udcff]")  # as bytes that are no text are read with "surrogateescape"


@dataclass(frozen=True)
class _Form:
    """How a file that errors name is written."""

    name: str
    separator: str
    encoding: str


def pieces(
    name: str, stream: IO[bytes], *, separator: str = ",", header: bool = True, encoding: str = UTF_8
) -> Iterator[pd.DataFrame]:
    r"""A text file, at most ROWS rows at a time: columns of texts, exactly as they stand there.

    There is one piece at least. name: of the file, for errors. separator: a character, or \s+ for any number
    of spaces and tabs. header: whether the first line names the columns; without, they are named by their
    places from "0". encoding: as Python calls it. Quotes are read as RFC 4180 has them. Lines end as in any
    system; empty ones are left out. The index counts from 0.

    Raises EvermodelError that names the line if that has more or fewer fields than the first, is no text in
    that encoding or is wrongly quoted; and if the file is empty, or a name stands twice in its header.
    """
    columns: list[str] = []
    start = 0
    for table in _tables(_Form(name, separator, encoding), stream):
        if not columns:
            columns = _names(name, table.iloc[0].tolist(), header)
            table = table[1:] if header else table
        for part in (table[place : place + ROWS] for place in range(0, len(table), ROWS)):
            index = pd.RangeIndex(start, start + len(part))
            yield part.set_axis(columns, axis=1).set_axis(index)
            start += len(part)
    if not start:
        columns = columns or _names(name, [], header)
        yield pd.DataFrame(columns=columns, index=pd.RangeIndex(0), dtype="str")


def names(
    name: str, stream: IO[bytes], *, separator: str = ",", header: bool = True, encoding: str = UTF_8
) -> list[str]:
    """The columns that `pieces` gives, or its EvermodelError; after it the stream is where it was."""
    form = _Form(name, separator, encoding)
    with _looked_at(form, stream) as text:
        first = next(_rows(form, text), [])
    return _names(name, first, header)


def found_separator(name: str, stream: IO[bytes], encoding: str = UTF_8) -> str:
    """What most probably separates the fields; after it the stream is where it was.

    That of SEPARATORS by which the first lines have as many fields as each other, and most of them; white
    space if there is no such, but as many words in each line; a comma if all lines are one field.
    """
    with _looked_at(_Form(name, "", encoding), stream) as text:
        head = _block(_Form(name, "", encoding), text, HEAD)
    forms = {one: _Form(name, one, encoding) for one in (*SEPARATORS, WHITE_SPACE)}
    widths = {separator: _widths(form, head) for separator, form in forms.items()}
    even = {separator: len(set(found)) == 1 for separator, found in widths.items()}
    best = max(SEPARATORS, key=lambda one: (widths[one][0] > 1, even[one], widths[one][0]))
    if widths[best][0] > 1:
        return best
    return WHITE_SPACE if even[WHITE_SPACE] and widths[WHITE_SPACE][0] > 1 else ","


def numbers(column: pd.Series) -> pd.Series:
    """A column as float64: numbers, texts of numbers in decimal notation, and booleans, which are 1 and 0.

    White space around them does not matter. All else is NaN, also what some read as a number: "inf", "nan",
    "1e999", "0x10", "1_000", "1,000" and the empty text.
    """
    fields = column.astype(object)
    found = pd.to_numeric(fields, errors="coerce").astype(np.float64)
    found = found.where(np.isfinite(found))
    return found.fillna(fields[found.isna()].astype(str).str.strip().map(TRUTH))


def typed(frame: pd.DataFrame) -> pd.DataFrame:
    """A table whose columns are float64 where `numbers` finds one in every field; the others as they are."""
    found = {name: numbers(column) for name, column in frame.items()}
    return frame.assign(**{str(name): column for name, column in found.items() if column.notna().all()})


def most_rows(columns: int) -> int:
    """How many rows are read at a time: ROWS, or fewer of many columns, so that they need no more memory."""
    return max(1, min(ROWS, FIELDS // max(1, columns)))


def require_distinct(where: str, names: Iterable[str]) -> None:
    """Raise EvermodelError if a column is named twice; where: what names them."""
    if twice := [name for name, count in Counter(names).items() if count > 1]:
        raise EvermodelError(f"{where} names the column {twice[0]!r} twice; rename or remove one")


def _names(name: str, first: list[str], header: bool) -> list[str]:
    """What the columns are called if the file begins with these fields."""
    if not first:
        raise EvermodelError(f"{name} is empty; give a table with one row a line")
    if not header:
        return list(map(str, range(len(first))))
    require_distinct(f"{name}: the first line", first)
    return first


def _text(form: _Form, stream: IO[bytes]) -> io.TextIOWrapper:
    try:
        # Excel begins with a mark that would become part of the first name.
        called = "utf-8-sig" if codecs.lookup(form.encoding).name == UTF_8 else form.encoding
        return io.TextIOWrapper(stream, called, "surrogateescape", newline="")
    except LookupError:
        raise EvermodelError(
            f"{form.name} can't be read with the encoding {form.encoding!r}; "
            "give one that Python knows, such as cp1252"
        ) from None


@contextmanager
def _looked_at(form: _Form, stream: IO[bytes]) -> Iterator[io.TextIOWrapper]:
    start, text = stream.tell(), _text(form, stream)
    try:
        yield text
    finally:
        text.detach()
        stream.seek(start)


def _block(form: _Form, text: io.TextIOWrapper, size: int) -> str:
    """The next characters, up to the end of a line; none at the end of the file."""
    try:
        return text.read(size) + text.readline()
    except UnicodeDecodeError:
        raise _no_text(form, form.name) from None


def _no_text(form: _Form, where: str) -> EvermodelError:
    return EvermodelError(
        f"{where} is no text in {form.encoding.upper()}; save the file as UTF-8, or name its `encoding`"
    )


def _widths(form: _Form, head: str) -> list[int]:
    """How many fields each row has, as far as they can be read; at least one."""
    widths = []
    with suppress(EvermodelError):
        for _, row in _fields(form, io.StringIO(head, newline="")):
            widths.append(len(row))
    return widths or [0]


def _tables(form: _Form, stream: IO[bytes]) -> Iterator[pd.DataFrame]:
    """The rows, a block at a time: columns of texts, called by their places.

    Arrow reads what is written by the rules, many times faster than `_rows`. From the first block on that is
    not, `_rows` does, which takes more, and says what is wrong in which line.
    """
    text, block, line, width = _text(form, stream), b"", 1, 0
    while more := _block(form, text, BLOCK):
        width = width or len(next(_rows(form, io.StringIO(more, newline="")), ()))
        try:
            block += more.encode()
        except UnicodeEncodeError:
            break
        more, end = "", _end(block, form.separator)
        if (table := _parsed(block[:end], form.separator, width)) is None:
            break
        yield table
        line += block.count(b"\n", 0, end)
        block = block[end:]
    rows = _rows(form, chain(io.StringIO(block.decode() + more, newline=""), text), line, width)
    while some := list(islice(rows, most_rows(width))):
        yield pd.DataFrame(some, dtype="str")


def _end(block: bytes, separator: str) -> int:
    """Where the last whole row ends if the rows before are written by the rules, else 0.

    The rules are RFC 4180's: lines end with a line feed, with or without a carriage return; quotes stand
    around a field, or doubled in it.
    """
    if b"\0" in block or (b"\r" in block and block.count(b"\r") != block.count(b"\r\n")):
        return 0
    characters = np.frombuffer(block + b"\n", np.uint8)
    quotes = np.flatnonzero(characters == ord('"'))
    ends = np.flatnonzero(characters == ord("\n"))
    whole = ends[np.searchsorted(quotes, ends) % 2 == 0]
    if not len(whole):
        return 0
    quotes = quotes[quotes < whole[-1]]
    before = characters[quotes[::2] - 1]  # of the very first, the line feed behind the block
    after = characters[quotes[1::2] + 1]
    marks = list(f'{separator}\n"'.encode())
    if not (np.isin(before, marks).all() and np.isin(after, [*marks, ord("\r")]).all()):
        return 0
    return min(int(whole[-1]) + 1, len(block))


def _parsed(block: bytes, separator: str, width: int) -> pd.DataFrame | None:
    """The rows of a block by Arrow, None if it can't read them."""
    if not (block and width and len(separator.encode()) == 1):
        return None
    names = list(map(str, range(width)))
    kinds = dict.fromkeys(names, pa.large_string())
    try:
        table = arrow_csv.read_csv(
            pa.BufferReader(block),
            arrow_csv.ReadOptions(column_names=names, block_size=len(block)),
            arrow_csv.ParseOptions(delimiter=separator, newlines_in_values=True),
            arrow_csv.ConvertOptions(column_types=kinds, strings_can_be_null=False),
        )
    except (pa.ArrowException, ValueError):
        return None
    found: pd.DataFrame = table.to_pandas()
    return found


def _rows(form: _Form, lines: Iterable[str], line: int = 1, width: int = 0) -> Iterator[list[str]]:
    """The fields of each row, as many in each.

    line: the number of the first line. width: how many fields the first row had, if that is not among these.
    """
    for number, row in _fields(form, lines, line):
        width = width or len(row)
        if len(row) != width:
            raise EvermodelError(
                f"{form.name}: line {number} has {len(row)} fields, but the first line has {width}; "
                "give every line as many, and quote a field that holds the separator"
            )
        yield row


def _fields(form: _Form, lines: Iterable[str], line: int = 1) -> Iterator[tuple[int, list[str]]]:
    """The number and the fields of each row that is not empty."""
    texts, separator = _lines(form, lines, line), form.separator
    if spaced := separator == WHITE_SPACE:
        texts, separator = (text.replace("\t", " ") for text in texts), " "
    csv.field_size_limit(LONGEST)
    try:
        reader = csv.reader(texts, delimiter=separator, strict=True)
    except (TypeError, ValueError):
        raise EvermodelError(
            f"{form.name} can't be read with the separator {separator!r}; give one character, "
            f"or {WHITE_SPACE} for white space"
        ) from None
    while True:
        number = line + reader.line_num
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise EvermodelError(f"{form.name}: line {number} can't be read ({error}); mend it") from None
        if spaced:  # between two spaces there is no field
            row = [field for field in row if field]
        if row:
            yield number, row


def _lines(form: _Form, lines: Iterable[str], first: int) -> Iterator[str]:
    try:
        for number, line in enumerate(lines, first):
            if NO_TEXT.search(line):
                raise _no_text(form, f"{form.name}: line {number}")
            yield line
    except UnicodeDecodeError:  # in some encodings, what is wrong can't be passed over
        raise _no_text(form, form.name) from None
