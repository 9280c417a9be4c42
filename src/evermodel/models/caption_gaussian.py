"""Images of captions: what each word tells of them by itself, and a normal distribution around that."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.decomposition import PCA
from sklearn.feature_extraction import DictVectorizer
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline


class Painter(BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """Makes images of captions: the mean that their words tell, and `latent` numbers spread as N(0, 1)."""

    def __init__(self, latent: int, shape: tuple[int, ...]) -> None:
        self.latent, self.shape = latent, shape

    def fit(self, x: Any, y: Any) -> "Painter":
        """Learn from images (n, height, width, channels) uint8 and their captions (n,).

        Of captions of as many words, one digit or two, say, images vary alike.
        """
        pixels, lengths = x.reshape(len(x), -1) / np.float32(255), _lengths(y)
        self.mean_ = make_pipeline(DictVectorizer(), Ridge(1.0)).fit(_words(y), pixels)
        rest = pixels - self.mean_.predict(_words(y))
        self.around_ = {
            length: PCA(self.latent, whiten=True, svd_solver="randomized", random_state=0).fit(
                rest[lengths == length]
            )
            for length in np.unique(lengths).tolist()
        }
        return self

    def predict(self, x: Any) -> Any:
        """Images float32 in 0 to 1 of rows with the columns seed and caption."""
        captions = x["caption"].to_numpy(object)
        means = self.mean_.predict(_words(captions))
        each = zip(x["seed"], _lengths(captions), strict=True)
        made = means + np.concatenate([self._around(int(seed), length) for seed, length in each])
        return made.clip(0, 1).astype(np.float32).reshape(-1, *self.shape)

    def _around(self, seed: int, length: int) -> Any:
        around = self.around_.get(length, next(iter(self.around_.values())))
        drawn = np.random.default_rng(seed % 2**64).standard_normal((1, self.latent))
        return around.inverse_transform(drawn)


def build(input_shape: Sequence[int], target: str, *, latent: int = 16) -> Painter:
    """A linear model of words at their places, and of what that leaves the best linear code of that size."""
    return Painter(latent, tuple(input_shape))


def _words(captions: Any) -> list[dict[str, float]]:
    """Of each caption its words with their places."""
    return [{f"{place} {word}": 1.0 for place, word in enumerate(one.lower().split())} for one in captions]


def _lengths(captions: Any) -> Any:
    return np.array([len(caption.split()) for caption in captions])
