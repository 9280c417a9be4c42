"""What lies at a path that somebody names: a table, pictures or texts, in which files."""

import re
import tarfile
import zipfile
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import Any, Literal
from urllib.parse import urlsplit

from evermodel import downloads
from evermodel.core import section
from evermodel.core.data import file_hash
from evermodel.core.errors import EvermodelError
from evermodel.datasets.source import PROVENANCE, Provenance, Query, RemoteFile
from evermodel.formats import packed
from evermodel.formats.litter import is_litter
from evermodel.formats.tables import ENDINGS
from evermodel.origins import database, local

ANSWER = "answer.parquet"  # of a database
Kind = Literal["table", "images", "texts"]
IMAGES = (".jpg", ".jpeg", ".png", ".gif", ".bmp", ".webp", ".tif", ".tiff", ".heic")
TEXTS = (".txt",)
TABLES = tuple(ending for ending in ENDINGS if ending not in TEXTS)  # beside pictures
ARCHIVES = (".zip", ".tar", ".tar.gz", ".tgz")
PARTS = {  # of a table that somebody has split, as its files are called
    "train": re.compile(r"(?:.*[^a-z])?(?:train|training)(?:[^a-z].*)?", re.IGNORECASE),
    "test": re.compile(r"(?:.*[^a-z])?(?:test|testing)(?:[^a-z].*)?", re.IGNORECASE),
    "validation": re.compile(r"(?:.*[^a-z])?(?:val|valid|validation|dev)(?:[^a-z].*)?", re.IGNORECASE),
}


@dataclass(frozen=True)
class Found:
    """What lies there.

    title: what it is called. files: the entries of an edition, and places: where each of them lies now, by
    its name. names: of the files within, where it is a folder or an archive. options: of the reader, as far
    as the files' names tell. query: of a database, in place of files.
    """

    kind: Kind
    title: str
    files: tuple[RemoteFile, ...]
    places: dict[str, Path]
    names: tuple[str, ...] = ()
    options: dict[str, Any] = field(default_factory=dict)
    query: dict[str, str] = field(default_factory=dict)

    @contextmanager
    def raw(self) -> Iterator[Path]:
        """A folder as `fetch` would leave it, with links in place of copies."""
        with TemporaryDirectory() as name:
            folder = Path(name) / "raw"
            folder.mkdir()
            for file in self.files:
                (folder / file.name).symlink_to(self.places[file.name].expanduser().resolve())
            hashes = {file.name: str(file.sha256) for file in self.files}
            if self.query:
                database.snapshot(Query(**self.query), folder / ANSWER)
                hashes[ANSWER] = file_hash(folder / ANSWER)
            told = Provenance(
                title=self.title,
                edition="",
                synthetic=False,
                note="",
                licence="",
                terms="",
                reader="table",
                options={},
                files=hashes,
            )
            (folder / PROVENANCE).write_text(told.model_dump_json(), encoding="utf-8")
            try:
                yield folder
            except EvermodelError as error:  # of files that nobody knows by these paths
                raise EvermodelError(str(error).replace(f"{folder}/", "").replace(f"{name}/", "")) from None

    def contents(self, names: Iterable[str]) -> Iterator[bytes]:
        """What some of the files within hold, in the order in which they lie there."""
        (place,), wanted = (path.expanduser() for path in self.places.values()), set(names)
        if place.is_dir():
            yield from ((place / name).read_bytes() for name in self.names if name in wanted)
        elif zipfile.is_zipfile(place):
            with zipfile.ZipFile(place) as archive:
                yield from (archive.read(name) for name in archive.namelist() if name in wanted)
        else:
            with tarfile.open(place) as archive:
                for one in archive:
                    if one.name.removeprefix("./") in wanted and (stream := archive.extractfile(one)):
                        yield stream.read()


def find(path: str) -> Found:
    """What lies at a path, or at those that a pattern names; EvermodelError if nothing does."""
    if "://" in path:
        return _remote(path)
    place = Path(path).expanduser()
    if place.is_dir():
        return _folder(Path(path), _below(place))
    if place.is_file():
        return _file(Path(path))
    if found := _matching(path):
        return _table(_title(path), found)
    raise EvermodelError(f"{path} is not here; give a file, a folder, a pattern in quotes or a URL")


@contextmanager
def table_in(found: Found, name: str) -> Iterator[Found]:
    """A table among other files."""
    with TemporaryDirectory() as folder:
        file = Path(folder) / PurePosixPath(name).name
        file.write_bytes(next(found.contents([name])))
        yield _table(name, [file])


