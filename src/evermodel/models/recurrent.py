"""Recurrent layers over a series of numbers or words."""

from collections.abc import Sequence

import keras
from keras import layers, ops

REFERENCES = [
    # Each layer of n units on m inputs: n*(m+n+1), four times for an LSTM; for a GRU three times n*(m+n+2).
    ((60, 1), 1, {"cell": "simple", "units": [50]}, 2_651),
    ((60, 1), 1, {"cell": "lstm", "units": [50, 50]}, 30_651),
    ((60, 1), 1, {"cell": "gru", "units": [50, 50]}, 23_301),
    # 20,000*128 + 2*4*64*(128+64+1) twice + 129.
    (
        (200,),
        1,
        {"cell": "lstm", "units": [64, 64], "bidirectional": True, "embedding": 128, "max_tokens": 20_000},
        2_757_761,
    ),
]
CELLS = {"simple": layers.SimpleRNN, "lstm": layers.LSTM, "gru": layers.GRU}


def build(
    input_shape: Sequence[int],
    outputs: int,
    activation: str | None,
    *,
    cell: str,
    units: Sequence[int],
    bidirectional: bool = False,
    dropout: float = 0.0,
    embedding: int | None = None,
    max_tokens: int | None = None,
) -> keras.Model:
    """Recurrent layers of `units`, each with dropout after it; the last state goes to the head.

    input_shape: (steps, columns) of floats, or (steps,) of word indices, 0 for padding on the right. Words
    need `embedding`, the numbers per word, and `max_tokens`, one more than the largest index; their padding
    is masked, so that the state at the end is that of the last word. cell: simple, lstm or gru.
    Raises ValueError for any other cell.
    """
    if cell not in CELLS:
        raise ValueError(f"cell must be one of {', '.join(CELLS)}, not {cell!r}")
    inputs = keras.Input(input_shape, dtype="int32" if embedding else "float32")
    x = inputs
    if embedding:
        # A start mark (1, the unknown word) before each text: cuDNN refuses a row that is masked throughout.
        marked = ops.pad(inputs, ((0, 0), (1, 0)), constant_values=1)
        x = layers.Embedding(max_tokens, embedding, mask_zero=True)(marked)
    for position, width in enumerate(units):
        layer = CELLS[cell](width, return_sequences=position < len(units) - 1)
        x = layers.Bidirectional(layer)(x) if bidirectional else layer(x)
        x = layers.Dropout(dropout)(x) if dropout else x
    return keras.Model(inputs, layers.Dense(outputs, activation=activation)(x), name="recurrent")
