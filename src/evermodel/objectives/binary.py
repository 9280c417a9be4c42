"""Learning which of two classes it is."""

from evermodel.core.data import Spec
from evermodel.training.objective import Objective


def objective(spec: Spec) -> Objective:
    """The probability of the second class."""
    return Objective(1, "sigmoid", "binary_crossentropy", ("accuracy",))
