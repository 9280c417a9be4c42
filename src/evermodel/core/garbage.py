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
        gc.freeze()
        gc.enable()