def query(url: str, sql: str) -> Found:
    """What a database answers; url: its own, or the environment variable that holds it."""
    asked = section.checked(Query, {"url": url, "sql": sql}, "--query")
    named = re.search(r"\bfrom\s+[\"`\[]?([\w.]+)", sql, re.IGNORECASE)
    title = named[1].rpartition(".")[2] if named else "query"
    return Found("table", title, (), {}, query=asked.model_dump())


def _matching(pattern: str) -> list[Path]:
    if not re.search(r"[*?\[]", pattern):
        return []
    place = Path(pattern).expanduser()
    found = (file for file in Path(place.anchor or ".").glob(str(place.relative_to(place.anchor))))
    return sorted((file for file in found if file.is_file()), key=lambda file: packed.natural(str(file)))


def _file(path: Path) -> Found:
    """One file: an archive of many, or a table."""
    names = _members(path.expanduser())
    kind = _kind(names)
    if kind == "table":
        return _table(path.stem.partition(".")[0], [path])
    entry = local.entry(path)
    return Found(kind, path.stem, (entry,), {entry.name: path}, names, {"archive": entry.name})


def _remote(url: str) -> Found:
    """A file that is downloaded first; what it is said of the copy here holds for it."""
    file = downloads.described(url)
    with TemporaryDirectory() as folder:
        copy = Path(folder, file.name)
        copy.symlink_to(downloads.cached(file).resolve())
        found = _file(copy)
    places = {file.name: downloads.cached(file)}
    return replace(found, title=_title(urlsplit(url).path), files=(file,), places=places)


def _folder(path: Path, names: tuple[str, ...]) -> Found:
    if not names:
        raise EvermodelError(f"{path} holds no file; give another folder")
    title, kind = path.expanduser().resolve().name, _kind(names)
    if kind == "table":
        tables = [name for name in names if _ending(name, (*ENDINGS, ".gz", ".zip"))]
        return _table(title, [path / name for name in tables])
    entry = local.entry(path)
    return Found(kind, title, (entry,), {entry.name: path}, names, {"archive": entry.name})


def _table(title: str, paths: list[Path]) -> Found:
    """A table in one file, in those of its splits, or in several of one form."""
    if empty := [path for path in paths if path.expanduser().stat().st_size == 0]:
        raise EvermodelError(f"{empty[0]} is empty; give a file that holds something")
    files = tuple(local.entry(path) for path in paths)
    places = {file.name: path for file, path in zip(files, paths, strict=True)}
    options = {"splits": splits} if (splits := _splits(list(places))) else {}
    return Found("table", title, files, places, (), options)


def _splits(names: list[str]) -> dict[str, str]:
    """The file of each split, if the files are called so, each of them once."""
    found = {split: name for split, form in PARTS.items() for name in names if form.fullmatch(name)}
    whole = {"train", "test"} <= set(found) and sorted(found.values()) == sorted(names)
    return found if whole else {}


def _kind(names: Iterable[str]) -> Kind:
    """What most of the files are; texts are files in folders, as one beside others may be a table."""
    counts = Counter[Kind]()
    for name in names:
        if _ending(name, IMAGES):
            counts["images"] += 1
        elif _ending(name, TEXTS) and PurePosixPath(name).parent.name:
            counts["texts"] += 1
        else:
            counts["table"] += 1
    return max(counts, key=lambda kind: counts[kind], default="table")


def _below(folder: Path) -> tuple[str, ...]:
    names = (file.relative_to(folder).as_posix() for file in folder.rglob("*") if file.is_file())
    return tuple(sorted((name for name in names if not is_litter(name)), key=packed.natural))


def _members(file: Path) -> tuple[str, ...]:
    """The names in an archive; none of what is no archive."""
    if not _ending(file.name, ARCHIVES):
        return ()
    try:
        if zipfile.is_zipfile(file):
            with zipfile.ZipFile(file) as archive:
                names = [one.filename for one in archive.infolist() if not one.is_dir()]
        else:
            with tarfile.open(file) as archive:
                names = [one.name.removeprefix("./") for one in archive if one.isfile()]
    except (OSError, zipfile.BadZipFile, tarfile.TarError):
        raise EvermodelError(f"{file} is no archive that can be opened; pack it anew") from None
    if not (names := [name for name in names if not is_litter(name)]):
        raise EvermodelError(f"{file} holds no file; give another archive")
    return tuple(sorted(names, key=packed.natural))


def _ending(name: str, endings: tuple[str, ...]) -> bool:
    return name.lower().endswith(endings)


def _title(path: str) -> str:
    """What a pattern or URL is called: its last part without what stands for others."""
    return (
        re.sub(r"[*?\[\]]+", " ", PurePosixPath(path).stem).strip(" -_.") or PurePosixPath(path).parent.name
    )
