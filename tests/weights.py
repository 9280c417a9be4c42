"""What is in a saved network."""

import zipfile
from io import BytesIO
from pathlib import Path

import h5py


def numbers(file: Path) -> int:
    """How many numbers the weights in a model file are."""
    sizes: list[int] = []
    with zipfile.ZipFile(file) as archive, h5py.File(BytesIO(archive.read("model.weights.h5"))) as weights:
        weights.visititems(
            lambda _, part: sizes.append(part.size) if isinstance(part, h5py.Dataset) else None
        )
    return sum(sizes)
