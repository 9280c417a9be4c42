"""The files beside source.json in a raw folder."""

from pathlib import Path

from evermodel.core.data import file_hash
from evermodel.core.errors import EvermodelError
from evermodel.core.params import FILE
from evermodel.datasets import source


def checked(folder: Path, name: str) -> Path:
    """The path of a raw file, once its sha256 is the one that `fetch` wrote into source.json.

    Raises EvermodelError if the file is missing or was changed afterwards.
    """
    file = folder / name
    expected = source.provenance(folder).files.get(name)
    if expected is None:
        raise EvermodelError(
            f"{folder / source.PROVENANCE} lists no {name}; correct source.editions in {described(file)}"
        )
    if not file.is_file() or file_hash(file) != expected:
        wrong = "was changed since it was fetched" if file.is_file() else "is missing"
        raise EvermodelError(f"{file} {wrong}; run `dvc repro --force {folder.parent}/dvc.yaml:fetch`")
    return file


def described(file: Path) -> Path:
    """The params.yaml with the options that a raw file is read by."""
    return file.parents[1] / FILE
