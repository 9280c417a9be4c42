"""Learning masks."""

from evermodel.core.data import Spec
from evermodel.training.objective import Objective, unit

INPUTS: tuple[str, ...] = ("images",)
TARGET: str = "mask"


def objective(spec: Spec) -> Objective:
    """The probability of each pixel to belong to what is looked for."""
    return Objective(1, "sigmoid", "binary_crossentropy", ("accuracy",), target=lambda x, y: unit(y))
