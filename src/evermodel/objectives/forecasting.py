"""Learning a series' next values."""

from dataclasses import replace

from evermodel.core.data import Spec
from evermodel.training import objective as shared
from evermodel.training.objective import Objective

INPUTS: tuple[str, ...] = ("series",)
TARGET: str = "number"


def objective(spec: Spec) -> Objective:
    """The next steps, each learned in standard deviations from the mean of all."""
    return replace(shared.number(spec), outputs=spec.horizon)
