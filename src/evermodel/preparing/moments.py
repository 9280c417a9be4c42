"""Mean and variance of columns that are read in pieces."""

import numpy as np

from evermodel.core.data import Array


class Moments:
    """Of columns of numbers, NaN left out, merged piece by piece (Chan, Golub & LeVeque 1979).

    By the distance of all rows to the first: so a column that never varies has its very value as mean, and
    variance 0, and one far from 0 keeps its digits. The sum of a million times 0.1 is off by more.
    """

    def __init__(self, columns: int) -> None:
        self.first = np.full(columns, np.nan)
        self.count, self._mean, self._squares = (np.zeros(columns) for _ in range(3))
        self.low, self.high = np.full(columns, np.inf), np.full(columns, -np.inf)

    def add(self, x: Array) -> None:
        """Take notice of rows, (n, columns) float64."""
        for number, column in enumerate(x.T):
            known = column[~np.isnan(column)]
            if len(known):
                self._add(number, known)

    def merge(self, other: "Moments") -> None:
        """Take notice of the rows that another one has seen, which come after those of this one."""
        for number in np.flatnonzero(other.count).tolist():
            if np.isnan(self.first[number]):
                self.first[number] = other.first[number]
            mean = other.first[number] - self.first[number] + other._mean[number]
            self._join(number, mean, other._squares[number], other.count[number])
            self._widen(number, other.low[number], other.high[number])

    def _add(self, number: int, known: Array) -> None:
        if np.isnan(self.first[number]):
            self.first[number] = known[0]
        far = known - self.first[number]
        mean = far.mean()
        self._join(number, mean, ((far - mean) ** 2).sum(), len(known))
        self._widen(number, known.min(), known.max())

    def _join(self, number: int, mean: float, squares: float, rows: float) -> None:
        before = self.count[number]
        step, count = mean - self._mean[number], before + rows
        self._squares[number] += squares + step**2 * before * rows / count
        self._mean[number] += step * rows / count
        self.count[number] = count

    def _widen(self, number: int, low: float, high: float) -> None:
        self.low[number] = min(self.low[number], low)
        self.high[number] = max(self.high[number], high)

    @property
    def mean(self) -> Array:
        """(columns,) float64; 0 where nothing is known."""
        return np.asarray(np.nan_to_num(self.first) + self._mean)

    @property
    def variance(self) -> Array:
        """(columns,) float64."""
        return np.asarray(self._squares / np.maximum(self.count, 1))
