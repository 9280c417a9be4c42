"""The files in a zip or tar.gz archive, read straight out of it: nothing is unpacked to disk."""

import re
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from evermodel.core.errors import EvermodelError, UnusableError

LIMIT = 1 << 27  # bytes of one file: an image of 40 million pixels that is not compressed
ENCRYPTED = 1  # the lowest of a zip member's flag bits

Content = Callable[[], bytes]


def files(archive: Path) -> Iterator[tuple[str, Content]]:
    """The name of each file, and a function that reads it, which must be called before the next is asked for.

    The order is the archive's own, because a tar.gz can only be read forwards. Raises EvermodelError if it
    is no archive, is cut off or encrypted; a content raises UnusableError if it alone is damaged, a link, or
    beyond LIMIT, by the size that the archive declares.
    """
    walk = _zipped if zipfile.is_zipfile(archive) else _tarred
    try:
        yield from walk(archive)
    except EvermodelError:
        raise
    except Exception as error:  # a corrupt archive raises whatever it likes
        raise EvermodelError(
            f"{archive} is no zip or tar.gz archive, or is cut off or corrupt ({error}); fetch it again"
        ) from None


def natural(name: str) -> list[str | int]:
    """A key that sorts names as people do: 2.png before 10.png."""
    return [int(part) if part.isdecimal() else part for part in re.split(r"(\d+)", name)]


def _zipped(file: Path) -> Iterator[tuple[str, Content]]:
    with zipfile.ZipFile(file) as archive:
        for member in archive.infolist():
            if member.flag_bits & ENCRYPTED:
                raise EvermodelError(f"{file} is encrypted; give an archive without a password")
            if not member.is_dir():
                yield member.filename, partial(_content, member.file_size, partial(archive.read, member))


def _tarred(file: Path) -> Iterator[tuple[str, Content]]:
    with tarfile.open(file, "r:gz") as archive:
        for member in archive:
            if not member.isdir():
                yield (
                    member.name.removeprefix("./"),
                    partial(_content, member.size, partial(_read, archive, member)),
                )


def _read(archive: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    if not member.isreg() or (stream := archive.extractfile(member)) is None:
        raise UnusableError("is a link or a device; put the file itself into the archive")
    return stream.read()


def _content(size: int, read: Content) -> bytes:
    if size > LIMIT:
        raise UnusableError(f"unpacks to {size:,} bytes; give at most {LIMIT:,}")
    try:
        return read()
    except UnusableError:
        raise
    except Exception as error:  # a corrupt member raises whatever it likes
        raise UnusableError(f"can't be unpacked ({error})") from None
