"""Learning to make examples of noise."""

from dataclasses import replace

from evermodel.core.data import Spec
from evermodel.training import objective as shared
from evermodel.training.objective import Objective

INPUTS: tuple[str, ...] = ("images",)
TARGET: str = "example"


def objective(spec: Spec) -> Objective:
    """The image that came in, by its likelihood; what is saved makes images of noise."""
    drawn = shared.image(spec)
    return replace(drawn, loss="binary_crossentropy", metrics=("mse",), makes=True)
