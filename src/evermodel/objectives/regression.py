"""Learning a number."""

from evermodel.training import objective as shared

INPUTS: tuple[str, ...] = ("table", "images", "text")
TARGET: str = "number"

objective = shared.number
