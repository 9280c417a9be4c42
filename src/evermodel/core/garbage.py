"""Python's garbage collector, kept from looking through libraries that stay."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def ignored() -> Iterator[None]:
    """What is made meanwhile is never looked at: an import of TensorFlow makes a million objects that stay.

    Looking through them takes a quarter of the import, and half a second whenever it is done again.
    """
    gc.disable()
    try:
        yield
    finally:
        collect_from_now_on()


def collect_from_now_on() -> None:
    """Look for garbage among what is made later; all that is there is kept, and costs nothing at the end."""
    gc.freeze()
    gc.enable()
