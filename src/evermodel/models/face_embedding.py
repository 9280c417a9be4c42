"""Faces as points on the unit sphere, near each other where the person is the same.

For a triplet loss (Schroff, Kalenichenko & Philbin 2015, "FaceNet", arXiv:1503.03832).
"""

from collections.abc import Sequence

import keras
from keras import layers

REFERENCES = [
    # Conv without bias + batch norm: 288 + 128, 18,432 + 256, 73,728 + 512, 147,456 + 512;
    # Dense (7*5*128)*256 + 256 = 1,147,136; embedding 128*257 = 32,896.
    ((112, 92, 1), 128, {}, 1_421_344),
    # 72 + 32, 1,152 + 64; (16*16*16)*64 + 64; 32*65.
    ((64, 64, 1), 32, {"filters": [8, 16], "dense": 64}, 265_608),
]


def build(
    input_shape: Sequence[int],
    outputs: int,
    activation: str | None,
    *,
    filters: Sequence[int] = (32, 64, 128, 128),
    dense: int = 256,
) -> keras.Model:
    """Blocks of 3x3 convolution, batch norm, ReLU, 2x2 pooling; a Dense layer; `outputs` numbers of norm 1.

    input_shape: (height, width, channels), floats in 0…1. Features keep their place in the image (they are
    flattened, not averaged), because faces come aligned.
    """
    inputs = keras.Input(input_shape)
    x = inputs
    for width in filters:
        x = layers.Conv2D(width, 3, padding="same", use_bias=False)(x)
        # Keras' 0.99 needs some 500 steps to forget where it began: more than a few people's faces give.
        x = layers.ReLU()(layers.BatchNormalization(momentum=0.9)(x))
        x = layers.MaxPooling2D()(x)
    x = layers.Dense(dense, activation="relu")(layers.Flatten()(x))
    x = layers.Dense(outputs, activation=activation)(x)
    return keras.Model(inputs, layers.UnitNormalization()(x), name="face_embedding")
