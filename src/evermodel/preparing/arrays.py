"""The rows of a table as mapped arrays."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from evermodel.core import rows
from evermodel.core.columns import Column
from evermodel.core.data import Array
from evermodel.core.parts import ANSWERS
from evermodel.core.rows import Rows


class Writer:
    """Rows that are written in pieces into a folder, as many as were told before.

    answers: the arrays beside the examples, by the names in ANSWERS, each with the shape of one row.
    """

    def __init__(
        self, folder: Path, columns: Sequence[Column], answers: Mapping[str, tuple[int, ...]], count: int
    ) -> None:
        self.x, self.done = rows.Writer(folder / "x", columns, count), 0
        self.answers = {
            name: np.lib.format.open_memmap(folder / f"{name}.npy", "w+", ANSWERS[name], (count, *shape))
            for name, shape in answers.items()
        }

    def write(self, x: Rows, answers: Mapping[str, Array]) -> None:
        """Append some rows with their answers, (n,) each, and "y" (n, k)."""
        self.x.write(x)
        for name, values in self.answers.items():
            values[self.done : self.done + len(x)] = answers[name]
        self.done += len(x)

    def close(self) -> None:
        """Write what the system has not written yet."""
        for values in self.answers.values():
            values.flush()
