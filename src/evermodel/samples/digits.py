"""Real handwriting: scikit-learn's digits (Alpaydin & Kaynak 1998, UCI), enlarged to MNIST's size."""

from pathlib import Path

import numpy as np
from PIL import Image
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from evermodel import idx_format
from evermodel.data import Array
from evermodel.sources import Edition

INK, MARGIN = 20, 4  # pixels: MNIST's digits fill 20x20 in the middle of 28x28


def write(folder: Path, edition: Edition) -> None:
    """Write the edition's four files: 1,437 training and 360 test images of 28x28."""
    digits = load_digits()
    images = np.stack([_enlarged(image) for image in digits.images])
    labels = digits.target.astype(np.uint8)
    train, test = train_test_split(np.arange(len(labels)), test_size=0.2, random_state=0, stratify=labels)
    idx_format.save(folder, {"train": (images[train], labels[train]), "test": (images[test], labels[test])})


def _enlarged(image: Array) -> Array:
    """An 8x8 image of inks 0 to 16 as 28x28 of 0 to 255."""
    small = Image.fromarray(np.rint(image * 255 / 16).astype(np.uint8))
    return np.pad(np.asarray(small.resize((INK, INK), Image.Resampling.BICUBIC)), MARGIN)
