"""Learning classes, from the features of a frozen base."""

from evermodel.training import objective as shared

INPUTS: tuple[str, ...] = ("images",)
TARGET: str = "class"

objective = shared.classes
