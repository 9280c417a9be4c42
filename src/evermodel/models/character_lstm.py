"""A recurrent network that tells after each character of a text how likely the next one is, step by step."""

from collections.abc import Sequence

import keras
from keras import layers, ops

# 51*32 + 4*512*(32+512+1) + 512*50 + 50; and with pairs of 2,601 and triples in 4,001 buckets
# 51*8 + (2601+4001)*8 + 4*16*(3*8+16+1) + 16*50+50 + (2601+4001)*50.
REFERENCES: list[tuple[object, ...]] = [
    ((250,), 50, {"units": [512]}, 1_143_442),
    ((250,), 50, {"units": [16], "embedding": 8, "context": 3, "buckets": 4001}, 386_798),
]
FACTOR = 30_011  # of the hash; its product with a bucket's number needs 31 bits at most


def build(
    input_shape: Sequence[int],
    outputs: int,
    activation: str | None,
    *,
    units: Sequence[int] = (512,),
    embedding: int = 32,
    context: int = 1,
    buckets: int = 65_521,
    dropout: float = 0.0,
) -> keras.Model:
    """LSTM layers of `units` over characters, each with dropout after it (Graves 2013; Karpathy 2015).

    input_shape: (characters,), of which there may be any other number. outputs: how many different ones there
    are; their numbers begin with 1, and 0 stands before the first. embedding: the numbers per character.
    context: beside the last character, the last two, three … up to so many are looked up together: as
    further numbers that go into the LSTM, and as what is added to its answer (a maximum entropy model with
    hashed features beside the recurrent one; Mikolov et al. 2011). buckets: a prime up to 65,521; so many
    different ones are told apart at most.
    Takes characters (n, any), and states (n, width), all 0 in the beginning. Gives what comes after each
    character (n, any, outputs), and the states after the last one: two of each layer, and of a context the
    last characters. Raises ValueError for more buckets.
    """
    if buckets > 65_521:
        raise ValueError(f"buckets must be at most 65,521, not {buckets:,}")
    characters = keras.Input((None,), dtype="int32")
    states: list[keras.KerasTensor] = []
    after: list[keras.KerasTensor] = []
    found, added = [layers.Embedding(outputs + 1, embedding)(characters)], []
    if context > 1:
        states = [keras.Input((context - 1,))]
        recent = ops.concatenate([ops.cast(states[0], "int32"), characters], axis=1)
        after = [ops.cast(recent[:, 1 - context :], "float32")]
        for key, size in _keys(recent, context, outputs + 1, buckets):
            found.append(layers.Embedding(size, embedding)(key))
            added.append(layers.Embedding(size, outputs, embeddings_initializer="zeros")(key))
    x = layers.Concatenate()(found) if added else found[0]
    for width in units:
        given = [keras.Input((width,)), keras.Input((width,))]
        x, *new = layers.LSTM(width, return_sequences=True, return_state=True)(x, initial_state=given)
        x = layers.Dropout(dropout)(x) if dropout else x
        states, after = [*states, *given], [*after, *new]
    answer = layers.Dense(outputs, activation=None if added else activation)(x)
    following = layers.Activation(activation)(layers.Add()([answer, *added])) if added else answer
    return keras.Model([characters, *states], [following, *after], name="character_lstm")


def _keys(
    recent: keras.KerasTensor, context: int, base: int, buckets: int
) -> list[tuple[keras.KerasTensor, int]]:
    """Of the last two, three … characters at each place a number, and how many numbers there are.

    recent: (n, context - 1 + places). Few combinations are numbered one by one, many are hashed.
    """
    key, keys = recent[:, context - 1 :], []
    for back in range(1, context):
        earlier, size = recent[:, context - 1 - back : -back], base ** (back + 1)
        key = key + earlier * base**back if size <= buckets else (key * FACTOR + earlier) % buckets
        keys.append((key, min(size, buckets)))
    return keys
