"""Raw input to network input, as Keras layers that are saved inside the model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from evermodel.core import generation
from evermodel.core.columns import Column
from evermodel.core.data import Spec
from evermodel.core.fields import TEXTS
from evermodel.runs.recipe import Text, Train

if TYPE_CHECKING:
    import keras

DAY = 86_400.0  # seconds
PERIODS = np.array([DAY, 7 * DAY, 365.2425 * DAY])
UNKNOWN = " "  # what no category is: those are stripped


def is_encoded_before(spec: Spec) -> bool:
    """Whether examples are encoded on their way into what is trained: texts exist on TensorFlow only.

    So do numbers of 64 bits, as JAX is used.
    """
    import keras

    if spec.kind in ("table", "series") and keras.backend.backend() != "tensorflow":
        return True
    return spec.kind == "text" or (spec.kind == "table" and any(c.kind in TEXTS for c in spec.columns))


def encoder(spec: Spec, train: Train) -> keras.Model:
    """A model without weights from raw examples to what an architecture takes.

    table: "numbers" (n, k) float64, NaN for a gap, and "texts" (n, m) strings, the empty one for a gap, or
    the one of them that there is, to (n, width); series: (n, …, columns) float64, standardised with the
    training rows' mean and variance; images: (n, height, width, channels) bytes to 0…1, resized if `train`
    says so; text: (n,) strings to a row per text, as train.text says. Strings exist on the TensorFlow back
    end only.
    """
    import keras

    if spec.kind == "table" and any(c.kind in TEXTS for c in spec.columns):
        return _table(spec)
    inputs = keras.Input(spec.input_shape, dtype=spec.input_dtype)
    match spec.kind:
        case "table":
            x = _numbers(spec.columns, inputs)
        case "series":
            x = _standardisation(spec.columns)(inputs)
        case "images":
            x = keras.layers.Rescaling(1 / 255)(inputs)
            x = keras.layers.Resizing(train.image_size, train.image_size)(x) if train.image_size else x
            x = keras.layers.RandomFlip("horizontal")(x) if train.random_flip else x
        case "text" if train.text.output == "characters":
            x = _characters(train.text)(inputs)
        case "text":
            x = _words(_vectorization(spec, train.text)(inputs), train.text)
    return keras.Model(inputs, x, name="encoder")


def _table(spec: Spec) -> keras.Model:
    """Numbers, beside them each category as a row of 0 and one 1, and of each text which words are in it."""
    import keras

    texts = [column for column in spec.columns if column.kind in TEXTS]
    numbers = [column for column in spec.columns if column.kind not in TEXTS]
    inputs = [keras.Input((len(texts),), dtype="string", name="texts")]
    parts = [_strings(column, inputs[0][:, place]) for place, column in enumerate(texts)]
    if numbers:
        inputs.insert(0, keras.Input((len(numbers),), dtype="float64", name="numbers"))
        parts.insert(0, _numbers(numbers, inputs[0]))
    x = keras.layers.Concatenate(dtype="float32")(parts) if len(parts) > 1 else parts[0]
    return keras.Model(inputs if numbers else inputs[0], x, name="encoder")


def _numbers(columns: Sequence[Column], x: keras.KerasTensor) -> keras.KerasTensor:
    """(n, columns) float64 to (n, width): standardised, a gap as the median; a 1 for each gap of a column
    that had some in training; and of times their places in the calendar, and how long after the time before.
    """
    import keras
    from keras import ops

    raw, had_gaps = x, [place for place, column in enumerate(columns) if column.missing]
    if any(column.gaps != "refuse" for column in columns):
        # Where a gap is refused it stays one: no answer is better than one to another question.
        medians = [column.median if column.gaps != "refuse" else np.nan for column in columns]
        x = ops.where(ops.isnan(x), np.array([medians]), x)
    parts = [_standardisation(columns)(x)]
    if had_gaps:
        parts.append(ops.cast(ops.isnan(ops.take(raw, had_gaps, axis=1)), "float32"))
    if times := [place for place, column in enumerate(columns) if column.kind == "time"]:
        parts += _calendar(ops.take(x, times, axis=1))
    if times[1:]:
        parts.append(_spans([columns[place] for place in times[1:]], ops.take(raw, times, axis=1)))
    return keras.layers.Concatenate(dtype="float32")(parts) if len(parts) > 1 else parts[0]


def _calendar(times: keras.KerasTensor) -> list[keras.KerasTensor]:
    """(n, times) seconds to the sines and cosines of their places in a day, a week and a year."""
    from keras import ops

    angles = [times * (2 * np.pi / period) for period in PERIODS]
    return [wave(angle) for angle in angles for wave in (ops.sin, ops.cos)]


def _spans(columns: Sequence[Column], times: keras.KerasTensor) -> keras.KerasTensor:
    """(n, times) seconds to the standardised seconds from each to the next, 0 where one is a gap."""
    from keras import ops

    means, variances = ([getattr(c, f"span_{name}") for c in columns] for name in ("mean", "variance"))
    spans = _rescaling(means, variances)(times[:, 1:] - times[:, :-1])
    return ops.where(ops.isnan(spans), 0.0, spans)


def _strings(column: Column, texts: keras.KerasTensor) -> keras.KerasTensor:
    """(n,) strings of a column to (n, width); a category that is not known is no category: all 0."""
    import keras

    if column.kind == "text":
        return keras.layers.TextVectorization(
            vocabulary=list(column.vocabulary) or [UNKNOWN], output_mode="multi_hot"
        )(texts)
    # A gap is a category where training rows had some.
    known = [*column.categories, *([""] if column.missing else [])] or [UNKNOWN * 2]
    layer = keras.layers.StringLookup(
        vocabulary=known, mask_token=None, oov_token=UNKNOWN, output_mode="one_hot"
    )
    return layer(texts)[:, 1:]


def _standardisation(columns: Sequence[Column]) -> keras.layers.Layer:
    """(x - mean) / sd of each column."""
    return _rescaling([column.mean for column in columns], [column.variance for column in columns])


def _rescaling(means: Sequence[float], variances: Sequence[float]) -> keras.layers.Layer:
    """(x - mean) / sd, and 0 for what never varied: it tells nothing.

    In 64 bits, whatever the network computes in: 32 bits hold seven digits, which a time stamp has before
    the first that varies.
    """
    import keras

    mean, sd = np.array(means), np.sqrt(variances)
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


def _characters(text: Text) -> keras.layers.Layer:
    """Of each text its first characters, or all: 1 for what is none of the ALPHABET, 0 after the end."""
    import keras

    return keras.layers.TextVectorization(
        vocabulary=list(generation.ALPHABET),
        standardize="lower",
        split="character",
        output_sequence_length=text.sequence_length,
    )


def captions(spec: Spec) -> np.ndarray[Any, Any]:
    """Of each caption that the classes are its words by their numbers, and 0 after the end; (captions, words
    of the longest) int32.
    """
    return np.asarray(reader_of_captions(spec, None)(list(spec.classes))).astype(np.int32)


def reader_of_captions(spec: Spec, longest: int | None) -> keras.layers.Layer:
    """From captions (n,), of words that the classes have, to their words by their numbers, (n, longest)."""
    import keras

    return keras.layers.TextVectorization(
        vocabulary=list(generation.vocabulary(spec.classes)),
        standardize="lower",
        split="whitespace",
        output_sequence_length=longest,
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
