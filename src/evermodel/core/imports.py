"""Imports of large libraries, without what only makes them slow."""

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def lean(*without: str) -> Iterator[None]:
    """Meanwhile nobody looks for garbage, and whoever can do without these modules does.

    An import of TensorFlow makes a million objects that stay: looking through them takes two fifths of it.
    Libraries import others, that they find installed, for features that nobody here uses; modules that are
    imported already stay.
    """
    absent = [name for name in without if name not in sys.modules]
    sys.modules.update(dict.fromkeys(absent))  # type: ignore[arg-type]  # of None, an import says: missing
    gc.disable()
    try:
        yield
    finally:
        for name in absent:
            del sys.modules[name]
        collect_from_now_on()


def collect_from_now_on() -> None:
    """Look for garbage among what is made later; all that is there is kept, and costs nothing at the end."""
    gc.freeze()
    gc.enable()
