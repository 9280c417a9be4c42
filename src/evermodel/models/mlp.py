"""A multi-layer perceptron: dense layers, with optional dropout or batch normalisation."""

from collections.abc import Sequence

import keras

REFERENCES = [
    ((13,), 1, {"units": [128, 64, 32, 16]}, 12_673),
    ((8,), 1, {"units": [5, 5]}, 81),
    ((16,), 26, {"units": [512, 512], "dropout": 0.2}, 284_698),
    ((28, 28, 1), 10, {"units": [512, 512], "dropout": 0.2}, 669_706),
    ((10_000,), 1, {"units": [50, 50, 50], "dropout": [0.3, 0.2, 0.0]}, 505_201),
    ((20,), 1, {"units": [64, 64], "dropout": [0.5, 0.0]}, 5_569),
    ((20,), 1, {"units": [64, 64], "batch_norm": True}, 5_825),
]


def build(
    input_shape: Sequence[int],
    outputs: int,
    activation: str | None,
    *,
    units: Sequence[int],
    dropout: float | Sequence[float] = 0.0,
    batch_norm: bool = False,
) -> keras.Model:
    """Flatten, Dense layers of `units` with ReLU, then Dense of `outputs`.

    input_shape: one example without the batch axis. dropout: one rate for all layers, or one a layer.
    batch_norm: batch normalisation between the hidden layers (Ioffe & Szegedy 2015, arXiv:1502.03167).
    """
    rates = dropout if isinstance(dropout, Sequence) else [dropout] * len(units)
    inputs = keras.Input(input_shape)
    x = keras.layers.Flatten()(inputs) if len(input_shape) > 1 else inputs
    for position, (width, rate) in enumerate(zip(units, rates, strict=True)):
        # Keras' momentum of 0.99 needs some 500 steps to forget where it began: more than a small table has.
        x = keras.layers.BatchNormalization(momentum=0.9)(x) if batch_norm and position else x
        x = keras.layers.Dense(width, activation="relu")(x)
        x = keras.layers.Dropout(rate)(x) if rate else x
    return keras.Model(inputs, keras.layers.Dense(outputs, activation=activation)(x), name="mlp")
