"""Splits of tables in Parquet files, in row groups of a few rows."""

from collections.abc import Sequence
from pathlib import Path
from unittest.mock import patch

from evermodel.core import data, parts
from evermodel.core.columns import Column
from evermodel.core.data import Split, StoredSplit
from evermodel.core.parts import Parts

GROUP = 8


def stored(folder: Path, columns: Sequence[Column], split: Split) -> StoredSplit:
    """The rows of a split, written to Parquet in row groups of GROUP rows, and four of them to a file."""
    name = data.ANSWERS[split.y.ndim, split.y.dtype.kind]
    beside = {"group": split.group, "weight": split.weight}
    answers = {name: split.y} | {one: values for one, values in beside.items() if values is not None}
    with (
        patch.multiple(parts, GROUP=GROUP, GROUPS=4),
        parts.Writer(folder, columns, dict.fromkeys(answers, ())) as writer,
    ):
        writer.write(split.x, answers)
    return StoredSplit(Parts(folder, columns), name)
