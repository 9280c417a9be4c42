"""Learning to draw an image again; while training, the noise is a layer of the architecture."""

from dataclasses import replace

from evermodel import noise
from evermodel.core.data import Spec
from evermodel.training import objective as shared
from evermodel.training.objective import Objective

INPUTS: tuple[str, ...] = ("images",)
TARGET: str = "image"


def objective(spec: Spec) -> Objective:
    """The image that came in, told from a noisy one."""
    return replace(shared.image(spec), corrupt=noise.noisy)
