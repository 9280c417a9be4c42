"""A convolutional trunk for faces, with one head or several named ones."""

from collections.abc import Mapping, Sequence

import keras
from keras import layers

REFERENCES: list[tuple[object, ...]] = [
    ((128, 128, 3), 1, {}, 2_601_153),
    # A second head costs another 512 weights and a bias.
    ((128, 128, 3), {"age": 1, "gender": 1}, {}, 2_601_666),
]


def build(
    input_shape: Sequence[int],
    outputs: int | Mapping[str, int],
    activation: str | Mapping[str, str | None] | None,
    *,
    dropout: float = 0.5,
    dense: int = 512,
) -> keras.Model:
    """Conv 32-64-128-128 (3x3, ReLU, no padding) with 2x2 pooling, dropout, one Dense layer, the heads.

    input_shape: (height, width, channels), floats in 0…1, at least 46 px high and wide. outputs: units, or
    units by name; then activation is by name too, the heads are layers of these names and the model
    returns a dict.
    """
    inputs = keras.Input(input_shape)
    x = inputs
    for filters in (32, 64, 128, 128):
        x = layers.MaxPooling2D()(layers.Conv2D(filters, 3, activation="relu")(x))
    x = layers.Dropout(dropout)(layers.Flatten()(x))
    x = layers.Dense(dense, activation="relu")(x)
    if isinstance(outputs, int):
        return keras.Model(inputs, layers.Dense(outputs, activation=activation)(x), name="face_cnn")
    assert isinstance(activation, Mapping)
    heads = {
        name: layers.Dense(units, activation=activation[name], name=name)(x)
        for name, units in outputs.items()
    }
    return keras.Model(inputs, heads, name="face_cnn")
