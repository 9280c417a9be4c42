"""A recurrent network that tells after each character of a text how likely the next one is, step by step."""

from collections.abc import Sequence

import keras
from keras import layers

# 51*32 + 4*512*(32+512+1) + 512*50 + 50, and with a second layer 4*512*(2*512+1) more.
REFERENCES: list[tuple[object, ...]] = [
    ((250,), 50, {"units": [512]}, 1_143_442),
    ((250,), 50, {"units": [512, 512]}, 3_242_642),
]


def build(
    input_shape: Sequence[int],
    outputs: int,
    activation: str | None,
    *,
    units: Sequence[int] = (512,),
    embedding: int = 32,
    dropout: float = 0.0,
) -> keras.Model:
    """LSTM layers of `units` over characters, each with dropout after it (Graves 2013; Karpathy 2015).

    input_shape: (characters,), of which there may be any other number. outputs: how many different ones there
    are; their numbers begin with 1, and 0 stands before the first. embedding: the numbers per character.
    Takes characters (n, any), and two states (n, width) of each layer, all 0 in the beginning. Gives what
    comes after each character (n, any, outputs), and the states after the last one.
    """
    characters = keras.Input((None,), dtype="int32")
    x = layers.Embedding(outputs + 1, embedding)(characters)
    states, after = [], []
    for width in units:
        given = [keras.Input((width,)), keras.Input((width,))]
        x, *new = layers.LSTM(width, return_sequences=True, return_state=True)(x, initial_state=given)
        x = layers.Dropout(dropout)(x) if dropout else x
        states, after = [*states, *given], [*after, *new]
    following = layers.Dense(outputs, activation=activation)(x)
    return keras.Model([characters, *states], [following, *after], name="character_lstm")
