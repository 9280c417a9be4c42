"""How much the patches of an image that was drawn attended to each word of its caption, to look at."""

import numpy as np

from evermodel.core import generation
from evermodel.core.data import Array

PAINT = np.array([213, 94, 0])  # over an image; figures.OTHER


def over(image: Array, looks: Array, caption: str) -> list[tuple[Array, str]]:
    """Each word with the image, whose patches are the more painted, the more they attended to that word.

    image: (height, width, channels) uint8; looks: (rows, columns, words), 0 or more.
    """
    shares = looks / max(float(looks.max()), np.finfo(float).tiny)
    side = [-(-size // count) for size, count in zip(image.shape, looks.shape[:2], strict=False)]
    whole = np.kron(shares, np.ones((*side, 1)))[: image.shape[0], : image.shape[1]]
    return [
        ((image / 2 * (1 - share) + PAINT * share).astype(np.uint8), word)
        for word, share in zip(generation.words(caption), np.moveaxis(whole, -1, 0)[..., None], strict=False)
    ]
