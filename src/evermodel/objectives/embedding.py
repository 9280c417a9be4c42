"""Learning numbers that are near each other for one face, and far apart for two."""

from evermodel.core.data import Spec
from evermodel.training import losses
from evermodel.training.objective import Objective

INPUTS: tuple[str, ...] = ("images",)
TARGET: str = "class"
NUMBERS = 128  # that stand for a face


def objective(spec: Spec) -> Objective:
    """A vector for each image, learned by triplets."""
    return Objective(NUMBERS, None, losses.triplet_semi_hard)
