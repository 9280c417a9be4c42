"""Lightness in, colour out: a convolutional network that colours gray photographs."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import layers, ops

REFERENCES: list[tuple[object, ...]] = [
    ((256, 256, 3), 2, {}, 6_215_074),
    # 3x3 convolutions of 1-16-32-32-64-64-128-128-64-32-16-8-2 channels, each with its biases.
    ((32, 32, 3), 2, {"width": 0.25}, 389_098),
]
SHRINKS = 8
FILTERS = (64, 128, 128, 256, 256, 512, 512, 256, 128)
STRIDES = (2, 1, 2, 1, 2, 1, 1, 1, 1)


def build(
    input_shape: Sequence[int], outputs: int, activation: str | None, *, width: float = 1.0
) -> keras.Model:
    """Strided convolutions from the lightness to 1/8 of the size, up-sampling back to `outputs` planes.

    input_shape: (height, width, 3), sRGB floats in 0…1. Only L* goes on to the network, so that a photograph
    and its gray copy get the same colours. outputs: 2, the planes a* and b*, in the units that they are
    trained in (-1…1 with tanh). width: scales the number of filters.
    Raises ValueError if height or width is not divisible by 8.
    """
    if any(side % SHRINKS for side in input_shape[:2]):
        raise ValueError(f"height and width must be divisible by {SHRINKS}, not {tuple(input_shape[:2])}")
    inputs = keras.Input(input_shape)
    x = _lightness(inputs)
    for filters, strides in zip(FILTERS, STRIDES, strict=True):
        x = layers.Conv2D(int(filters * width), 3, strides, padding="same", activation="relu")(x)
    for filters in (64, 32):
        x = layers.UpSampling2D()(x)
        x = layers.Conv2D(int(filters * width), 3, padding="same", activation="relu")(x)
    colours = layers.Conv2D(outputs, 3, padding="same", activation=activation)(x)
    return keras.Model(inputs, layers.UpSampling2D()(colours), name="colorization")


def _lightness(srgb: Any) -> Any:
    """L* of CIE 1976 (ISO/CIE 11664-4) in 0…1 instead of 0…100: (batch, height, width, 1)."""
    linear = ops.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)
    red, green, blue = ops.split(linear, 3, axis=-1)
    luminance = 0.2126 * red + 0.7152 * green + 0.0722 * blue  # Y under D65, of IEC 61966-2-1
    root = ops.where(luminance > (6 / 29) ** 3, luminance ** (1 / 3), luminance * (29 / 6) ** 2 / 3 + 4 / 29)
    return 1.16 * root - 0.16
