"""Images made of a normal distribution over principal components."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.decomposition import PCA


class Generator(BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """Makes images of `latent` independent numbers, spread as N(0, 1), and tells those of images."""

    def __init__(self, latent: int, shape: tuple[int, ...]) -> None:
        self.latent, self.shape = latent, shape

    def fit(self, x: Any, y: Any) -> "Generator":
        """Find the components of images (n, height, width, channels) uint8: fewer, where the rows are."""
        pixels = _flat(x)
        self.pca_ = PCA(min(self.latent, *pixels.shape), whiten=True, random_state=0).fit(pixels)
        return self

    def predict(self, x: Any) -> Any:
        """Images float32 in 0 to 1 of rows with the column seed, or of codes (n, k); the codes of images."""
        if hasattr(x, "columns"):
            x = np.stack([self._drawn(int(seed)) for seed in x["seed"]])
        if x.ndim > 2:
            return self.pca_.transform(_flat(x))
        made = self.pca_.inverse_transform(x).clip(0, 1)
        return made.astype(np.float32).reshape(-1, *self.shape)

    def _drawn(self, seed: int) -> Any:
        return np.random.default_rng(seed % 2**64).standard_normal(self.pca_.n_components_)


def build(input_shape: Sequence[int], target: str, *, latent: int = 16) -> Generator:
    """The best linear code of that size, and a normal distribution in it (Tipping & Bishop 1999)."""
    return Generator(latent, tuple(input_shape))


def _flat(x: Any) -> Any:
    return x.reshape(len(x), -1) / np.float32(255)
