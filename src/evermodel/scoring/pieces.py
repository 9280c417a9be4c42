"""What is scored together: some rows of a table, or some files of a folder."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from evermodel import prediction
from evermodel.core.data import Spec
from evermodel.core.errors import EvermodelError
from evermodel.formats import image_files, tables

FILES = 4096  # at most that are read at a time
NUMBERS = 1 << 24  # at most that they may hold, which is 128 MB in a model's hands
TABLES = (".csv", ".tsv", *tables.FORMS)
SUFFIXES = {  # what is taken of a folder
    "table": TABLES,
    "series": TABLES,
    "text": (".txt",),
    "images": image_files.SUFFIXES,
}


@dataclass(frozen=True)
class Examples:
    """Examples, as the model takes them, and where they are from.

    places: columns: the file of each, its row in a table, from 1, and its series, if they have keys. x: raw.
    rejected: the files that can't be used, each with the reason.
    """

    places: dict[str, Any]
    x: Any
    rejected: list[tuple[str, str]]


@dataclass(frozen=True)
class Piece:
    """origin: what it is made of, in words that change when a file does; read: its examples."""

    origin: str
    read: Callable[[], Examples]


def found(paths: Sequence[Path], spec: Spec) -> list[Path]:
    """The files, and those of folders by name and suffix; EvermodelError if something is not there."""
    files: list[Path] = []
    for path in paths:
        if not path.exists():
            raise EvermodelError(f"{path} does not exist; name a file or a folder to predict")
        inside = sorted(_inside(path, SUFFIXES[spec.kind])) if path.is_dir() else [path]
        if not inside:
            raise EvermodelError(
                f"{path} holds no file to predict; their names have to end in "
                f"{', '.join(SUFFIXES[spec.kind])}"
            )
        files += inside
    return files


def of(files: Sequence[Path], spec: Spec) -> Iterator[Piece]:
    """The same pieces of bounded size for the same files; EvermodelError where a table can't be used."""
    if spec.kind == "table":
        for file in files:
            state = _state(file)
            for number, rows in enumerate(prediction.pieces(str(file), file, spec)):
                yield Piece(f"{state} {number}", partial(_rows, file, rows))
        return
    count = min(FILES, max(1, NUMBERS // prod(spec.input_shape)))
    for start in range(0, len(files), count):
        some = files[start : start + count]
        yield Piece("\n".join(map(_state, some)), partial(_files, some, spec))


def _inside(folder: Path, suffixes: Sequence[str]) -> Iterator[Path]:
    for file in folder.rglob("*"):
        name = file.name.lower().removesuffix(tables.GZ)
        if name.endswith(tuple(suffixes)) and not file.name.startswith(".") and file.is_file():
            yield file


def _state(file: Path) -> str:
    known = file.stat()
    return f"{file} {known.st_size} {known.st_mtime_ns}"


def _rows(file: Path, rows: pd.DataFrame) -> Examples:
    return Examples({"file": pa.repeat(str(file), len(rows)), "row": rows.index.to_numpy() + 1}, rows, [])


def _files(files: Sequence[Path], spec: Spec) -> Examples:
    names, series, x, rejected = list[str](), list[str](), [], []
    for file in files:
        try:
            keys, found = prediction.keyed(str(file), file, spec)
            names += [str(file)] * len(keys)
            series += keys
            x.append(found)
        except EvermodelError as reason:
            rejected.append((str(file), str(reason)))
    keyed = {"series": [key or None for key in series]} if any(series) else {}
    return Examples({"file": names} | keyed, np.concatenate(x) if x else np.empty(0), rejected)
