"""What a kind of task asks of a network: its outputs, the loss that it learns by, and what it learns from.

How a task is judged stands in tasks/, so that a new figure or metric retrains nothing.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from evermodel.core.data import Array, Spec

Target = Callable[[Array, Array], Any]
EMBEDDING = 128  # numbers that stand for a face
COLOURS = 128.0  # a and b of CIE Lab lie within this


@dataclass(frozen=True)
class Objective:
    """The learning half of a task kind, in Keras' names.

    outputs and activation: of the one head, or of each by its name. target: from a batch of x and y as
    they are stored to what the network's predictions are compared with. scale: what the whole model
    multiplies its predictions by, and adds to them, so that the network itself learns numbers about 1.
    """

    outputs: int | Mapping[str, int]
    activation: str | Mapping[str, str | None] | None
    loss: str | Mapping[str, str] | Callable[[Any, Any], Any]
    metrics: tuple[str, ...] | Mapping[str, str] = ()
    loss_weights: Mapping[str, float] | None = None
    target: Target = lambda x, y: y
    scale: Mapping[str, tuple[float, float]] = field(default_factory=dict)


def objective(task: str, spec: Spec) -> Objective:
    """The objective of a task on a data set."""
    return _OBJECTIVES[task](spec)


def _number(spec: Spec) -> Objective:
    scale = {"": (spec.target_sd[0], spec.target_mean[0])}
    return Objective(1, None, "mean_squared_error", ("mae",), scale=scale)


def _classes(spec: Spec) -> Objective:
    return Objective(len(spec.classes), "softmax", "sparse_categorical_crossentropy", ("accuracy",))


def _two_classes(spec: Spec) -> Objective:
    return Objective(1, "sigmoid", "binary_crossentropy", ("accuracy",))


def _image(spec: Spec) -> Objective:
    return Objective(spec.input_shape[-1], "sigmoid", "mean_squared_error", target=lambda x, y: _unit(x))


def _mask(spec: Spec) -> Objective:
    return Objective(1, "sigmoid", "binary_crossentropy", ("accuracy",), target=lambda x, y: _unit(y))


def _colour(spec: Spec) -> Objective:
    return Objective(2, "tanh", "mean_squared_error", target=lambda x, y: _ab(x), scale={"": (COLOURS, 0.0)})


def _embedding(spec: Spec) -> Objective:
    from evermodel.training import losses

    return Objective(EMBEDDING, None, losses.triplet_semi_hard)


def _age_gender(spec: Spec) -> Objective:
    sd, mean = (dict(zip(spec.targets, values, strict=True)) for values in (spec.target_sd, spec.target_mean))
    return Objective(
        {"age": 1, "gender": 1},
        {"age": None, "gender": "sigmoid"},
        {"age": "mean_squared_error", "gender": "binary_crossentropy"},
        {"age": "mae", "gender": "accuracy"},
        loss_weights={"age": 1 / sd["age"] ** 2, "gender": 1.0},  # years² would drown the other
        target=lambda x, y: {name: y[:, [column]] for column, name in enumerate(spec.targets)},
        scale={"age": (sd["age"], mean["age"])},
    )


_OBJECTIVES: Mapping[str, Callable[[Spec], Objective]] = {
    "age_gender": _age_gender,
    "anomaly": _image,
    "binary": _two_classes,
    "classification": _classes,
    "colorization": _colour,
    "denoising": _image,
    "embedding": _embedding,
    "features": _classes,
    "forecasting": _number,
    "reconstruction": _image,
    "regression": _number,
    "segmentation": _mask,
}


def _unit(pixels: Array) -> Array:
    """Bytes to 0…1."""
    return np.asarray(pixels, dtype=np.float32) / 255


def _ab(pixels: Array) -> Array:
    """The colours a and b (CIE Lab) of sRGB pixels, (n, height, width, 2)."""
    from skimage.color import rgb2lab

    return np.asarray(rgb2lab(pixels)[..., 1:], dtype=np.float32)
