"""The answer that needs no input: the mean, or the shares of the classes."""

from collections.abc import Sequence

from sklearn.dummy import DummyClassifier, DummyRegressor


def build(input_shape: Sequence[int], target: str) -> DummyClassifier | DummyRegressor:
    """The baseline that everything must beat: what the training rows are like on average.

    Of several targets each gets its own mean, which of a column of 0 and 1 is the share of 1.
    """
    return DummyClassifier(strategy="prior") if target == "class" else DummyRegressor()
