"""The next season is as the last one: what a forecast of anything with days, weeks or years must beat."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, RegressorMixin


class SeasonalPersistence(RegressorMixin, BaseEstimator):  # type: ignore[misc]
    """Predicts what a column was one season before, or as many seasons before as were known."""

    def __init__(self, season: int, column: int = 0) -> None:
        self.season = season
        self.column = column

    def fit(self, x: Any, y: Any) -> "SeasonalPersistence":
        """Nothing is learnt from x (n, window, columns) and y (n,) or (n, steps) but how many steps."""
        self.steps_ = y.shape[1:]
        return self

    def predict(self, x: Any) -> Any:
        """(n,) numbers for x (n, window, columns), or (n, steps)."""
        season = x[:, -self.season :, self.column]
        return season[:, np.arange(*self.steps_) % self.season] if self.steps_ else season[:, 0]


def build(
    input_shape: Sequence[int], target: str, *, season: int | None = None, column: int = 0
) -> SeasonalPersistence:
    """season: its steps, all of a window if None. column: where in each step the number stands that is
    forecast. Raises ValueError if a window is shorter than a season.
    """
    window = input_shape[0]
    if not 1 <= (steps := season or window) <= window:
        raise ValueError(f"season must be 1 to {window}, the steps of a window, not {season}")
    return SeasonalPersistence(steps, column)
