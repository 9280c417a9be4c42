"""data/sources.yaml: where each raw data set may come from, by which hash it is known, and on what terms."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from evermodel.core.errors import EvermodelError

FILE = Path("data/sources.yaml")
PROVENANCE = "source.json"
FileName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]


class Entry(BaseModel):
    """A frozen part of sources.yaml that refuses keys it does not know."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class RemoteFile(Entry):
    """One file of an edition: its size in bytes, its hash and where it can be had.

    md5 is for files whose publisher tells no sha256. folder: the mirror's folder if it is not the source's.
    """

    name: FileName
    bytes: Annotated[int, Field(ge=0)]
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")] | None = None
    md5: Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")] | None = None
    urls: tuple[str, ...] = ()
    folder: FileName | None = None

    @model_validator(mode="after")
    def _one_hash(self) -> "RemoteFile":
        if (self.sha256 is None) == (self.md5 is None):
            raise ValueError("needs one hash, sha256 or md5")
        return self

    @property
    def algorithm(self) -> str:
        """The name of the hash that the file is known by."""
        return "sha256" if self.sha256 else "md5"

    @property
    def digest(self) -> str:
        """The hash that the file is known by."""
        return self.sha256 or self.md5 or ""


class Edition(Entry):
    """One accepted form of the data: its files and the reader (a file of readers/) that understands them.

    weights: pretrained weights among the files, by the base that they belong to.
    """

    name: str
    reader: str
    options: Mapping[str, Any] = {}
    weights: Mapping[str, FileName] = {}
    files: tuple[RemoteFile, ...]


class Sample(Entry):
    """The small stand-in: a file of samples/ writes it in the first edition's format, without weights.

    always: whether there is nothing else, so that the full profile gets it too.
    """

    generator: str
    made: bool
    always: bool = False
    note: str


class Source(Entry):
    """A raw data set. Editions stand in order of preference."""

    title: str
    licence: str
    terms: str
    sample: Sample | None = None
    editions: Annotated[tuple[Edition, ...], Field(min_length=1)]


class Provenance(Entry):
    """What lies in a raw folder; written by `fetch` as source.json beside the files."""

    title: str
    edition: str
    made: bool
    note: str
    licence: str
    terms: str
    reader: str
    options: Mapping[str, Any]
    weights: Mapping[str, str] = {}
    files: Mapping[str, str]


def load(name: str, file: Path = FILE) -> Source:
    """The source of that name; EvermodelError that names the key if it is missing or wrong."""
    try:
        entries = yaml.safe_load(file.read_text(encoding="utf-8")) or {}
    except FileNotFoundError:
        raise EvermodelError(f"{file} is not here; run this command in the root of the repository") from None
    except yaml.YAMLError as error:
        raise EvermodelError(f"{file} is not valid YAML: {' '.join(str(error).split())}") from None
    if name not in entries:
        raise EvermodelError(f"{file} has no source {name!r}; the choices are {', '.join(sorted(entries))}")
    try:
        return Source.model_validate(entries[name])
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        path = ".".join(str(part) for part in (name, *first["loc"]))
        raise EvermodelError(f"{file}: {path}: {first['msg'].lower()}") from None


def provenance(folder: Path) -> Provenance:
    """What `fetch` wrote about a raw folder."""
    file = folder / PROVENANCE
    if not file.exists():
        raise EvermodelError(f"{file} is missing; run `dvc repro fetch@{folder.name}`")
    try:
        return Provenance.model_validate_json(file.read_bytes())
    except ValidationError:
        raise EvermodelError(f"{file} is damaged; run `dvc repro --force fetch@{folder.name}`") from None
