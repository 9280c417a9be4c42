"""Learning classes."""

from evermodel.training import objective as shared

INPUTS: tuple[str, ...] = ("table", "images", "text")
TARGET: str = "class"

objective = shared.classes
