import io
import os
import shutil
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from evermodel import fetching
from evermodel.core import data
from evermodel.datasets.source import PROVENANCE, Provenance

Seal = Callable[[], Path]


@pytest.fixture
def seal(tmp_path) -> Seal:
    """Writes source.json for the files that the test has put into tmp_path, as `fetch` does."""

    def write() -> Path:
        files = {file.name: data.file_hash(file) for file in tmp_path.iterdir() if file.name != PROVENANCE}
        told = dict.fromkeys(("title", "edition", "note", "licence", "terms", "reader"), "")
        written = Provenance(**told, synthetic=True, options={}, files=files)
        (tmp_path / PROVENANCE).write_text(written.model_dump_json())
        return tmp_path

    return write


@pytest.fixture
def mirrored(tmp_path, seal) -> Callable[[str], Path]:
    """Puts the real files of a data set into tmp_path, whatever its params.yaml says of them."""

    def copy(name: str) -> Path:
        for file in (Path(os.environ[fetching.MIRROR]) / name).iterdir():
            shutil.copyfile(file, tmp_path / file.name)
        return seal()

    return copy


@pytest.fixture
def pack(tmp_path, seal) -> Callable[..., Path]:
    """Packs name -> bytes into an archive in tmp_path; returns its folder."""

    def write(members: dict[str, bytes], archive: str = "a.zip") -> Path:
        if archive.endswith(".zip"):
            with zipfile.ZipFile(tmp_path / archive, "w") as packed:
                for name, content in members.items():
                    packed.writestr(name, content)
        else:
            with tarfile.open(tmp_path / archive, "w:gz") as packed:
                for name, content in members.items():
                    member = tarfile.TarInfo(name)
                    member.size = len(content)
                    packed.addfile(member, io.BytesIO(content))
        return seal()

    return write


@pytest.fixture
def image() -> Callable[..., bytes]:
    """The bytes of an image of one colour, or of an array's pixels."""

    def encode(colour=0, mode="L", size=(8, 6), form="PNG") -> bytes:
        made = Image.fromarray(colour) if isinstance(colour, np.ndarray) else Image.new(mode, size, colour)
        stream = io.BytesIO()
        made.save(stream, form)
        return stream.getvalue()

    return encode
