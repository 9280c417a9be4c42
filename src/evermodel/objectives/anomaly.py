"""Learning to draw normal images again, so that others come out badly."""

from evermodel.core.data import Spec
from evermodel.training import objective as shared
from evermodel.training.objective import Objective

INPUTS: tuple[str, ...] = ("images",)
TARGET: str = "class"


def objective(spec: Spec) -> Objective:
    """The image again. Raises EvermodelError unless the classes are two, what is normal and what is not."""
    shared.require_two_classes(spec)
    return shared.image(spec)
