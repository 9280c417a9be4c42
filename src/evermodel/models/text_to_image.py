"""Pictures of captions: a decoder draws one patch after the other, and attends to the words meanwhile."""

import math
from collections.abc import Sequence
from itertools import combinations_with_replacement
from typing import Any

import keras
import numpy as np
from keras import layers, ops

# Encoder 183,695, painter 331,267; of the drawer 1,024 codes of 240 features that are fixed, 8,320 for words,
# 5,120 for places, 92,912 for features, 66,560 for the words' attention, 264,576 for each of two blocks.
REFERENCES: list[tuple[object, ...]] = [
    ((28, 56, 3), 3, {}, 1_462_786),
    ((28, 56, 3), 3, {"width": 64, "blocks": 1}, 521_410),
]


def build(
    input_shape: Sequence[int],
    outputs: int,
    activation: str | None,
    *,
    words: int = 64,
    longest: int = 8,
    patch: int = 7,
    numbers: int = 5,
    levels: int = 4,
    width: int = 128,
    heads: int = 4,
    blocks: int = 2,
    temperature: float = 1.0,
) -> keras.Model:
    """A transformer from words to the codes of patches (Vaswani et al. 2017; Ramesh et al. 2021), and an
    autoencoder between those and the image (finite scalar quantization, Mentzer et al. 2023), at once.

    input_shape: (height, width, channels), floats in 0…1. outputs: channels of the image. words, longest: how
    many words are told apart, and stand in a caption, at most; their numbers begin with 1, and 0 is none.
    patch: its side. numbers, levels: of a code, and how many values each can have; levels to the power of
    numbers is how many codes there are. width: numbers per word, place and patch. blocks: of the drawer.
    temperature: below 1, what is likely is drawn more often than that.

    Takes images and captions, (n, longest) whole numbers. Gives the heads, (n, 1) each: loss; error, the
    squared one of the image drawn of its codes; and nats, the cross-entropy of a code given the words and the
    codes before it. Its layer `decoder` draws an image of codes (n, places), and `drawer` tells of captions
    and codes the logits of each code given those before it, (n, places, codes), and how much attention each
    patch pays to each word, (n, rows, columns, longest).
    """
    image, caption = keras.Input(input_shape), keras.Input((longest,), dtype="int32")
    grid = [-(-side // patch) for side in input_shape[:2]]
    values = _encoder(input_shape, patch, width, numbers)(image)
    # Rounding has no gradient: the painter learns of what was rounded, and the encoder as if nothing was.
    rounded = ops.cast(ops.round(values * (levels - 1)), "int32")
    codes = _in_turn(sum(rounded[..., place] * levels**place for place in range(numbers)))
    painter = _painter((*grid, numbers), (*input_shape[:2], outputs), patch, width, activation)
    painted = painter(values + ops.stop_gradient(_values(codes, grid, numbers, levels) - values))
    seen = keras.Input((math.prod(grid),), dtype="int32")
    decoder = keras.Model(seen, painter(_values(seen, grid, numbers, levels)), name="decoder")
    drawer = _drawer(words, longest, grid, _features(numbers, levels), width, heads, blocks, temperature)
    logits = drawer([caption, codes])[0] * temperature
    nats = ops.mean(ops.sparse_categorical_crossentropy(codes, logits, from_logits=True), axis=1)
    error = ops.mean(ops.square(decoder(codes) - image), axis=(1, 2, 3))
    unlike = ops.mean(ops.binary_crossentropy(image, painted), axis=(1, 2, 3))
    heads_of = {"loss": unlike + nats, "error": error, "nats": nats}
    return keras.Model(
        [image, caption], {name: head[:, None] for name, head in heads_of.items()}, name="text_to_image"
    )


def _encoder(input_shape: Sequence[int], patch: int, width: int, numbers: int) -> keras.Model:
    """From an image to numbers in 0…1 of each patch, (n, rows, columns, numbers)."""
    inputs = keras.Input(input_shape)
    x = layers.Conv2D(width, patch, strides=patch, padding="same", activation="relu")(inputs)
    x = _overseen(x, width)
    # Normalised, and by about the normal distribution's own function: so all values are taken about as often.
    x = layers.BatchNormalization(momentum=0.9, center=False, scale=False)(layers.Conv2D(numbers, 1)(x))
    return keras.Model(inputs, ops.sigmoid(1.702 * x), name="encoder")


def _overseen(x: Any, width: int) -> Any:
    """Patches that know those around them, and what all have in common, such as a colour."""
    x = x + layers.Conv2D(width, 3, padding="same", activation="relu")(x)
    return x + layers.Dense(width)(ops.mean(x, axis=(1, 2), keepdims=True))


def _painter(
    taken: Sequence[int], shape: Sequence[int], patch: int, width: int, activation: str | None
) -> keras.Model:
    inputs = keras.Input(taken)
    x = layers.Conv2D(width, 1, activation="relu")(2 * inputs - 1)
    x = _overseen(x, width)
    x = x + layers.Conv2D(width, 3, padding="same", activation="relu")(x)
    x = layers.Conv2DTranspose(shape[-1], patch, strides=patch, activation=activation)(x)
    over = [(0, x.shape[axis + 1] - shape[axis]) for axis in (0, 1)]
    return keras.Model(inputs, layers.Cropping2D(over)(x), name="painter")


def _values(codes: Any, grid: Sequence[int], numbers: int, levels: int) -> Any:
    """What codes (n, places) stand for, (n, rows, columns, numbers) in 0…1."""
    digits = ops.stack([codes // levels**place % levels for place in range(numbers)], axis=-1)
    values = ops.reshape(ops.cast(digits, "float32") / (levels - 1), (-1, grid[1], grid[0], numbers))
    return ops.transpose(values, (0, 2, 1, 3))


def _in_turn(patches: Any) -> Any:
    """(n, rows, columns) to (n, places): column by column, so that what stands left is finished first."""
    return ops.reshape(ops.transpose(patches, (0, 2, 1)), (-1, patches.shape[1] * patches.shape[2]))


def _drawer(
    words: int,
    longest: int,
    grid: Sequence[int],
    features: keras.layers.ReversibleEmbedding,
    width: int,
    heads: int,
    blocks: int,
    temperature: float,
) -> keras.Model:
    caption, codes = keras.Input((longest,), dtype="int32"), keras.Input((math.prod(grid),), dtype="int32")
    there = ops.not_equal(caption, 0)[:, None]
    x = layers.Embedding(words + 1, width, name="words")(caption) + _places(caption, width)
    y = layers.LayerNormalization()(x)
    x = x + layers.MultiHeadAttention(heads, width // heads)(y, y, attention_mask=there)
    # No dense layers here: they would learn what two words are together, and know no others that meet first.
    told = layers.LayerNormalization()(x)
    # A place knows the codes before it by attention; the two beside it are looked up: that is learned sooner.
    x = _places(codes, width)
    for back in (1, grid[0]):
        seen = layers.Dense(width)(features(codes))
        x = x + ops.pad(seen, ((0, 0), (back, 0), (0, 0)))[:, :-back]
    looks = []
    for _ in range(blocks):
        y = layers.LayerNormalization()(x)
        x = x + layers.MultiHeadAttention(heads, width // heads)(y, y, use_causal_mask=True)
        across = layers.MultiHeadAttention(heads, width // heads)
        y, scores = across(
            layers.LayerNormalization()(x), told, attention_mask=there, return_attention_scores=True
        )
        x = _fed_forward(x + y, width)
        looks.append(ops.mean(scores, axis=1))
    weights = layers.Dense(features.output_dim)(layers.LayerNormalization()(x))
    logits = features(weights, reverse=True) / temperature
    look = ops.reshape(sum(looks) / blocks, (-1, grid[1], grid[0], longest))
    return keras.Model([caption, codes], [logits, ops.transpose(look, (0, 2, 1, 3))], name="drawer")


def _features(numbers: int, levels: int) -> keras.layers.ReversibleEmbedding:
    """Of what a code is made, as ones among zeros: the values of each two of its numbers.

    It is looked up and told by these, not by itself: what is learned of some codes holds for all that share
    numbers with them: so a shape is known in a colour that it never had.
    """
    digits = np.arange(levels**numbers) // levels ** np.arange(numbers)[:, None] % levels
    pairs = [one * levels + other for one, other in combinations_with_replacement(digits, 2)]
    known = np.concatenate(np.eye(levels**2)[np.array(pairs)], axis=1)
    layer = layers.ReversibleEmbedding(*known.shape, trainable=False, name="features")
    layer.build(None)
    layer.set_weights([known])
    return layer


def _places(sequence: Any, width: int) -> Any:
    """What each place of (n, places) is, (n, places, width)."""
    number = ops.cumsum(ops.ones_like(sequence), axis=1) - 1
    return layers.Embedding(sequence.shape[1], width)(number)


def _fed_forward(x: Any, width: int) -> Any:
    y = layers.Dense(4 * width, activation="relu")(layers.LayerNormalization()(x))
    return x + layers.Dense(width)(y)
