"""Faces as coordinates among the eigenfaces of the training rows."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.decomposition import PCA
from sklearn.preprocessing import normalize


class Eigenfaces(BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """The principal components of images (n, height, width, channels) uint8, at unit length."""

    def __init__(self, components: int) -> None:
        self.components = components

    def fit(self, x: Any, y: Any) -> "Eigenfaces":
        """Find the components of the training images: fewer, where the rows or pixels are; y is unused."""
        pixels = _flat(x)
        self.pca_ = PCA(min(self.components, *pixels.shape), random_state=0).fit(pixels)
        return self

    def predict(self, x: Any) -> Any:
        """The embeddings, (n, components) float32."""
        return normalize(self.pca_.transform(_flat(x)))


def build(input_shape: Sequence[int], target: str, *, components: int = 40) -> Eigenfaces:
    """Turk & Pentland 1991, who kept some 40 components; compared by angle here, not by distance."""
    return Eigenfaces(components)


def _flat(x: Any) -> Any:
    return x.reshape(len(x), -1) / np.float32(255)
