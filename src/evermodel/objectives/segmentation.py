"""Learning masks."""

from evermodel.core.data import Spec
from evermodel.training.objective import Objective, classes, unit

INPUTS: tuple[str, ...] = ("images",)
TARGET: str = "mask"


def objective(spec: Spec) -> Objective:
    """The probability of each pixel to belong to what is looked for, or to each of several classes."""
    if len(spec.classes) > 2:
        return classes(spec)
    return Objective(1, "sigmoid", "binary_crossentropy", ("accuracy",), target=lambda x, y: unit(y))
