"""The files in a zip, tar or tar.gz archive, read straight out of it: none is unpacked to disk."""

import gzip
import re
import shutil
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import IO, Any

from evermodel.core.errors import EvermodelError, UnusableError
from evermodel.formats import scratch

LIMIT = 1 << 27  # bytes of one file: an image of 40 million pixels that is not compressed
ENCRYPTED = 1  # the lowest of a zip member's flag bits
GZIP = b"\x1f\x8b"  # how it begins (RFC 1952)

Content = Callable[[], bytes]
Files = list[tuple[str, Content]]


@contextmanager
def opened(archive: Path) -> Iterator[Files]:
    """The name of each file, and a function that reads it within the context, in natural order of names.

    Raises EvermodelError if it is no archive, is cut off or encrypted; a content raises UnusableError if it
    alone is damaged, a link, or beyond LIMIT, by the size that the archive declares.
    """
    walk = _zipped if zipfile.is_zipfile(archive) else _tarred
    with ExitStack() as stack:
        try:
            files = list(walk(archive, stack))
        except EvermodelError:
            raise
        except Exception as error:  # a corrupt archive raises whatever it likes
            raise EvermodelError(
                f"{archive} is no zip, tar or tar.gz archive, or is cut off or corrupt ({error}); "
                "fetch it again"
            ) from None
        files.sort(key=lambda file: natural(file[0]))
        yield files


def natural(name: str) -> list[str | int]:
    """A key that sorts names as people do: 2.png before 10.png."""
    return [int(part) if part.isdecimal() else part for part in re.split(r"(\d+)", name)]


def _zipped(file: Path, stack: ExitStack) -> Iterator[tuple[str, Content]]:
    archive = stack.enter_context(zipfile.ZipFile(file))
    read = archive.read
    for member in archive.infolist():
        if member.flag_bits & ENCRYPTED:
            raise EvermodelError(f"{file} is encrypted; give an archive without a password")
        if not member.is_dir():
            yield member.filename, partial(_content, member.file_size, read, member)


def _tarred(file: Path, stack: ExitStack) -> Iterator[tuple[str, Content]]:
    stream: IO[bytes] = stack.enter_context(file.open("rb"))
    if stream.read(len(GZIP)) == GZIP:  # unpacked to a tar on disk, since gzip can only be read forwards
        stream = stack.enter_context(scratch.unnamed())
        with gzip.open(file) as content:
            shutil.copyfileobj(content, stream)
    stream.seek(0)
    archive = stack.enter_context(tarfile.TarFile(fileobj=stream))
    read = partial(_read, archive)
    for member in archive:
        if not member.isdir():
            yield member.name.removeprefix("./"), partial(_content, member.size, read, member)


def _read(archive: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    if not member.isreg() or (stream := archive.extractfile(member)) is None:
        raise UnusableError("is a link or a device; put the file itself into the archive")
    return stream.read()


def _content(size: int, read: Callable[[Any], bytes], member: Any) -> bytes:
    if size > LIMIT:
        raise UnusableError(f"unpacks to {size:,} bytes; give at most {LIMIT:,}")
    try:
        return read(member)
    except UnusableError:
        raise
    except Exception as error:  # a corrupt member raises whatever it likes
        raise UnusableError(f"can't be unpacked ({error})") from None
