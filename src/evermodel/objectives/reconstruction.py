"""Learning to draw an image again."""

from evermodel.training import objective as shared

INPUTS: tuple[str, ...] = ("images",)
TARGET: str = "image"

objective = shared.image
