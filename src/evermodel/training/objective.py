"""What a task asks of a network: its outputs, the loss that it learns by, and what it learns from.

Each task has its file in objectives/. How a task is evaluated stands in tasks/, so that a new figure or
metric retrains nothing.
"""

import importlib
import reprlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from evermodel.core import catalog
from evermodel.core.data import Array, Spec
from evermodel.core.errors import EvermodelError
from evermodel.training.losses import Loss

Target = Callable[[Array, Array], Any]
Corrupt = Callable[[Array, Mapping[str, Any], int], Array]


@dataclass(frozen=True)
class Objective:
    """The learning half of a task, in Keras' names.

    outputs and activation: of the one head, or of each by its name. target: from a batch of x and y as
    they are stored to what the network's predictions are compared with. scale: what those are multiplied
    by, one number or (outputs,), so that the network itself learns numbers about 1. offset: what the whole
    model adds to them, which target has taken away: 32 bits would not hold the digits of a number far from 0.
    corrupt: from clean x, the options and a seed to what validation shows instead, where models are judged
    by such. makes: whether the model that is saved makes examples of noise, by a part of the architecture;
    writes: whether it goes on from a text, likewise; draws: whether it makes examples of captions, which are
    the classes, and is told those while it learns.
    """

    outputs: int | Mapping[str, int]
    activation: str | Mapping[str, str | None] | None
    loss: str | Mapping[str, str | Loss] | Loss
    metrics: tuple[str, ...] | Mapping[str, str | Loss] = ()
    loss_weights: Mapping[str, float] | None = None
    target: Target = lambda x, y: y
    scale: Mapping[str, float | Array] = field(default_factory=dict)
    offset: Mapping[str, float | Array] = field(default_factory=dict)
    corrupt: Corrupt | None = None
    makes: bool = False
    writes: bool = False
    draws: bool = False


def objective_of(task: str, spec: Spec, options: Mapping[str, Any]) -> Objective:
    """The objective of a task on a data set; options: of the experiment, of which it takes its own."""
    asked = {option: options[option] for option in catalog.asked(task)}
    found: Objective = importlib.import_module(f"evermodel.objectives.{task}").objective(spec, **asked)
    return found


def number(spec: Spec, loss: str | Loss = "mean_squared_error") -> Objective:
    """One number, learned in standard deviations from its mean."""
    sd, mean = spec.target_sd[0], spec.target_mean[0]
    return Objective(
        1,
        None,
        loss,
        ("mae",),
        target=lambda x, y: y - mean,
        scale={"": sd},
        offset={"": mean},
    )


def classes(spec: Spec) -> Objective:
    """The probability of each class."""
    return Objective(len(spec.classes), "softmax", "sparse_categorical_crossentropy", ("accuracy",))


def require_two_classes(spec: Spec) -> None:
    """Raise an EvermodelError unless the data have two classes."""
    if len(spec.classes) != 2:
        raise EvermodelError(
            f"data set {spec.dataset} has {len(spec.classes)} classes ({reprlib.repr(list(spec.classes))}), "
            "but the task needs two; choose the task classification, or mend "
            f"data/{spec.dataset}/params.yaml"
        )


def image(spec: Spec) -> Objective:
    """The image that came in, its bytes as 0…1."""
    return Objective(spec.input_shape[-1], "sigmoid", "mean_squared_error", target=lambda x, y: unit(x))


def unit(pixels: Array) -> Array:
    """Bytes to 0…1, float32."""
    return np.asarray(pixels, dtype=np.float32) / 255
