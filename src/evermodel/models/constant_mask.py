"""The mask that needs no image: how often each pixel was foreground."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, RegressorMixin


class ConstantMask(RegressorMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """The mean of the training masks (n, height, width, 1) uint8, 0 or 255, for every image."""

    def fit(self, x: Any, y: Any) -> "ConstantMask":
        """Remember how often each place was foreground; x is unused."""
        self.share_ = (y > 0).mean(axis=0, dtype=np.float32)
        return self

    def predict(self, x: Any) -> Any:
        """The probability of foreground of each pixel, (n, height, width, 1) float32."""
        return np.repeat(self.share_[None], len(x), axis=0)


def build(input_shape: Sequence[int], target: str) -> ConstantMask:
    """The baseline that every segmentation must beat."""
    return ConstantMask()
