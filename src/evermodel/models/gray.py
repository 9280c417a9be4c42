"""The answer without colour."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, RegressorMixin


class Gray(RegressorMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """a = b = 0 in CIE Lab for every pixel of images (n, height, width, channels)."""

    def fit(self, x: Any, y: Any) -> "Gray":
        """Nothing is learned."""
        return self

    def predict(self, x: Any) -> Any:
        """a and b, (n, height, width, 2) float32."""
        return np.zeros((*x.shape[:3], 2), np.float32)


def build(input_shape: Sequence[int], target: str) -> Gray:
    """The baseline that every colorization must beat."""
    return Gray()
