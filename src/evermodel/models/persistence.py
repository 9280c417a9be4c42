"""Tomorrow is as today: the answer that every forecast must beat."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, RegressorMixin


class Persistence(RegressorMixin, BaseEstimator):  # type: ignore[misc]
    """Predicts what a column was at the last step of each window, for every step that is asked for."""

    def __init__(self, column: int = 0) -> None:
        self.column = column

    def fit(self, x: Any, y: Any) -> "Persistence":
        """Nothing is learnt from x (n, window, columns) and y (n,) or (n, steps) but how many steps."""
        self.steps_ = y.shape[1:]
        return self

    def predict(self, x: Any) -> Any:
        """(n,) numbers for x (n, window, columns), or (n, steps)."""
        last = x[:, -1, self.column]
        return np.tile(last[:, None], self.steps_) if self.steps_ else last


def build(input_shape: Sequence[int], target: str, *, column: int = 0) -> Persistence:
    """column: where in each step the number stands that is forecast."""
    return Persistence(column)
