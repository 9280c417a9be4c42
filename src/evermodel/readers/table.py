"""A table in one file or in several: CSV and the like, Parquet or Excel."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

import pandas as pd

from evermodel.core.data import Raw
from evermodel.formats import table_file, tables


def read(
    folder: Path,
    *,
    files: str | None = None,
    splits: Mapping[Literal["train", "validation", "test"], str] | None = None,
    columns: Sequence[str] | None = None,
    separator: str | None = None,
    header: bool = True,
    encoding: str = table_file.UTF_8,
    decimal: Literal[".", ","] = ".",
    thousands: Literal["", ",", ".", " ", "'"] = "",
    sheet: str | None = None,
) -> Raw:
    """A table, by the options of tables.read, which tells what they are and raises what there is to raise."""
    table = tables.read(
        folder,
        files=files,
        splits=splits,
        columns=columns,
        separator=separator,
        header=header,
        encoding=encoding,
        decimal=decimal,
        thousands=thousands,
        sheet=sheet,
    )
    return Raw("table", pd.DataFrame(), pieces=table.pieces, layout=table.layout, table=table)
