"""Where raw data may come from, by which hash they are known, and on what terms."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, ValidationError, model_validator

from evermodel.core.errors import EvermodelError
from evermodel.core.section import Section

PROVENANCE = "source.json"
FileName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]


class RemoteFile(Section):
    """One file of an edition: its size in bytes, its hash and where it can be had.

    md5 is for files whose publisher tells no sha256. folder: the mirror's folder if it is not the data set's.
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


class Edition(Section):
    """One accepted form of the data: its files, and what the reader has to know of them.

    weights: pretrained weights among the files, by the base that they belong to.
    """

    name: str
    options: Mapping[str, Any] = {}
    weights: Mapping[str, FileName] = {}
    files: tuple[RemoteFile, ...]


class Sample(Section):
    """The small stand-in: a file of samples/ writes it in the first edition's format, without weights.

    always: whether there is nothing else, so that the full profile gets it too.
    """

    generator: str
    synthetic: bool
    always: bool = False
    note: str


class Source(Section):
    """A raw data set. reader: the file of readers/ that understands it. Editions: in order of preference."""

    title: str
    licence: str
    terms: str
    reader: str
    sample: Sample | None = None
    editions: Annotated[tuple[Edition, ...], Field(min_length=1)]


class Provenance(Section):
    """What lies in a raw folder; written by `fetch` as source.json beside the files."""

    title: str
    edition: str
    synthetic: bool
    note: str
    licence: str
    terms: str
    reader: str
    options: Mapping[str, Any]
    weights: Mapping[str, str] = {}
    files: Mapping[str, str]


def provenance(folder: Path) -> Provenance:
    """What `fetch` wrote about a raw folder; EvermodelError if that is missing or damaged."""
    file, stage = folder / PROVENANCE, f"{folder.parent}/dvc.yaml:fetch"
    if not file.exists():
        raise EvermodelError(f"{file} is missing; run `dvc repro {stage}`")
    try:
        return Provenance.model_validate_json(file.read_bytes())
    except ValidationError:
        raise EvermodelError(f"{file} is damaged; run `dvc repro --force {stage}`") from None
