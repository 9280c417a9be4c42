"""Three normalised convolutions and global average pooling: few parameters, for images of any size."""

from collections.abc import Sequence

import keras
from keras import layers

REFERENCES: list[tuple[object, ...]] = [((64, 64, 3), 10, {}, 112_458)]


def build(input_shape: Sequence[int], outputs: int, activation: str | None) -> keras.Model:
    """Blocks of 32, 64 and 128 filters (3x3, ReLU, batch norm, pooling, dropout), averaged over the image.

    input_shape: (height, width, channels), floats in 0…1. Averaging (Lin et al. 2013, "Network in network")
    makes the number of parameters independent of the image's size.
    """
    inputs = keras.Input(input_shape)
    x = inputs
    for width in (32, 64, 128):
        x = layers.Conv2D(width, 3, padding="same", activation="relu")(x)
        # With Keras' 0.99, even with 0.9, the moving statistics trail behind the first epochs of small data.
        x = layers.BatchNormalization(momentum=0.8)(x)
        x = layers.Dropout(0.25)(layers.MaxPooling2D()(x))
    x = layers.GlobalAveragePooling2D()(x)
    x = layers.Dense(128, activation="relu")(x)
    x = layers.Dropout(0.5)(layers.BatchNormalization(momentum=0.8)(x))
    return keras.Model(inputs, layers.Dense(outputs, activation=activation)(x), name="gap_cnn")
