"""Learning which of two classes it is."""

from evermodel.core.data import Spec
from evermodel.training import objective as shared
from evermodel.training.objective import Objective

INPUTS: tuple[str, ...] = ("table", "images", "text")
TARGET: str = "class"


def objective(spec: Spec) -> Objective:
    """The probability of the second class. Raises EvermodelError if there are more, or fewer, than two."""
    shared.require_two_classes(spec)
    return Objective(1, "sigmoid", "binary_crossentropy", ("accuracy",))
