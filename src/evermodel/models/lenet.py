"""LeNet-5, of "Gradient-based learning applied to document recognition".

LeCun, Bottou, Bengio & Haffner 1998.
"""

from collections.abc import Sequence

import keras
from keras import layers

# C1 6*(25+1) = 156, C3 16*(6*25+1) = 2,416, C5 120*(16*25+1) = 48,120, F6 84*(120+1) = 10,164,
# output 10*(84+1) = 850. At half width: 78 + 608 + 60*201 + 42*61 + 430.
REFERENCES = [
    ((32, 32, 1), 10, {}, 61_706),
    ((32, 32, 1), 10, {"width": 0.5}, 15_738),
]


def build(
    input_shape: Sequence[int], outputs: int, activation: str | None, *, width: float = 1.0
) -> keras.Model:
    """Conv 6 and 16 (5x5, tanh, no padding) with 2x2 average pooling, Dense 120-84 (tanh), the head.

    input_shape: (height, width, channels), floats in 0…1; the paper's images are 32x32x1. width scales
    filters and dense units.

    Simpler than the paper, as is usual today: C3 sees all maps of S2 (the paper wires 10 of 16 maps to
    some of them), S2 and S4 average without a trainable gain and bias, tanh is not stretched to
    1.7159 tanh(2x/3), and the output is a Dense layer, not distances to hand-made codes (RBF units).
    The paper's own network has 60,000 trainable parameters.
    """
    c1, c3, c5, f6 = (round(width * units) for units in (6, 16, 120, 84))
    inputs = keras.Input(input_shape)
    x = layers.Conv2D(c1, 5, activation="tanh", name="C1")(inputs)
    x = layers.AveragePooling2D(2, name="S2")(x)
    x = layers.Conv2D(c3, 5, activation="tanh", name="C3")(x)
    x = layers.AveragePooling2D(2, name="S4")(x)
    x = layers.Flatten()(x)
    x = layers.Dense(c5, activation="tanh", name="C5")(x)
    x = layers.Dense(f6, activation="tanh", name="F6")(x)
    return keras.Model(inputs, layers.Dense(outputs, activation=activation, name="output")(x), name="lenet")
