"""Images in the four files of MNIST and Fashion-MNIST."""

from pathlib import Path

import numpy as np
import pandas as pd

from evermodel.core.data import Array, Kind, Raw
from evermodel.core.errors import EvermodelError
from evermodel.formats import idx_format, image_files, raw_files

KIND: Kind = "images"


def read(folder: Path) -> Raw:
    """Training and test images, (n, height, width, 1) uint8, in this order.

    The manifest has a row per image: split, label (int64), height and width (pixels), mode ("L", 8-bit
    grey), mean and sd of its pixels (0 to 255), and the sha256 of its pixels. Raises EvermodelError if a
    file is missing, changed, corrupt, or does not fit the others.
    """
    splits = {split: _load(folder, *names) for split, names in idx_format.FILES.items()}
    train, test = (images.shape[1:] for images, _ in splits.values())
    if train != test:
        raise EvermodelError(
            f"{folder}: training images are {train} pixels, but test images {test}; "
            "give files of one data set"
        )
    inputs = np.concatenate([images for images, _ in splits.values()])[..., np.newaxis]
    columns = pd.concat([_columns(split, labels) for split, (_, labels) in splits.items()], ignore_index=True)
    return Raw(KIND, pd.concat([columns, image_files.metadata(inputs)], axis=1), inputs)


def _load(folder: Path, images_name: str, labels_name: str) -> tuple[Array, Array]:
    images = idx_format.load_array(raw_files.checked(folder, images_name), dimensions=3)
    labels = idx_format.load_array(raw_files.checked(folder, labels_name), dimensions=1)
    if len(images) != len(labels):
        raise EvermodelError(
            f"{folder}: {images_name} has {len(images)} images, {labels_name} {len(labels)} labels; "
            "give files of one data set"
        )
    return images, labels


def _columns(split: str, labels: Array) -> pd.DataFrame:
    return pd.DataFrame({"split": split, "label": labels.astype(np.int64)})
