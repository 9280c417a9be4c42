"""Two convolutions and one dense layer: the small image classifier of many tutorials."""

from collections.abc import Sequence

import keras
from keras import layers

REFERENCES: list[tuple[object, ...]] = [((64, 64, 3), 10, {}, 2_117_962)]


def build(input_shape: Sequence[int], outputs: int, activation: str | None) -> keras.Model:
    """Conv 32 and 64 (3x3, ReLU, same padding), 2x2 max-pooling after each, Dense 128, the head.

    input_shape: (height, width, channels), floats in 0…1. Nearly all parameters are in the Dense layer, whose
    number grows with the size of the image.
    """
    inputs = keras.Input(input_shape)
    x = layers.Conv2D(32, 3, padding="same", activation="relu")(inputs)
    x = layers.MaxPooling2D()(x)
    x = layers.Conv2D(64, 3, padding="same", activation="relu")(x)
    x = layers.MaxPooling2D()(x)
    x = layers.Flatten()(x)
    x = layers.Dense(128, activation="relu")(x)
    return keras.Model(inputs, layers.Dense(outputs, activation=activation)(x), name="lightweight_cnn")
