"""What a user did not want to see, in one plain sentence."""

from collections.abc import Iterator
from contextlib import contextmanager


class EvermodelError(Exception):
    """What a user did not want to see, in one plain sentence.

    It names the file or the key, what is wrong with it, and what to do next. Commands and stages print
    it without a traceback and exit with a code other than 0.
    """


class UnusableError(Exception):
    """Why one of many files can't be used, as the end of a sentence that begins with its name."""


@contextmanager
def told(what: str) -> Iterator[None]:
    """Whatever somebody else's code raises as an EvermodelError that begins with `what`."""
    try:
        yield
    except EvermodelError:
        raise
    except Exception as error:
        reason = " ".join(f"{type(error).__name__}: {error}".split())[:300].rstrip(".")
        raise EvermodelError(f"{what}: {reason}") from None
