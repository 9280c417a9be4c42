"""Raw input to network input, as Keras layers that are saved inside the model."""

from __future__ import annotations

from typing import TYPE_CHECKING

from evermodel.data import Spec
from evermodel.params import Text

if TYPE_CHECKING:
    import keras


def encoder(spec: Spec, text: Text) -> keras.Model:
    """A model without weights from raw examples to what an architecture takes.

    table: (n, columns) standardised with the training rows' mean and variance; images: (n, height, width,
    channels) bytes to 0…1; text: (n,) strings to a row per text, as `text` says. Strings exist on the
    TensorFlow back end only.
    """
    import keras

    inputs = keras.Input(spec.input_shape, dtype=spec.input_dtype)
    match spec.kind:
        case "table":
            layer = keras.layers.Normalization(axis=-1, mean=spec.mean, variance=spec.variance)
        case "images":
            layer = keras.layers.Rescaling(1 / 255)
        case "text":
            layer = keras.layers.TextVectorization(
                vocabulary=list(spec.vocabulary[: text.words - _reserved(text)]),
                max_tokens=text.words,
                output_mode=text.output,
                output_sequence_length=text.length,
                pad_to_max_tokens=text.output == "multi_hot",
            )
    return keras.Model(inputs, layer(inputs), name="encoder")


def decoder(spec: Spec) -> keras.layers.Layer:
    """The last layer of a regression: standard deviations from the training rows' mean to the target's unit.

    What comes before it learns a target of mean 0 and variance 1, as its inputs are.
    """
    import keras

    return keras.layers.Rescaling(spec.target_sd, spec.target_mean, name="decoder")


def _reserved(text: Text) -> int:
    """Tokens that are no word: unknown, and in sequences the padding."""
    return 1 if text.output == "multi_hot" else 2
