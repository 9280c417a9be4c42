"""An array that grows on disk, of what does not have to fit into memory."""

import os
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import numpy as np

from evermodel.core.data import Array
from evermodel.core.errors import EvermodelError


class Scratch:
    """Rows of bytes (uint8) of one shape, one after the other in an `unnamed` file.

    Raises EvermodelError once the disk is full.
    """

    def __init__(self) -> None:
        self._file = unnamed()
        self._shape: tuple[int, ...] = ()
        self._rows = 0

    def extend(self, rows: Iterable[Array]) -> None:
        """Add rows, each of the shape of the first."""
        for row in rows:
            self._shape = self._shape or row.shape
            if (row.shape, row.dtype) != (self._shape, np.uint8):
                raise ValueError(f"a row of {row.dtype} {row.shape} among rows of uint8 {self._shape}")
            with _room():
                self._file.write(row.tobytes())
            self._rows += 1

    def array(self) -> Array:
        """All rows, (n, …) uint8, mapped and read-only; none can be added after that."""
        with _room(), self._file as file:
            file.flush()
            return np.memmap(file, np.uint8, "r", shape=(self._rows, *self._shape))


def unnamed() -> IO[bytes]:
    """A file in the system's folder for temporary files (TMPDIR) that has no name.

    Its room is free again once nothing has it open or mapped any more, also if the process is killed.
    """
    number, name = tempfile.mkstemp()
    Path(name).unlink()
    return os.fdopen(number, "w+b")


@contextmanager
def _room() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise EvermodelError(
            f"there is no room for the images in {tempfile.gettempdir()} ({error}); let TMPDIR name a folder "
            "on another disk"
        ) from None
