"""A small stack of convolutions, as in the Keras and TensorFlow tutorials on Fashion-MNIST and CIFAR-10."""

from collections.abc import Sequence

import keras

REFERENCES = [
    ((28, 28, 1), 10, {"filters": [32, 64, 128], "dense": 128, "dropout": 0.25}, 241_546),
    ((32, 32, 3), 10, {"filters": [32, 64, 64], "dense": 64}, 122_570),
]


def build(
    input_shape: Sequence[int],
    outputs: int,
    activation: str | None,
    *,
    filters: Sequence[int],
    dense: int,
    dropout: float = 0.0,
) -> keras.Model:
    """3x3 convolutions with ReLU and no padding, 2x2 max-pooling between them, one Dense layer, the head.

    input_shape: (height, width, channels). Dropout follows each pooling and the Dense layer.
    """
    inputs = keras.Input(input_shape)
    x = inputs
    for position, width in enumerate(filters):
        x = keras.layers.Conv2D(width, 3, activation="relu")(x)
        if position < len(filters) - 1:
            x = keras.layers.MaxPooling2D()(x)
            x = keras.layers.Dropout(dropout)(x) if dropout else x
    x = keras.layers.Dense(dense, activation="relu")(keras.layers.Flatten()(x))
    x = keras.layers.Dropout(dropout)(x) if dropout else x
    return keras.Model(inputs, keras.layers.Dense(outputs, activation=activation)(x), name="conv_stack")
