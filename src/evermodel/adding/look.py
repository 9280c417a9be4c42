"""A look at the rows of a table: how it is written, and what its columns show."""

import codecs
import gzip
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from evermodel.core import fields
from evermodel.core.columns import Column
from evermodel.core.errors import EvermodelError
from evermodel.datasets import source
from evermodel.formats import packed, tables
from evermodel.formats.litter import is_litter
from evermodel.preparing.inference import Seen

LOOKED = 200_000  # rows that are looked at
COUNTED = 1_000_000  # rows that are counted; how many more there are does not matter
SHOWN = 10_000  # rows that show how numbers are written
HEAD = 1 << 20  # bytes that show an encoding
MARKS = {codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
OLD = "cp1252"  # of Windows, of which Latin-1 is a part
# How numbers are written: decimal and thousands; where several are as good, the first.
PLAIN = (".", "")
NUMBERS = (PLAIN, (",", ""), (",", "."), (",", " "), (".", ","), (".", " "), (".", "'"))


@dataclass(frozen=True)
class Look:
    """What a table shows.

    options: of the reader, where they are not its defaults. rows: how many there are, or were counted;
    looked: at how many of them. seen: of each column. frame: these rows, typed, and raw the same as they
    stand there.
    """

    options: dict[str, Any]
    rows: int
    looked: int
    seen: dict[str, Seen]
    frame: pd.DataFrame
    raw: pd.DataFrame

    @property
    def whole(self) -> bool:
        """Whether all rows were looked at."""
        return self.looked == self.rows

    @property
    def names(self) -> list[str]:
        """Of the columns."""
        return list(self.seen)

    def kind(self, name: str) -> str:
        """Of a column."""
        return self.seen[name].kind

    def of_kind(self, *kinds: str) -> list[str]:
        """The columns of these kinds."""
        return [name for name in self.seen if self.seen[name].kind in kinds]

    def require(self, name: str, option: str) -> None:
        """Raise EvermodelError that names the columns there are if that is none of them."""
        if name not in self.seen:
            raise EvermodelError(
                f"{option} is {name!r}, which is no column; the columns are {', '.join(self.names)}"
            )


def look(folder: Path, given: dict[str, Any]) -> Look:
    """Look at the table in a raw folder; given: the reader's options that are known already.

    Raises EvermodelError if the table can't be read.
    """
    options = given | _encoding(folder)
    table = tables.read(folder, **options)
    if fields.numbers(pd.Series(table.columns, dtype=object)).notna().all():  # the first row, no names
        options["header"] = False
        table = tables.read(folder, **options)
    first = next(table.pieces())
    decimal, thousands = _marks(first, table.layout.separator)
    options |= {"decimal": decimal} if decimal != "." else {}
    options |= {"thousands": thousands} if thousands else {}
    seen = {name: Seen(decimal, thousands) for name in table.columns if name not in _declared(given)}
    rows, looked, kept = 0, 0, list[pd.DataFrame]()
    for piece in _counted(table.pieces()):
        rows += len(piece)
        if looked < LOOKED:
            looked += len(piece)
            kept.append(piece)
            for name, one in seen.items():
                one.add(piece[name])
    raw = pd.concat(kept)
    columns = [Column(name=name, kind=one.kind, gaps="fill", format=one.format) for name, one in seen.items()]
    frame = fields.typed(raw, columns, decimal=decimal, thousands=thousands)
    return Look(options, rows, looked, seen, frame, raw)


def _declared(given: dict[str, Any]) -> tuple[str, ...]:
    """Columns that the reader adds."""
    return (tables.SPLIT,) if "splits" in given else ()


def _counted(pieces: Iterator[pd.DataFrame]) -> Iterator[pd.DataFrame]:
    rows = 0
    for piece in pieces:
        yield piece
        rows += len(piece)
        if rows > COUNTED:
            return


def _encoding(folder: Path) -> dict[str, str]:
    """The encoding of text files, as the first one shows it, where it is not UTF-8."""
    first = min(name for name in source.provenance(folder).files)
    part = tables.Part(folder / first)
    if first.lower().endswith(tables.ZIP):
        if (member := _table_in(part.path)) is None:
            return {}  # the reader tells what is wrong with it
        part = tables.Part(part.path, member)
    name = part.name.lower().removesuffix(tables.GZ)
    if Path(name).suffix in tables.FORMS:
        return {}
    with part.opened() as stream:
        packed = name != part.name.lower()
        head = (gzip.GzipFile(fileobj=stream) if packed else stream).read(HEAD)
    return {} if (found := _encoded(head)) == "utf-8" else {"encoding": found}


def _table_in(file: Path) -> str | None:
    """The first table in an archive that can be opened, what systems leave there unasked aside."""
    with zipfile.ZipFile(file) as archive:
        members = (one for one in archive.infolist() if not one.flag_bits & packed.ENCRYPTED)
        names = (one.filename for one in members if not is_litter(one.filename))
        return next((name for name in names if name.lower().endswith(tables.ENDINGS)), None)


def _encoded(head: bytes) -> str:
    for mark, name in MARKS.items():
        if head.startswith(mark):
            return name
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head)  # which may end amid a character
    except UnicodeDecodeError:
        return OLD
    return "utf-8"


def _marks(piece: pd.DataFrame, separator: str) -> tuple[str, str]:
    """The decimal and the thousands' mark by which most columns are numbers."""
    texts = (piece[name].iloc[:SHOWN] for name in piece if piece[name].dtype.kind not in "biufM")
    known = (pd.Series(values[~fields.is_gap(values)].astype(str).unique()) for values in texts)
    odd = [values for values in known if len(values) and fields.numbers(values).isna().any()]
    # Whoever parts fields by commas writes a point in numbers, and a comma there is one of thousands.
    order = sorted(NUMBERS, key=lambda one: one != PLAIN and (one[0] == ",") == (separator == ","))

    def readable(one: tuple[str, str]) -> int:
        return sum(bool(fields.numbers(values, *one).notna().all()) for values in odd)

    return max(order, key=readable)
