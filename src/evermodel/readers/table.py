"""A text file with one row a line."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from evermodel.core.data import Layout, Raw
from evermodel.core.errors import EvermodelError
from evermodel.datasets import source
from evermodel.formats import raw_files, table_file


def read(folder: Path, *, separator: str, header: bool, columns: Sequence[str]) -> Raw:
    """The only file of the folder as a table; its manifest is the table, every field as its text.

    separator: a character, or the regular expression \\s+ for white space. header: whether the first line
    names the columns; then they may stand in any order. table_file.typed tells which of them are numbers.
    Raises EvermodelError if the file is missing, changed, or has other columns, and as table_file.pieces
    does.
    """
    if len(files := sorted(source.provenance(folder).files)) != 1:
        raise EvermodelError(
            f"{folder}: a table is one file, but source.json lists {', '.join(files) or 'none'}; name one"
        )
    file = raw_files.checked(folder, files[0])
    params = raw_files.described(file)
    table_file.require_distinct(f"{params}: columns", columns)
    frame = table_file.load(file, separator=separator, header=header)
    if header:
        _check_names(file, frame, columns)
        return Raw("table", frame[list(columns)], layout=Layout(separator=separator))
    if frame.shape[1] != len(columns):
        raise EvermodelError(
            f"{file} has {frame.shape[1]} columns, not {len(columns)}: {', '.join(columns)}; "
            f"correct separator or columns in {params}"
        )
    layout = Layout(separator=separator, header=False, columns=tuple(columns))
    return Raw("table", frame.set_axis(list(columns), axis=1), layout=layout)


def _check_names(file: Path, frame: pd.DataFrame, columns: Sequence[str]) -> None:
    missing = [name for name in columns if name not in frame]
    unknown = [name for name in frame if name not in columns]
    if missing or unknown:
        raise EvermodelError(
            f"{file}: columns missing: {missing or 'none'}; columns not known: {unknown or 'none'}; "
            f"correct separator or columns in {raw_files.described(file)}"
        )
