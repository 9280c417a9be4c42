"""A table in one file or in several: CSV and the like, Parquet or Excel."""

from pathlib import Path
from typing import Unpack

import pandas as pd

from evermodel.core.data import Kind, Raw
from evermodel.core.terms import TableOptions
from evermodel.formats import tables

KIND: Kind = "table"


def read(folder: Path, **options: Unpack[TableOptions]) -> Raw:
    """A table, as tables.read reads it, which tells what it raises."""
    table = tables.read(folder, **options)
    return Raw(KIND, pd.DataFrame(), pieces=table.pieces, layout=table.layout, table=table)
