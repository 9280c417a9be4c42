"""Pairs of convolutions in the style of VGG (Simonyan & Zisserman 2014, arXiv:1409.1556)."""

from collections.abc import Sequence

import keras
from keras import layers

REFERENCES = [
    ((32, 32, 3), 10, {}, 29_900_362),
    ((64, 64, 3), 10, {}, 55_066_186),
    # Conv 112 + 148, 296 + 584; 8*8*8 inputs to Dense: 8,208 + 272; head 170.
    ((32, 32, 3), 10, {"filters": [4, 8], "dense": 16}, 9_790),
]


def build(
    input_shape: Sequence[int],
    outputs: int,
    activation: str | None,
    *,
    filters: Sequence[int] = (64, 128, 256, 512),
    dense: int = 4096,
) -> keras.Model:
    """For each number of filters two 3x3 convolutions (ReLU, same padding) and 2x2 pooling; two Dense layers.

    input_shape: (height, width, channels), floats in 0…1, at least 2**len(filters) pixels high and wide.
    Weights start as He et al. 2015 (arXiv:1502.01852) propose, or signals would fade in so many ReLU layers.
    """
    relu = {"activation": "relu", "kernel_initializer": "he_normal"}
    inputs = keras.Input(input_shape)
    x = inputs
    for width in filters:
        x = layers.Conv2D(width, 3, padding="same", **relu)(x)
        x = layers.Conv2D(width, 3, padding="same", **relu)(x)
        x = layers.MaxPooling2D()(x)
    x = layers.Dense(dense, **relu)(layers.Flatten()(x))
    x = layers.Dense(dense, **relu)(x)
    return keras.Model(inputs, layers.Dense(outputs, activation=activation)(x), name="deep_custom_cnn")
