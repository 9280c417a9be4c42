"""What the raw data of a commit is, by content hash, and where the mirror has something else.

Data is pinned: data/NAME/params.yaml knows each file by its hash. So data is new where a commit names other
files or makes another sample, and only that retrains; docs/decisions/0016 says why.
"""

import hashlib
import json
import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

from evermodel import downloads, fetching
from evermodel.core import folders, project
from evermodel.core.data import file_hash
from evermodel.core.errors import EvermodelError
from evermodel.core.params import FILE
from evermodel.datasets import dataset
from evermodel.datasets import source as sources
from evermodel.datasets.source import RemoteFile, Source
from evermodel.scheduling.checkout import git


def report() -> str:
    """One line of JSON: the commit, the sha256 of each data set, and what is wrong with which.

    A data set whose hash can't be told stands among the faults alone, and holds no other one up.
    """
    profile = project.load().profile
    hashes: dict[str, str] = {}
    faults: dict[str, str] = {}
    for name in folders.names(folders.DATASETS):
        try:
            source = dataset.load(name, profile).source
            hashes[name] = content_hash(name, source, profile)
            if not _drawn(source, profile):
                require_pinned(name, source)
        except (EvermodelError, OSError) as error:
            faults[name] = str(error)
    return json.dumps({"commit": git("rev-parse", "HEAD"), "sha256": hashes, "faults": faults})


def content_hash(name: str, source: Source, profile: str) -> str:
    """The sha256 of what `sha256sum` would say of the files: those of a sample, or all that are pinned.

    Of a database it is the query that is pinned, not the rows. Raises EvermodelError if the sample can't be
    made.
    """
    pinned = [(file.name, file.digest) for file in _files(source)]
    pinned += [(edition.query.sql, edition.query.url) for edition in source.editions if edition.query]
    listed = _sampled(name, source) if _drawn(source, profile) else pinned
    return hashlib.sha256("".join(f"{digest}  {file}\n" for file, digest in listed).encode()).hexdigest()


def require_pinned(name: str, source: Source) -> None:
    """Raise an EvermodelError that names each file of the mirror with other content than is pinned."""
    if not (mirror := os.environ.get(fetching.MIRROR)):
        return
    if not Path(mirror).is_dir():
        raise EvermodelError(f"{fetching.MIRROR} is {mirror!r}, which is not a folder; correct or unset it")
    accepted: dict[Path, list[RemoteFile]] = {}
    for file in _files(source):
        accepted.setdefault(Path(mirror, file.folder or name, file.name), []).append(file)
    if wrong := [
        path
        for path, files in accepted.items()
        if path.exists() and all(downloads.fault(path, file) for file in files)
    ]:
        raise EvermodelError(". ".join(_advice(path, folders.dataset(name) / FILE) for path in wrong))


def _drawn(source: Source, profile: str) -> bool:
    """Whether a profile has the sample, which the commit draws, and no files."""
    return source.sample is not None and (profile == "sample" or source.sample.always)


def _sampled(name: str, source: Source) -> Iterable[tuple[str, str]]:
    """What the commit makes; kept for the next look at it, for to draw all samples takes half a minute."""
    commit, kept = git("rev-parse", "HEAD"), folders.STATE / "samples" / f"{name}.json"
    with suppress(OSError, ValueError):
        known = json.loads(kept.read_text(encoding="utf-8"))
        if known["commit"] == commit:
            return list(known["files"].items())
    with TemporaryDirectory() as made:
        fetching.fetch(name, source, "sample", Path(made))
        files: dict[str, str] = dict(sorted(sources.provenance(Path(made)).files.items()))
    kept.parent.mkdir(parents=True, exist_ok=True)
    kept.write_text(json.dumps({"commit": commit, "files": files}), encoding="utf-8")
    return files.items()


def _files(source: Source) -> Iterator[RemoteFile]:
    return (file for edition in source.editions for file in edition.files)


def _advice(path: Path, pinned: Path) -> str:
    if not path.is_file():
        return f"{path} is not a file; put the file there that {pinned} names"
    return (
        f"{path} is not the file that {pinned} names; commit bytes: {path.stat().st_size}, "
        f"sha256: {file_hash(path)} to train on it, or put the old one back"
    )
