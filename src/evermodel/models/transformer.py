"""One transformer encoder block (Vaswani et al. 2017, arXiv:1706.03762) that classifies texts."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import layers, ops

REFERENCES = [
    # Embeddings 20,000*32 + 200*32; attention 3*(32*64+64) + 64*32+32 = 8,416; feed-forward 2*(32*32+32);
    # two layer norms of 64; Dense 20*33; head 21.
    ((200,), 1, {"max_tokens": 20_000}, 657_737),
    ((30,), 1, {"max_tokens": 100}, 15_497),
]


def build(
    input_shape: Sequence[int],
    outputs: int,
    activation: str | None,
    *,
    max_tokens: int,
    width: int = 32,
    heads: int = 2,
    feed_forward: int = 32,
    dropout: float = 0.1,
) -> keras.Model:
    """Token + position embedding, self-attention, feed-forward, average over the text, Dense 20, the head.

    input_shape: (length,) word indices below `max_tokens`, 0 for padding. width: numbers per word, and per
    head as in the Keras tutorial that this follows. The layer named attention gives its weights when called
    with return_attention_scores=True. Padding is a word like any other: a masked average of a text without a
    word is not a number.
    """
    inputs = keras.Input(input_shape, dtype="int32")
    x = _embedded(inputs, max_tokens, input_shape[0], width)
    attention = layers.MultiHeadAttention(heads, width, name="attention")
    x = layers.LayerNormalization(epsilon=1e-6)(x + layers.Dropout(dropout)(attention(x, x)))
    hidden = layers.Dense(width)(layers.Dense(feed_forward, activation="relu")(x))
    x = layers.LayerNormalization(epsilon=1e-6)(x + layers.Dropout(dropout)(hidden))
    x = layers.Dropout(dropout)(layers.GlobalAveragePooling1D()(x))
    x = layers.Dropout(dropout)(layers.Dense(20, activation="relu")(x))
    return keras.Model(inputs, layers.Dense(outputs, activation=activation)(x), name="transformer")


def _embedded(tokens: Any, max_tokens: int, length: int, width: int) -> Any:
    """What a word is plus where it stands: (batch, length, width)."""
    positions = ops.cumsum(ops.ones_like(tokens), axis=1) - 1
    word = layers.Embedding(max_tokens, width, name="tokens")(tokens)
    return word + layers.Embedding(length, width, name="positions")(positions)
