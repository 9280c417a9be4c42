"""Two convolutions of 2x2 pixels: the first network of textbooks."""

from collections.abc import Sequence

import keras
from keras import layers

REFERENCES: list[tuple[object, ...]] = [((128, 128, 3), 10, {}, 3_078_598)]


def build(input_shape: Sequence[int], outputs: int, activation: str | None) -> keras.Model:
    """Conv 16 and 32 (2x2, ReLU, no padding), 2x2 max-pooling after each, Dense 100, the head.

    input_shape: (height, width, channels), floats in 0…1.
    """
    inputs = keras.Input(input_shape)
    x = layers.Conv2D(16, 2, activation="relu")(inputs)
    x = layers.MaxPooling2D()(x)
    x = layers.Conv2D(32, 2, activation="relu")(x)
    x = layers.MaxPooling2D()(x)
    x = layers.Flatten()(x)
    x = layers.Dense(100, activation="relu")(x)
    return keras.Model(inputs, layers.Dense(outputs, activation=activation)(x), name="textbook_cnn")
