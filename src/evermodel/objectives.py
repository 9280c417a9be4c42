"""What a kind of task asks of a network: its outputs and the loss that it learns by.

How a task is judged stands in tasks/, so that a new figure or metric retrains nothing.
"""

from dataclasses import dataclass

from evermodel.data import Spec


@dataclass(frozen=True)
class Objective:
    """The learning half of a task kind, in Keras' names."""

    outputs: int
    activation: str | None
    loss: str
    metrics: tuple[str, ...]


def objective(task: str, spec: Spec) -> Objective:
    """The objective of a task on a data set."""
    return {
        "regression": Objective(1, None, "mean_squared_error", ("mae",)),
        "binary": Objective(1, "sigmoid", "binary_crossentropy", ("accuracy",)),
        "classification": Objective(
            len(spec.classes), "softmax", "sparse_categorical_crossentropy", ("accuracy",)
        ),
    }[task]
