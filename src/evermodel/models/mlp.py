"""A multi-layer perceptron: dense layers, each with an optional dropout."""

from collections.abc import Sequence

import keras


def build(
    input_shape: Sequence[int],
    outputs: int,
    activation: str | None,
    *,
    units: Sequence[int],
    dropout: float | Sequence[float] = 0.0,
) -> keras.Model:
    """Flatten, Dense layers of `units` with ReLU, then Dense of `outputs`.

    input_shape: one example without the batch axis. dropout: one rate for all layers, or one a layer.
    """
    rates = dropout if isinstance(dropout, Sequence) else [dropout] * len(units)
    inputs = keras.Input(input_shape)
    x = keras.layers.Flatten()(inputs) if len(input_shape) > 1 else inputs
    for width, rate in zip(units, rates, strict=True):
        x = keras.layers.Dense(width, activation="relu")(x)
        x = keras.layers.Dropout(rate)(x) if rate else x
    return keras.Model(inputs, keras.layers.Dense(outputs, activation=activation)(x), name="mlp")
