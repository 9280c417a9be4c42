"""Where raw data may come from, by which hash they are known, and on what terms."""

from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import BeforeValidator, Field, ValidationError, model_validator

from evermodel.core import catalog
from evermodel.core.errors import EvermodelError
from evermodel.core.section import Section, choose

PROVENANCE = "source.json"


def _digits(value: Any) -> Any:
    """A hash as somebody may copy it, in capitals or in groups; one of digits alone is a number to YAML."""
    if isinstance(value, int | float):
        raise ValueError(f"is {value!r}, a number; put the hash in quotes")
    return "".join(value.split()).lower() if isinstance(value, str) else value


FileName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]
Sha256 = Annotated[str, BeforeValidator(_digits), Field(pattern=r"^[0-9a-f]{64}$")]
Md5 = Annotated[str, BeforeValidator(_digits), Field(pattern=r"^[0-9a-f]{32}$")]


class RemoteFile(Section):
    """One file of an edition: its size in bytes, its hash and where it can be had.

    md5 is for files whose publisher tells no sha256. folder: the mirror's folder if it is not the data set's;
    original: the file's name there, if two of one edition would have the same.
    urls: https://, or s3://, gs:// and az:// for what the user may read there. path: where it lies on this
    machine; a folder there is known by the archive of its files (see origins/local.py).
    """

    name: FileName
    bytes: Annotated[int, Field(ge=1)]
    sha256: Sha256 | None = None
    md5: Md5 | None = None
    urls: tuple[str, ...] = ()
    path: str | None = None
    folder: FileName | None = None
    original: FileName | None = None

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


class Query(Section):
    """What a database is asked for, in its own SQL.

    url: where it is, as SQLAlchemy has it, without a password; or the environment variable that tells it.
    """

    url: str
    sql: str

    @model_validator(mode="after")
    def _no_secret(self) -> "Query":
        if "://" not in self.url and not self.url.isidentifier():
            raise ValueError(
                f"has the url {self.url!r}; give one like postgresql://HOST/NAME, or the name of the "
                "environment variable that holds it"
            )
        if "://" in self.url and urlsplit(self.url).password is not None:
            raise ValueError(
                "has a password in its url; name the environment variable that holds the url instead"
            )
        return self


class Edition(Section):
    """One accepted form of the data: its files, or the query of a database, and what the reader has to know.

    The answer to a query is a file in Parquet, named as the data set. weights: pretrained weights among the
    files, by the base that they belong to, or by the model if it has but one; and as `judge` the classifier
    that what is made is judged by.
    """

    name: str
    options: Mapping[str, Any] = {}
    weights: Mapping[str, FileName] = {}
    files: Annotated[tuple[RemoteFile, ...], Field(min_length=1)] = ()
    query: Query | None = None

    @model_validator(mode="after")
    def _has_one(self) -> "Edition":
        if bool(self.files) == bool(self.query):
            raise ValueError("needs files or a query, one of them")
        return self


class Sample(Section):
    """The small stand-in: a file of samples/ writes it in the first edition's format.

    Of the weights of that edition it has those that lie on this machine, at their `path`.
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


def require_sense(file: str, source: Source) -> None:
    """Raise an EvermodelError where names name nothing or stand twice; file: the source's params.yaml."""
    choose(f"{file}: source.reader", source.reader, catalog.modules("readers"))
    if source.sample:
        choose(f"{file}: source.sample.generator", source.sample.generator, catalog.modules("samples"))
        if not source.editions[0].files:
            raise EvermodelError(
                f"{file}: source.sample can't stand for a query; put an edition with files first"
            )
    _require_once(f"{file}: source.editions", (edition.name for edition in source.editions))
    for number, edition in enumerate(source.editions):
        where = f"{file}: source.editions.{number}"
        names = [remote.name for remote in edition.files]
        _require_once(f"{where}.files", names)
        for base, name in edition.weights.items():
            choose(f"{where}.weights.{base}", name, names, f"is {name!r}, which is none of its files")
        _require_options(f"{where}.options", source.reader, edition.options)


def _require_once(where: str, names: Iterable[str]) -> None:
    if twice := [name for name, count in Counter(names).items() if count > 1]:
        raise EvermodelError(f"{where} has the name {twice[0]} twice; rename one, or leave it out")


def _require_options(where: str, reader: str, options: Mapping[str, Any]) -> None:
    known = catalog.reader_options(reader)
    for option in options:
        choose(f"{where}.{option}", option, known, f"is not an option of reader {reader}")
    if missing := [option for option, required in known.items() if required and option not in options]:
        raise EvermodelError(f"{where}.{missing[0]} is missing; reader {reader} needs it")


def provenance(folder: Path) -> Provenance:
    """What `fetch` wrote about a raw folder; EvermodelError if that is missing or damaged."""
    file, stage = folder / PROVENANCE, f"{folder.parent}/dvc.yaml:fetch"
    if not file.exists():
        raise EvermodelError(f"{file} is missing; run `dvc repro {stage}`")
    try:
        return Provenance.model_validate_json(file.read_bytes())
    except ValidationError:
        raise EvermodelError(f"{file} is damaged; run `dvc repro --force {stage}`") from None
