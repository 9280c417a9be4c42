"""Raw input to network input, as Keras layers that are saved inside the model."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from evermodel.core.data import Spec
from evermodel.runs.recipe import Text, Train

if TYPE_CHECKING:
    import keras


def encoder(spec: Spec, train: Train) -> keras.Model:
    """A model without weights from raw examples to what an architecture takes.

    table, series: (n, …, columns) float64, standardised with the training rows' mean and variance; images:
    (n, height, width, channels) bytes to 0…1, resized if `train` says so; text: (n,) strings to a row per
    text, as train.text says. Strings exist on the TensorFlow back end only.
    """
    import keras

    inputs = keras.Input(spec.input_shape, dtype=spec.input_dtype)
    match spec.kind:
        case "table" | "series":
            x = _standardisation(spec)(inputs)
        case "images":
            x = keras.layers.Rescaling(1 / 255)(inputs)
            x = keras.layers.Resizing(train.image_size, train.image_size)(x) if train.image_size else x
            x = keras.layers.RandomFlip("horizontal")(x) if train.random_flip else x
        case "text":
            x = _words(_vectorization(spec, train.text)(inputs), train.text)
    return keras.Model(inputs, x, name="encoder")


def _standardisation(spec: Spec) -> keras.layers.Layer:
    """(x - mean) / sd of each column, and 0 for a column that never varied: it tells nothing.

    In 64 bits, whatever the network computes in: 32 bits hold seven digits, which a time stamp has before
    the first that varies.
    """
    import keras

    mean, sd = np.array(spec.mean), np.sqrt(spec.variance)
    varies = sd > np.spacing(np.abs(mean))  # less is how the mean was rounded
    scale = np.divide(1, sd, out=np.zeros_like(sd), where=varies)
    return keras.layers.Rescaling(scale, -mean * scale, dtype="float64")  # of lists, it takes 32 bits


def _vectorization(spec: Spec, text: Text) -> keras.layers.Layer:
    import keras

    reserved = 1 if text.output == "multi_hot" else 2  # unknown, and in sequences the padding
    return keras.layers.TextVectorization(
        vocabulary=list(spec.vocabulary[: text.max_tokens - reserved]),
        max_tokens=text.max_tokens,
        output_mode=text.output,
        pad_to_max_tokens=text.output == "multi_hot",
    )


def _words(tokens: keras.KerasTensor, text: Text) -> keras.KerasTensor:
    """Of each sequence its last words, where a review comes to its point; padding follows them."""
    from keras import ops

    if text.sequence_length is None:
        return tokens
    count = ops.sum(ops.cast(tokens != 0, "int32"), axis=1, keepdims=True)
    places = ops.maximum(count - text.sequence_length, 0) + ops.arange(text.sequence_length)
    padded = ops.pad(tokens, ((0, 0), (0, text.sequence_length)))
    return ops.take_along_axis(padded, places, axis=1)
