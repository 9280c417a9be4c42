"""Pictures drawn again from their principal components."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.decomposition import PCA


class Reconstruction(BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """What is left of images (n, height, width, channels) uint8 after `latent` numbers, in 0 to 1."""

    def __init__(self, latent: int) -> None:
        self.latent = latent

    def fit(self, x: Any, y: Any) -> "Reconstruction":
        """Find the components of the training images: fewer, where the rows or pixels are; y is unused."""
        pixels = _flat(x)
        self.pca_ = PCA(min(self.latent, *pixels.shape), random_state=0).fit(pixels)
        return self

    def predict(self, x: Any) -> Any:
        """The images, of the same shape, float32."""
        again = self.pca_.inverse_transform(self.pca_.transform(_flat(x)))
        return again.clip(0, 1).astype(np.float32).reshape(x.shape)


def build(input_shape: Sequence[int], target: str, *, latent: int = 128) -> Reconstruction:
    """The best linear auto-encoder of that size (Baldi & Hornik 1989)."""
    return Reconstruction(latent)


def _flat(x: Any) -> Any:
    return x.reshape(len(x), -1) / np.float32(255)
