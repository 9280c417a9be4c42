"""The files beside source.json in a raw folder."""

from pathlib import Path

from evermodel.datasets import source as sources
from evermodel.core.data import file_hash
from evermodel.core.errors import EvermodelError


def checked(folder: Path, name: str) -> Path:
    """The path of a raw file, once its sha256 is the one that `fetch` wrote into source.json.

    Raises EvermodelError if the file is missing or was changed afterwards.
    """
    file = folder / name
    expected = sources.provenance(folder).files.get(name)
    if expected is None:
        raise EvermodelError(f"{folder / sources.PROVENANCE} lists no {name}; correct data/sources.yaml")
    if not file.is_file() or file_hash(file) != expected:
        wrong = "was changed since it was fetched" if file.is_file() else "is missing"
        raise EvermodelError(f"{file} {wrong}; run `dvc repro --force fetch@{folder.name}`")
    return file
