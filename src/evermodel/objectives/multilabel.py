"""Learning which of several labels apply, each of which may or may not."""

from evermodel.core.data import Spec
from evermodel.training.objective import Objective

INPUTS: tuple[str, ...] = ("table", "images", "text")
TARGET: str = "labels"


def objective(spec: Spec) -> Objective:
    """The probability of each label by itself."""
    return Objective(len(spec.targets), "sigmoid", "binary_crossentropy", ("binary_accuracy",))
