"""Files and folders of this machine; a folder is known, and kept, as an archive of its files."""

import hashlib
import os
import re
import shutil
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

from evermodel import downloads
from evermodel.core.data import file_hash
from evermodel.core.errors import EvermodelError
from evermodel.datasets.source import RemoteFile
from evermodel.formats.litter import is_litter

ZIP = ".zip"
EPOCH = (1980, 1, 1, 0, 0, 0)  # the first time that a zip can tell
PLAIN_FILE = 0o100644 << 16  # that everybody may read, as Unix writes it into a zip
UNIX = 3
NO_NAME = re.compile(r"[\\\udc80-\udcff]")  # what is no text, and what separates folders elsewhere


class _Sink:
    """Takes the bytes of an archive, counts them, and can't go back: so it gets the same wherever they go."""

    def __init__(self, take: Callable[[bytes], object]) -> None:
        self.take, self.size = take, 0

    def write(self, content: bytes) -> int:
        self.take(content)
        self.size += len(content)
        return len(content)

    def flush(self) -> None:
        pass


def entry(path: Path) -> RemoteFile:
    """What params.yaml has to say of a file or folder: its name in raw/, size, hash, and where it lies.

    Nothing is copied. Raises EvermodelError if there is none, or a folder has no files.
    """
    path = path.expanduser().resolve()
    if not path.exists():
        raise EvermodelError(f"{path} does not exist; name a file or a folder")
    size, digest = _known(path, "sha256")
    name = re.sub(r"[^A-Za-z0-9._-]+", "_", path.name).lstrip("._-") or "data"
    home = Path.home()
    shown = f"~/{path.relative_to(home)}" if path.is_relative_to(home) else str(path)
    return RemoteFile(name=name + ZIP * path.is_dir(), bytes=size, sha256=digest, path=shown)


def fault(path: Path, file: RemoteFile) -> str:
    """What keeps a file or folder from being the one that is described; empty if nothing does."""
    if not path.is_dir():
        return downloads.fault(path, file)
    size, digest = _known(path, file.algorithm)
    if digest == file.digest:
        return ""
    return f"makes an archive of {size} bytes with {file.algorithm} {digest}, not {file.digest}"


def copy(path: Path, target: Path) -> None:
    """Write the file, or the archive that a folder is known as."""
    if path.is_dir():
        with target.open("wb") as out:
            _pack(path, _Sink(out.write))
    else:
        shutil.copyfile(path, target)


def _known(path: Path, algorithm: str) -> tuple[int, str]:
    """Size in bytes and hash."""
    if not path.is_dir():
        return path.stat().st_size, file_hash(path, algorithm)
    digest = hashlib.new(algorithm)
    sink = _Sink(digest.update)
    _pack(path, sink)
    return sink.size, digest.hexdigest()


def _pack(folder: Path, sink: _Sink) -> None:
    """The files of a folder as a zip, not compressed: equal names and contents give equal bytes."""
    names = sorted(_files(folder))
    if not names:
        raise EvermodelError(f"{folder} holds no files; name a folder that does")
    with zipfile.ZipFile(sink, "w") as archive:  # type: ignore[call-overload]
        for name in names:
            member = zipfile.ZipInfo(name, EPOCH)
            member.external_attr, member.create_system = PLAIN_FILE, UNIX
            member.file_size = (folder / name).stat().st_size  # by which it is told whether 4 GB suffice
            with (folder / name).open("rb") as content, archive.open(member, "w") as packed:
                shutil.copyfileobj(content, packed)


def _files(folder: Path) -> Iterator[str]:
    """The paths of the files below a folder, of which links to folders are none."""
    for below, _, names in os.walk(folder):
        for file in (Path(below, name) for name in names):
            name = file.relative_to(folder).as_posix()
            if is_litter(name):
                continue
            if not file.is_file() or NO_NAME.search(name):
                raise EvermodelError(f"{file!r} can't stand in an archive; rename or remove it")
            yield name
