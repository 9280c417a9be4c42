"""Learning a series' next value."""

from evermodel.training import objective as shared

INPUTS: tuple[str, ...] = ("series",)
TARGET: str = "number"

objective = shared.number
