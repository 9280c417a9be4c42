"""Tables as people have them: in one file or in several, as text, Parquet or Excel, packed or not."""

import gzip
import shutil
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any, Unpack, cast

import pandas as pd

from evermodel.core.data import CSV, SPLITS, Layout
from evermodel.core.errors import EvermodelError
from evermodel.core.terms import TableOptions
from evermodel.datasets import source
from evermodel.formats import excel_table, packed, parquet_table, raw_files, table_file
from evermodel.formats.litter import is_litter

SPLIT = "split"  # the column that says which of the files a row is from
ZIP, GZ = ".zip", ".gz"
TEXT = "text"
FORMS = {".parquet": "Parquet", ".pq": "Parquet", ".xlsx": "Excel", ".xlsm": "Excel", ".xls": "Excel"}
ENDINGS = (
    ".csv",
    ".tsv",
    ".tab",
    ".txt",
    ".data",
    ".dat",
    *FORMS,
)  # of what is taken for a table in an archive
SHOWN = 5


@dataclass(frozen=True)
class Part:
    """One file of a table: where it lies, its name in that archive, and the split that its rows are.

    groups: of a Parquet file the groups of rows that are meant, if not all.
    """

    path: Path
    member: str = ""
    split: str = ""
    groups: tuple[int, ...] | None = None

    def __str__(self) -> str:
        """As errors name it."""
        return f"{self.path}/{self.member}" if self.member else str(self.path)

    @property
    def name(self) -> str:
        """As patterns see it."""
        return self.member or self.path.name

    @contextmanager
    def opened(self) -> Iterator[IO[bytes]]:
        """What it holds; EvermodelError if it can't be unpacked."""
        with _unpacking(str(self)), ExitStack() as stack:
            if self.member:
                archive = stack.enter_context(zipfile.ZipFile(self.path))
                yield stack.enter_context(archive.open(self.member))
            else:
                yield stack.enter_context(self.path.open("rb"))

    def apart(self) -> list["Part"]:
        """A part of each group of rows, where it has them."""
        groups = range(len(self._group_rows())) if self._has_groups else ()
        return [replace(self, groups=(number,)) for number in groups] or [self]

    def count(self, layout: Layout, sheet: str | None) -> int:
        """How many rows there are."""
        if self._has_groups:
            rows = self._group_rows()
            return sum(rows if self.groups is None else (rows[number] for number in self.groups))
        with self.opened() as stream:
            return sum(len(piece) for piece in pieces(str(self), stream, layout, sheet))

    @property
    def _has_groups(self) -> bool:
        """Whether it is Parquet, unpacked, of which some rows can be read without the others."""
        return _form(self.name) == "Parquet" and not self.member and not self.name.lower().endswith(GZ)

    def _group_rows(self) -> list[int]:
        return parquet_table.group_rows(str(self), self.path)


@dataclass(frozen=True)
class Table:
    """A table in a raw folder.

    columns: the names of all, of which `split` tells the split of a row where the files are those of splits.
    layout: how the files are written, where they are text. start: the number of the first row.
    """

    columns: tuple[str, ...]
    layout: Layout
    parts: tuple[Part, ...]
    sheet: str | None = None
    start: int = 0

    def pieces(self) -> Iterator[pd.DataFrame]:
        """The rows, file after file, at most table_file.ROWS at a time; the index counts from `start`.

        There is one piece at least. Fields of text files are texts, exactly as they stand there; of others
        they are what formats/typed_values.py says. Raises EvermodelError that names what can't be read.
        """
        start = self.start
        for part in self.parts:
            with part.opened() as stream:
                for piece in pieces(str(part), stream, self.layout, self.sheet, part.groups):
                    if len(piece) or (start == self.start and part == self.parts[-1]):
                        yield self._shaped(piece, part.split, start)
                        start += len(piece)

    def apart(self) -> "list[Table]":
        """What can be read side by side, each a table: Parquet's groups of rows, else whole files."""
        return [replace(self, parts=(one,)) for part in self.parts for one in part.apart()]

    def count(self) -> int:
        """How many rows there are; a file that is not Parquet is read for that."""
        return sum(part.count(self.layout, self.sheet) for part in self.parts)

    def _shaped(self, piece: pd.DataFrame, split: str, start: int) -> pd.DataFrame:
        named = piece if self.layout.header else piece.set_axis(list(self.layout.columns), axis=1)
        whole = named.assign(**{SPLIT: split}) if split else named
        return whole[list(self.columns)].set_axis(pd.RangeIndex(start, start + len(piece)))


