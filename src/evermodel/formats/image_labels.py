"""A table of names of images and what is on each: a row per image."""

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO

import pandas as pd

from evermodel.core.errors import EvermodelError
from evermodel.datasets import source
from evermodel.formats import packed, raw_files, table_file
from evermodel.formats.image_files import ImageFile, Rejected

FACTS = ("height", "width", "mode", "mean", "sd", "sha256")  # that image_files.metadata tells of an image


@dataclass(frozen=True)
class Labels:
    """name: of the table. rows: the number of each row by the file that it names. columns: all others."""

    name: str
    rows: dict[str, int]
    columns: pd.DataFrame
    rejected: list[Rejected]


def load(archive: Path, files: packed.Files, table: str, column: str | None, separator: str) -> Labels:
    """The table that lies beside an archive, or among its files; all fields are texts.

    column: the one of the names, the first by default. Rejected is a name that stands there twice. Raises
    EvermodelError if there is no such table or column, as table_file.pieces does, or if a column is called
    as one of FACTS, which are known of each image.
    """
    params = raw_files.described(archive)
    with _opened(archive, files, table) as stream:
        read = pd.concat(table_file.pieces(table, stream, separator=separator))
    column = str(read.columns[0]) if column is None else column
    if column not in read:
        raise EvermodelError(
            f"{table} has no column {column!r}; set file_column in {params} to one of "
            f"{', '.join(map(str, read))}"
        )
    if taken := [name for name in read if name in FACTS and name != column]:
        raise EvermodelError(
            f"{table} has a column {taken[0]!r}, as that which is measured of each image is called; rename it"
        )
    rows: dict[str, int] = {}
    rejected = []
    for row, name in enumerate(read[column].str.replace("\\", "/").str.removeprefix("./")):
        if rows.setdefault(name, row) != row:
            rejected.append((name, f"stands twice in {table}; keep one row"))
    return Labels(table, rows, read.drop(columns=column), rejected)


def matched(
    labels: Labels, images: Sequence[ImageFile]
) -> tuple[list[ImageFile], pd.DataFrame, list[Rejected]]:
    """The images that a row names, their rows, and the images and rows that have no partner."""
    rejected, found = list(labels.rejected), []
    rows: dict[int, str] = {}
    for image in images:
        row = next((labels.rows[name] for name in _names(image.name) if name in labels.rows), None)
        if row is None:
            rejected.append((image.name, f"has no row in {labels.name}; add one, or name it by `ignore`"))
        elif (first := rows.setdefault(row, image.name)) != image.name:
            rejected.append((image.name, f"has the row of {first} in {labels.name}; write the folders, too"))
        else:
            found.append(image)
    lost = [name for name, row in labels.rows.items() if row not in rows]
    rejected += [(name, f"stands in {labels.name}, but there is no such image") for name in lost]
    return found, labels.columns.iloc[list(rows)].reset_index(drop=True), rejected


def _names(name: str) -> Iterator[str]:
    """What a table may call a file: a/b.png, a/b, b.png or b."""
    parts = PurePosixPath(name).parts
    for start in range(len(parts)):
        some = PurePosixPath(*parts[start:])
        yield from (str(some), str(some.with_suffix("")))


def _opened(archive: Path, files: packed.Files, table: str) -> IO[bytes]:
    if table in source.provenance(archive.parent).files:
        return raw_files.checked(archive.parent, table).open("rb")
    content = next((content for name, content in files if name == table), None)
    if content is None:
        raise EvermodelError(
            f"there is no {table} beside {archive} or in it; correct table in {raw_files.described(archive)}"
        )
    return io.BytesIO(content())
