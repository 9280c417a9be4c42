"""Learning to draw what a caption says."""

from dataclasses import replace

from evermodel.core.data import Spec
from evermodel.training import objective as shared
from evermodel.training.objective import Objective

INPUTS: tuple[str, ...] = ("images",)
TARGET: str = "captioned"


def objective(spec: Spec) -> Objective:
    """The image of a caption, piece by piece; what is saved draws images of captions and noise."""
    return replace(shared.image(spec), draws=True)
