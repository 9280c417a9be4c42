"""The raw files of a data set: from its sample, this machine, the network, or a database."""

import importlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from evermodel import downloads
from evermodel.core import folders
from evermodel.core.data import file_hash
from evermodel.core.errors import EvermodelError
from evermodel.core.params import FILE
from evermodel.datasets.source import PROVENANCE, Edition, Provenance, RemoteFile, Sample, Source
from evermodel.origins import local

MIRROR = "EVERMODEL_MIRROR"
Copies = dict[str, tuple[Path, str]]  # hash -> where a good copy lies, and where it comes from


def fetch(name: str, source: Source, profile: str, folder: Path) -> None:
    """Fill an empty folder with the files of one edition, and source.json, which tells what they are.

    name: the data set's. profile: "sample" has the source's sample written, if it has one; "full" gets the
    real files if there are any, each from $EVERMODEL_MIRROR/<name>/<file>, its path, an earlier download, or
    its URLs; or what a database answers, as <name>.parquet. An edition that needs no network comes before one
    that does. Raises EvermodelError that names each file that can't be had, why not, and where to put it by
    hand.
    """
    if source.sample and (profile == "sample" or source.sample.always):
        provenance = _write_sample(source, source.sample, folder)
    else:
        provenance = _copy_edition(name, source, folder)
    text = json.dumps(provenance.model_dump(mode="json"), indent=1, sort_keys=True, ensure_ascii=False)
    (folder / PROVENANCE).write_text(text + "\n", encoding="utf-8")


def _write_sample(source: Source, sample: Sample, folder: Path) -> Provenance:
    edition = source.editions[0]
    importlib.import_module(f"evermodel.samples.{sample.generator}").write(folder, edition)
    written = sorted(file.name for file in folder.iterdir())
    wanted = sorted({file.name for file in edition.files} - set(edition.weights.values()))
    if written != wanted:
        raise EvermodelError(f"samples/{sample.generator}.py wrote {written}; make it write {wanted}")
    for file in wanted:
        print(f"{file}: sample ({sample.note})")
    weights = {base: name for base, name in edition.weights.items() if _copied(edition, name, folder)}
    hashes = {file.name: file_hash(file) for file in sorted(folder.iterdir())}
    told = {"synthetic": sample.synthetic, "note": sample.note, "weights": weights}
    return _provenance(source, edition, hashes, edition=edition.name if sample.always else "sample", **told)


def _copied(edition: Edition, name: str, folder: Path) -> bool:
    """Whether a file of an edition was copied from its path; EvermodelError if another one lies there."""
    file = next(one for one in edition.files if one.name == name)
    if not file.path:
        return False
    path = Path(file.path).expanduser()
    if fault := local.fault(path, file) if path.exists() else "does not exist":
        raise EvermodelError(f"{path} {fault}; put the file there that source.editions describes")
    local.copy(path, folder / name)
    print(f"{name}: file {path}")
    return True


def _copy_edition(name: str, source: Source, folder: Path) -> Provenance:
    """Copy the first edition that is complete on this machine, or else can be completed from the network."""
    copies, wrong = _copies(name, source)
    for reason in wrong:
        print(f"not used: {reason}")
    complete = (edition for edition in source.editions if edition.files and not _missing(edition, copies))
    edition = next(complete, None) or _complete(name, source, copies, wrong)
    for file in edition.files:
        path, origin = copies[file.digest]
        local.copy(path, folder / file.name)
        print(f"{file.name}: {origin}")
    if edition.query:
        from evermodel.origins import database  # with SQLAlchemy, of no use to others

        rows = database.snapshot(edition.query, folder / f"{name}.parquet")
        print(f"{name}.parquet: {rows} rows of a query")
    hashes = {file.name: file_hash(file) for file in sorted(folder.iterdir())}
    told = {"edition": edition.name, "synthetic": False, "note": "", "weights": edition.weights}
    return _provenance(source, edition, hashes, **told)


def _provenance(source: Source, form: Edition, files: Mapping[str, str], **told: Any) -> Provenance:
    terms = source.model_dump(include={"title", "licence", "terms", "reader"})
    return Provenance(**terms, options=form.options, files=files, **told)


def _copies(name: str, source: Source) -> tuple[Copies, list[str]]:
    """The good copies on this machine, and what is wrong with the others."""
    copies: Copies = {}
    wrong = []
    for file in [file for edition in source.editions for file in edition.files]:
        places = {"mirror": _mirrored(name, file), "earlier download": downloads.cached(file)}
        if file.path:
            places["file"] = Path(file.path).expanduser()
        if file.path and not places["file"].exists():
            wrong.append(f"{file.path} does not exist")
        for origin, path in places.items():
            if file.digest in copies or not path.exists():
                continue
            if fault := local.fault(path, file):
                wrong.append(
                    f"{path} {fault}; it is damaged or another edition, or {_doubt(name, source, file)}"
                )
            else:
                copies[file.digest] = path, f"{origin} {path}"
    return copies, wrong


def _complete(name: str, source: Source, copies: Copies, wrong: list[str]) -> Edition:
    """Download what the first possible edition lacks, and add it to the copies."""
    failures = []
    for edition in source.editions:
        # A file without URL first, so that nothing is downloaded for an edition that can't be completed.
        for file in sorted(_missing(edition, copies), key=lambda file: len(file.urls)):
            try:
                copies[file.digest] = downloads.cached(file), downloads.download(file)
            except downloads.UnavailableError as error:
                known = f"{file.name} ({file.algorithm} {file.digest})"
                failures.append(f"{known}: {error}; put it by hand at {_mirrored(name, file)}")
                if isinstance(error, downloads.OtherFileError):
                    failures[-1] += f", or {_doubt(name, source, file)}"
                others = [other.name for other in _missing(edition, copies) if other != file]
                failures += [f"needed beside it: {', '.join(others)}"] if others else []
                break
        else:
            return edition
    raise EvermodelError(". ".join((f"{source.title} can't be had", *wrong, *failures)))


def _missing(edition: Edition, copies: Copies) -> list[RemoteFile]:
    return [file for file in edition.files if file.digest not in copies]


def _doubt(name: str, source: Source, file: RemoteFile) -> str:
    """That the entry of a file may be wrong, and how it is mended."""
    places = ((i, j) for i, edition in enumerate(source.editions) for j, _ in enumerate(edition.files))
    i, j = next((i, j) for i, j in places if source.editions[i].files[j] is file)
    return (
        f"source.editions.{i}.files.{j} in {folders.dataset(name) / FILE} is wrong: "
        f"if this is the right file, write there the bytes and the {file.algorithm} that it has"
    )


def _mirrored(name: str, file: RemoteFile) -> Path:
    """Where a file lies in the mirror; a path that does not exist, and tells what to do, without one."""
    mirror = os.environ.get(MIRROR)
    if mirror and not Path(mirror).is_dir():
        raise EvermodelError(f"{MIRROR} is {mirror!r}, which is not a folder; correct or unset it")
    return Path(mirror or f"${MIRROR}") / (file.folder or name) / (file.original or file.name)
