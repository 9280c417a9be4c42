"""CIFAR-10 (Krizhevsky 2009, https://www.cs.toronto.edu/~kriz/cifar.html), in binary or as JPEGs."""

from pathlib import Path

import numpy as np
import pandas as pd

from evermodel.core.data import Array, Kind, Raw
from evermodel.core.errors import EvermodelError, UnusableError
from evermodel.core.terms import ImageOptions, Mode
from evermodel.formats import labelled_images, packed, raw_files
from evermodel.formats.labelled_images import LabelledImages

KIND: Kind = "images"

FOLDER = "cifar-10-batches-bin"
NAMES = f"{FOLDER}/batches.meta.txt"
BATCHES = {
    "train": [f"{FOLDER}/data_batch_{number}.bin" for number in range(1, 6)],
    "test": [f"{FOLDER}/test_batch.bin"],
}
IMAGE = (3, 32, 32)  # channels first
RECORD = 1 + 3 * 32 * 32  # bytes: the number of the class, then the image


def read(
    folder: Path, *, archive: str, members: str | None = None, mode: Mode = "RGB", ignore: str | None = None
) -> Raw:
    """Images, (n, 32, 32, 3) uint8, of either edition: the binary batches, or JPEGs named by split and class.

    members, mode, ignore: of JPEGs, as ImageOptions has them. The manifest has a row per image:
    split, label (the name of its class), and what image_files.metadata tells. JPEGs come in natural order of
    names, batches by their numbers, training before test. Raises EvermodelError as labelled_images.load
    does, or if a batch is missing, cut off, or names a class that there is none of.
    """
    if members:
        options: ImageOptions = {"archive": archive, "members": members, "mode": mode, "ignore": ignore}
        return labelled_images.load(folder, options).raw()
    return _batches(raw_files.checked(folder, archive)).raw()


def _batches(file: Path) -> LabelledImages:
    contents = _contents(file)
    names = np.array(contents[NAMES].decode("ascii", "replace").split())
    splits = {
        split: np.concatenate([_records(file, batch, contents[batch], len(names)) for batch in batches])
        for split, batches in BATCHES.items()
    }
    records = np.concatenate(list(splits.values()))
    pixels = np.ascontiguousarray(records[:, 1:].reshape(-1, *IMAGE).transpose(0, 2, 3, 1))
    split = np.repeat(list(splits), [len(part) for part in splits.values()])
    columns = pd.DataFrame({"split": split, "label": names[records[:, 0]]})
    return LabelledImages(columns, pixels, rejected=())


def _contents(file: Path) -> dict[str, bytes]:
    """The seven files that are read, by name."""
    wanted = [NAMES, *BATCHES["train"], *BATCHES["test"]]
    try:
        with packed.opened(file) as files:
            contents = {name: content() for name, content in files if name in wanted}
    except UnusableError as reason:
        raise EvermodelError(f"{file} holds a batch that {reason}; fetch it again") from None
    if missing := [name for name in wanted if name not in contents]:
        raise EvermodelError(f"{file} holds no {missing[0]}; fetch CIFAR-10's binary edition")
    return contents


def _records(file: Path, batch: str, content: bytes, classes: int) -> Array:
    if not content or len(content) % RECORD:
        raise EvermodelError(
            f"{file}: {batch} has {len(content)} bytes, no multiple of {RECORD}; fetch it again"
        )
    records = np.frombuffer(content, np.uint8).reshape(-1, RECORD)
    if (highest := records[:, 0].max()) >= classes:
        raise EvermodelError(
            f"{file}: {batch} has class {highest}, but {NAMES} names {classes}; fetch it again"
        )
    return records
