"""AlexNet, of "ImageNet classification with deep convolutional networks".

Krizhevsky, Sutskever & Hinton 2012.
"""

from collections.abc import Sequence

import keras
from keras import layers

# Conv 96*(11*11*3+1) = 34,944, 256*(25*96+1) = 614,656, 384*(9*256+1) = 885,120, 384*(9*384+1) = 1,327,488,
# 256*(9*384+1) = 884,992; Dense 4096*(6*6*256+1) = 37,752,832, 4096*4097 = 16,781,312, 1000*4097 = 4,097,000.
# At 1/16 of the width; 67 px end as 1x1: 2,184 + 2,416 + 3,480 + 5,208 + 3,472; 4,352 + 65,792 + 2,570.
REFERENCES = [
    ((227, 227, 3), 1000, {}, 62_378_344),
    ((67, 67, 3), 10, {"width": 1 / 16}, 89_474),
]


def build(
    input_shape: Sequence[int], outputs: int, activation: str | None, *, width: float = 1.0
) -> keras.Model:
    """Five convolutions (96-256-384-384-256, ReLU), overlapping 3x3 pooling, Dense 4096-4096, dropout 0.5.

    input_shape: (height, width, channels), floats in 0…1, at least 67 px high and wide; 227x227x3 gives the
    paper's 55x55 maps. width scales filters and dense units.

    Simpler than the paper: one tower, so that conv 2, 4 and 5 see all maps (on the paper's two GPUs, half of
    them: 60,965,224 parameters); no local response normalisation, which later work found of no use
    (Simonyan & Zisserman 2014); weights start as in He et al. 2015, not as N(0, 0.01) with some biases 1.
    """
    w96, w256, w384, w4096 = (round(width * units) for units in (96, 256, 384, 4096))
    relu = {"activation": "relu", "kernel_initializer": "he_normal"}
    inputs = keras.Input(input_shape)
    x = layers.Conv2D(w96, 11, strides=4, **relu)(inputs)
    x = layers.MaxPooling2D(3, 2)(x)
    x = layers.Conv2D(w256, 5, padding="same", **relu)(x)
    x = layers.MaxPooling2D(3, 2)(x)
    x = layers.Conv2D(w384, 3, padding="same", **relu)(x)
    x = layers.Conv2D(w384, 3, padding="same", **relu)(x)
    x = layers.Conv2D(w256, 3, padding="same", **relu)(x)
    x = layers.MaxPooling2D(3, 2)(x)
    x = layers.Flatten()(x)
    x = layers.Dense(w4096, **relu)(x)
    x = layers.Dropout(0.5)(x)
    x = layers.Dense(w4096, **relu)(x)
    x = layers.Dropout(0.5)(x)
    return keras.Model(inputs, layers.Dense(outputs, activation=activation)(x), name="alexnet")
