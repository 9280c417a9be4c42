"""Learning to draw an image again; the noise is a layer of the architecture."""

from evermodel.training import objective as shared

INPUTS: tuple[str, ...] = ("images",)
TARGET: str = "image"

objective = shared.image