def read(folder: Path, **options: Unpack[TableOptions]) -> Table:
    """The table that the files of a raw folder are, or those in a zip there; all have the same columns.

    Raises EvermodelError if a file is missing, was changed, has other columns or can't be read, or if a
    pattern takes none.
    """
    columns, splits, sheet = options.get("columns"), options.get("splits") or {}, options.get("sheet")
    parts = _parts(folder, options.get("files"), splits)
    first, params = parts[0], raw_files.described(parts[0].path)
    if len(forms := sorted({_form(part.name) for part in parts})) > 1:
        raise EvermodelError(
            f"{folder} has files in {' and in '.join(forms)}; name those of one form by files in {params}"
        )
    table_file.require_distinct(f"{params}: columns", columns or ())
    layout = Layout(
        encoding=options.get("encoding", CSV.encoding),
        decimal=options.get("decimal", CSV.decimal),
        thousands=options.get("thousands", CSV.thousands),
    )
    if forms == [TEXT]:
        separator, header = options.get("separator"), options.get("header", CSV.header)
        found = _separator(first, layout.encoding) if separator is None else separator
        layout = layout.model_copy(update={"separator": found, "header": header})
    wanted = tuple(columns or _names(first, layout, sheet))
    told = "separator or columns" if columns else "files, so that it takes those of one form,"
    for part in parts:
        _require(part, _names(part, layout, sheet), wanted, layout.header, f"{told} in {params}")
    if not layout.header:
        layout = layout.model_copy(update={"columns": wanted})
    if splits and SPLIT in wanted:
        raise EvermodelError(
            f"{first} has a column {SPLIT}, which tells the splits; remove splits in {params}"
        )
    return Table((*wanted, SPLIT) if splits else wanted, layout, parts, sheet)


def pieces(
    name: str,
    stream: IO[bytes],
    layout: Layout = CSV,
    sheet: str | None = None,
    groups: Sequence[int] | None = None,
) -> Iterator[pd.DataFrame]:
    """One file, which is Parquet or Excel by its name, or else text as the layout says; or any of it in gz.

    The rows are as in Table.pieces; the columns in the order of the file, by their places without a header.
    """
    with _unpacked(name, stream) as whole:
        match _form(name):
            case "Parquet":
                yield from parquet_table.pieces(name, whole, groups)
            case "Excel":
                yield from excel_table.pieces(name, whole, sheet)
            case _:
                yield from table_file.pieces(name, whole, **_written(layout))


def names(name: str, stream: IO[bytes], layout: Layout = CSV, sheet: str | None = None) -> list[str]:
    """The columns of a file as `pieces` gives them; after it the stream is where it was."""
    start = stream.tell()
    try:
        with _unpacked(name, stream) as whole:
            match _form(name):
                case "Parquet":
                    return parquet_table.names(name, whole)
                case "Excel":
                    return excel_table.names(name, whole, sheet)
                case _:
                    return table_file.names(name, whole, **_written(layout))
    finally:
        stream.seek(start)


def _names(part: Part, layout: Layout, sheet: str | None) -> list[str]:
    with part.opened() as stream:
        return names(str(part), stream, layout, sheet)


