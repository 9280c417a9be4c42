"""The answer that needs no input: the mean, a quantile, or the shares of the classes."""

from collections.abc import Sequence

from sklearn.dummy import DummyClassifier, DummyRegressor


def build(
    input_shape: Sequence[int], target: str, *, quantile: float | None = None
) -> DummyClassifier | DummyRegressor:
    """The baseline that everything must beat: what the training rows are like on average.

    Of several targets each gets its own mean, which of a column of 0 and 1 is the share of 1. quantile: of a
    number, what so large a share of the training rows does not exceed.
    """
    if target == "class":
        return DummyClassifier(strategy="prior")
    return DummyRegressor() if quantile is None else DummyRegressor(strategy="quantile", quantile=quantile)
