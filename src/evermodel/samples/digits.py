"""Real handwriting: scikit-learn's digits (Alpaydin & Kaynak 1998, UCI), enlarged to MNIST's size."""

from pathlib import Path

import numpy as np
from PIL import Image
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from evermodel.core.data import Array
from evermodel.datasets.source import Edition
from evermodel.formats import idx_format

INK, MARGIN = 20, 4  # pixels: MNIST's digits fill 20x20 in the middle of 28x28


def write(folder: Path, edition: Edition) -> None:
    """Write the edition's four files: 1,257 training and 540 test images of 28x28."""
    digits = load_digits()
    # RandomState, not default_rng: only its streams are the same in every version of NumPy (NEP 19).
    moves = np.random.RandomState(1998).randint(-2, 3, (len(digits.target), 2))
    images = np.stack([_enlarged(image, move) for image, move in zip(digits.images, moves, strict=True)])
    labels = digits.target.astype(np.uint8)
    train, test = train_test_split(np.arange(len(labels)), test_size=0.3, random_state=1, stratify=labels)
    idx_format.save(folder, {"train": (images[train], labels[train]), "test": (images[test], labels[test])})


def _enlarged(image: Array, move: Array) -> Array:
    """An 8x8 image of inks 0 to 16 as 28x28 of 0 to 255, moved down and to the right by some pixels.

    These digits touch their frame on all sides, which MNIST's, centred by their mass, do not.
    """
    small = Image.fromarray(np.rint(image * 255 / 16).astype(np.uint8))
    large = np.asarray(small.resize((INK, INK), Image.Resampling.BICUBIC))
    down, right = move
    return np.pad(large, ((MARGIN + down, MARGIN - down), (MARGIN + right, MARGIN - right)))
