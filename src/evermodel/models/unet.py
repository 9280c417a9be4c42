"""U-Net (Ronneberger, Fischer & Brox 2015, arXiv:1505.04597): a mask of the image's own size."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import layers

# With width w, c channels in and one output: 7574 w**2 + (9 c + 125) w + 5.
REFERENCES = [
    ((128, 128, 3), 1, {}, 31_032_837),
    ((32, 32, 1), 1, {"width": 4}, 121_725),
    ((32, 32, 3), 4, {"width": 4}, 121_888),
]
LEVELS = 4


def build(
    input_shape: Sequence[int],
    outputs: int,
    activation: str | None,
    *,
    width: int = 64,
    dropout: float = 0.0,
) -> keras.Model:
    """Four levels of 3x3 convolutions down (width, 2 width, …), a bottleneck, four levels up with skips.

    input_shape: (height, width, channels), floats in 0…1. The output is (height, width, outputs).
    dropout: the rate after the lowest level and the bottleneck, "at the end of the contracting path".
    Raises ValueError if height or width is not divisible by 16.

    Convolutions are padded, so that the mask is as large as the image (the paper crops); up is nearest-
    neighbour up-sampling and a 2x2 convolution. The class maps before the head, two or as many as there are
    outputs, have no ReLU: with only two of them it can silence both for good, and nothing is learned.
    """
    if any(side % 2**LEVELS for side in input_shape[:2]):
        raise ValueError(f"height and width must be divisible by {2**LEVELS}, not {tuple(input_shape[:2])}")
    inputs = keras.Input(input_shape)
    x, skips = inputs, []
    for level in range(LEVELS):
        x = _pair(x, width * 2**level)
        x = layers.Dropout(dropout)(x) if dropout and level == LEVELS - 1 else x
        skips.append(x)
        x = layers.MaxPooling2D()(x)
    x = _pair(x, width * 2**LEVELS)
    x = layers.Dropout(dropout)(x) if dropout else x
    for level in reversed(range(LEVELS)):
        up = _convolution(layers.UpSampling2D()(x), width * 2**level, 2)
        x = _pair(layers.Concatenate()([skips[level], up]), width * 2**level)
    maps = layers.Conv2D(max(2, outputs), 3, padding="same", kernel_initializer="he_normal")(x)
    return keras.Model(inputs, layers.Conv2D(outputs, 1, activation=activation)(maps), name="unet")


def _pair(x: Any, filters: int) -> Any:
    return _convolution(_convolution(x, filters, 3), filters, 3)


def _convolution(x: Any, filters: int, size: int) -> Any:
    # He initialisation, as the paper asks for.
    return layers.Conv2D(filters, size, padding="same", activation="relu", kernel_initializer="he_normal")(x)