def _separator(part: Part, encoding: str) -> str:
    with part.opened() as stream, _unpacked(part.name, stream) as whole:
        return table_file.found_separator(str(part), whole, encoding)


def _written(layout: Layout) -> dict[str, Any]:
    return layout.model_dump(include={"separator", "header", "encoding"})


def _form(name: str) -> str:
    return FORMS.get(Path(name.lower().removesuffix(GZ)).suffix, TEXT)


@contextmanager
def _unpacked(name: str, stream: IO[bytes]) -> Iterator[IO[bytes]]:
    """The bytes of a file that may be in gz."""
    with _unpacking(name), ExitStack() as stack:
        if name.lower().endswith(GZ):
            stream = cast("IO[bytes]", stack.enter_context(gzip.open(stream)))
        if _form(name) != TEXT and isinstance(stream, gzip.GzipFile | zipfile.ZipExtFile):
            whole = stack.enter_context(TemporaryFile())  # for what is read from its end
            shutil.copyfileobj(stream, whole)
            stream = whole
        yield stream


@contextmanager
def _unpacking(name: str) -> Iterator[None]:
    try:
        yield
    except (zipfile.BadZipFile, gzip.BadGzipFile, zlib.error, EOFError, NotImplementedError) as error:
        raise EvermodelError(f"{name} can't be unpacked ({error}); pack it anew") from None


def _parts(folder: Path, files: str | None, splits: Mapping[Any, str]) -> tuple[Part, ...]:
    """The files that patterns take, split after split, in the natural order of their names."""
    origin, params = source.provenance(folder), raw_files.described(folder / source.PROVENANCE)
    names = sorted(set(origin.files) - set(origin.weights.values()), key=packed.natural)
    every = [part for name in names for part in _within(raw_files.checked(folder, name))]
    if files and splits:
        raise EvermodelError(f"{params}: files and splits both say which files to read; remove one")
    if not (files or splits):
        every = [one for one in every if not one.member or one.name.removesuffix(GZ).endswith(ENDINGS)]
    patterns = {split: splits[split] for split in SPLITS if split in splits} or {"": files or "*"}
    parts = []
    for split, pattern in patterns.items():
        taken = [replace(part, split=split) for part in every if fnmatchcase(part.name, pattern)]
        if not taken:
            shown = ", ".join(part.name for part in every[:SHOWN]) or "none"
            raise EvermodelError(
                f"{folder} has no table called {pattern}, but {shown}; correct files or splits in {params}"
            )
        parts += taken
    if twice := [name for name, count in Counter(map(str, parts)).items() if count > 1]:
        raise EvermodelError(f"{params}: splits puts {twice[0]} into two of them; correct the patterns")
    return tuple(parts)


def _within(path: Path) -> list[Part]:
    """A file, or those in a zip."""
    if path.suffix.lower() != ZIP:
        return [Part(path)]
    with _unpacking(str(path)), zipfile.ZipFile(path) as archive:
        members = [member for member in archive.infolist() if not member.is_dir()]
    if any(member.flag_bits & packed.ENCRYPTED for member in members):
        raise EvermodelError(f"{path} is encrypted; give an archive without a password")
    names = [member.filename for member in members if not is_litter(member.filename)]
    return [Part(path, name) for name in sorted(names, key=packed.natural)]


def _require(part: Part, found: Sequence[str], wanted: Sequence[str], header: bool, remedy: str) -> None:
    """Raise EvermodelError if a file has other columns than those that are wanted."""
    if not header and len(found) != len(wanted):
        raise EvermodelError(
            f"{part} has {len(found)} columns, not {len(wanted)}: {', '.join(wanted)}; correct {remedy}"
        )
    missing = [name for name in wanted if name not in found]
    unknown = [name for name in found if name not in wanted]
    if header and (missing or unknown):
        raise EvermodelError(
            f"{part}: columns missing: {missing or 'none'}; columns not known: {unknown or 'none'}; "
            f"correct {remedy}"
        )
