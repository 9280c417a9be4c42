"""Asking a saved network.

The package of a version carries a copy of this file, by which MLflow asks it too. So it imports nothing of
ours.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]
BATCH = 256  # rows
NOISE = "noise"  # the input of a network that makes examples
CAPTION = "caption"  # that of one that draws what a caption says, and the column of what it says
CHARACTER = "character"  # that of one that writes, beside texts
SEED, PROMPT = "seed", "prompt"  # the columns of what noise is made of, and of a text to go on from
WRITTEN = 200  # characters that go on from a prompt
OTHER = "\N{REPLACEMENT CHARACTER}"  # stands for what is none of the characters that are told apart


def compiled(model: Any, batch: int = BATCH) -> Callable[[Any], Array]:
    """The predict function of a Keras model, compiled once for any number of rows.

    It takes an array of examples, or a data frame with the columns of a table in the order of training:
    float64, NaN for a gap, and objects, str or None. Of a network that makes examples it takes a data frame
    with the column `seed`, or noise (n, k), and gives examples; and of examples, if it has an encoder, it
    gives the codes (n, k). Of one that writes it takes a data frame with the columns `seed` and `prompt`, and
    gives texts; and of texts the bits of their characters. Of one that draws it takes a data frame with the
    columns `seed` and `caption`, and gives images. Raises ValueError for examples of another shape.
    """
    if CHARACTER in [one.name for one in model.inputs]:
        return Writer(model, batch)
    if model.inputs[0].name == CAPTION:
        return Drawer(model, batch)
    if model.inputs[0].name == NOISE:
        return Maker(model, batch)
    answer = _compiled(model, batch)
    return lambda x: answer(parts(x) if hasattr(x, "columns") else [x])


class Maker:
    """A network that makes examples, as it is asked. size: of its noise, k."""

    def __init__(self, model: Any, batch: int) -> None:
        import keras

        self.size = int(model.inputs[0].shape[1])
        ways = zip(model.inputs, model.outputs, strict=True)
        self._make, *self._tell = [_compiled(keras.Model(*way), batch) for way in ways]

    def __call__(self, x: Any) -> Array:
        """Examples of seeds, or of noise (n, k); codes (n, k) of examples. Raises ValueError for others."""
        if hasattr(x, "columns"):
            return self._make([noise(x[SEED], self.size)])
        return (self._tell[0] if self._tell and x.ndim > 2 else self._make)([x])


class Drawer:
    """A network that draws what captions say, as it is asked.

    A code is drawn by a number that is spread evenly from 0 to 1: the first code up to which all together are
    likelier, given those before it. All places are drawn at once, by the codes of the time before, until
    nothing changes: then each is what it would be if they had been drawn one after the other, which takes as
    many times as there are places at most (Jacobi iteration; Song et al. 2021).
    """

    def __init__(self, model: Any, batch: int) -> None:
        import tensorflow

        self._batch, self._places = batch, model.inputs[1].shape[1]
        taken = [tensorflow.TensorSpec(one.shape, one.dtype) for one in model.inputs]
        self._step = tensorflow.function(partial(_answer, model), taken, autograph=False)

    def __call__(self, x: Any) -> Array:
        """Images (n, height, width, channels) of rows with a seed and a caption."""
        return self._drawn(x, 0)

    def looks(self, x: Any) -> Array:
        """How much attention each patch of those images pays to each word of its caption, and 0 after those,
        (n, rows, columns, words); they sum to 1.
        """
        return self._drawn(x, 1)

    def _drawn(self, x: Any, which: int) -> Array:
        pieces = [x[start : start + self._batch] for start in range(0, len(x), self._batch)]
        return np.concatenate([self._settled(one[SEED], one[CAPTION])[which] for one in pieces])

    def _settled(self, seeds: Any, captions: Any) -> list[Array]:
        draws = np.stack([one.random(self._places, np.float32) for one in _generators(seeds)])
        asked, drawn = captions.to_numpy(object), np.zeros(draws.shape, np.int32)
        codes = drawn - 1  # none
        while (drawn != codes).any():
            codes = drawn
            drawn, *told = (one.numpy() for one in self._step(asked, codes, draws))
        return told


class Writer:
    """A network that writes, as it is asked.

    A symbol is drawn by a number that is spread evenly from 0 to 1: the first symbol up to which all together
    are likelier. Each row has numbers of its own, and states that go from one character to the next.
    """

    def __init__(self, model: Any, batch: int) -> None:
        import keras
        import tensorflow

        self._batch = batch
        self._judge = _compiled(keras.Model(model.inputs[0], model.outputs[0]), batch)
        layers = (one for one in model.layers if isinstance(one, keras.layers.TextVectorization))
        self._encode = next(layers)
        self._symbols = np.array([OTHER, *self._encode.get_vocabulary()[2:]])
        step = keras.Model(model.inputs[1:], model.outputs[1:])
        taken = [tensorflow.TensorSpec(one.shape, one.dtype) for one in step.inputs]
        self._step = tensorflow.function(lambda *given: step(given), taken, autograph=False)
        self._widths = [one.shape[1] for one in step.inputs[1:]]

    def __call__(self, x: Any) -> Array:
        """What goes on from prompts, (n,) objects of WRITTEN characters each; of texts (n,) the bits of each
        character, (n, longest) float32, 0 after the end. Raises ValueError for others.
        """
        pieces = [x[start : start + self._batch] for start in range(0, len(x), self._batch)]
        if hasattr(x, "columns"):
            return np.concatenate([self._written(one[SEED], one[PROMPT].fillna("")) for one in pieces])
        longest = max(map(len, x))
        bits = [self._judge([one]) for one in pieces]
        return np.concatenate([np.pad(one, ((0, 0), (0, longest - one.shape[1]))) for one in bits])

    def _written(self, seeds: Any, prompts: Any) -> Array:
        draws = np.stack([one.random(WRITTEN) for one in _generators(seeds)])
        given = np.asarray(self._encode(prompts.to_numpy(object)))
        lengths = (given > 0).sum(axis=1)
        places = lengths[:, None] + np.arange(WRITTEN)
        characters = np.zeros((len(given), 1 + places.max() + 1), np.int32)  # the first one is the start mark
        characters[:, 1 : 1 + given.shape[1]] = given
        states = [np.zeros((len(given), width), np.float32) for width in self._widths]
        for place in range(places.max() + 1):
            likely, *states = self._step(characters[:, place : place + 1], *states)
            rows = np.flatnonzero((places[:, 0] <= place) & (place <= places[:, -1]))
            draw = draws[rows, place - lengths[rows], None]
            up_to = likely.numpy()[rows].astype(np.float64).cumsum(axis=1)
            characters[rows, place + 1] = 1 + (up_to <= draw).sum(axis=1).clip(max=up_to.shape[1] - 1)
        symbols = self._symbols[np.take_along_axis(characters, places + 1, axis=1) - 1]
        return np.array(["".join(row) for row in symbols], object)


def noise(seeds: Any, size: int) -> Array:
    """(n, size) float32 of the standard normal distribution, a row of each whole number, whatever the others.

    NumPy's PCG64 begins with the seed modulo 2**64, and its `standard_normal` draws. Raises ValueError for a
    seed that is no whole number.
    """
    return np.stack([one.standard_normal(size, np.float32) for one in _generators(seeds)])


def _generators(seeds: Any) -> list[np.random.Generator]:
    if odd := [seed for seed in seeds if seed % 1]:
        raise ValueError(f"the seed {odd[0]} is no whole number")
    return [np.random.default_rng(int(seed) % 2**64) for seed in seeds]


def _compiled(model: Any, batch: int) -> Callable[[list[Array]], Array]:
    """From the arrays that a network takes to its answers.

    Keras' own `predict` rounds numbers to 32 bits before the model sees them, and takes 150 ms for one row;
    its `predict_on_batch` compiles anew while it answers, and holds the interpreter long enough that 8
    clients at once wait for each other. What they compute is the same.
    """
    import tensorflow

    taken = [tensorflow.TensorSpec(tensor.shape, tensor.dtype) for tensor in model.inputs]
    # A partial, because TensorFlow tells functions apart by their code: of the fifth model that asks by the
    # same, it would warn that one is compiled again and again. Without AutoGraph, which would leave a copy of
    # the function among the temporary files.
    answer = tensorflow.function(partial(_answer, model), taken, autograph=False)

    def predict(examples: list[Array]) -> Array:
        shapes = [one.shape[1:] for one in examples]
        if shapes != [tuple(one.shape[1:]) for one in taken]:
            wanted = " and ".join(str(tuple(one.shape[1:])) for one in taken)
            raise ValueError(
                f"the model takes examples of shape {wanted}, not {' and '.join(map(str, shapes))}"
            )
        answers = []
        for i in range(0, len(examples[0]), batch):
            given = zip(examples, taken, strict=True)
            tensors = [tensorflow.constant(one[i : i + batch], spec.dtype) for one, spec in given]
            answers.append(answer(*tensors).numpy())
        return np.concatenate(answers)

    return predict


def _answer(model: Any, *x: Any) -> Any:
    return model(x if x[1:] else x[0], training=False)


def parts(table: Any) -> list[Array]:
    """What a network takes of a data frame: numbers (n, k) float64, texts (n, m), the empty one for a gap, or
    the one of them that there is.
    """
    texts = table.select_dtypes(object)
    numbers = table.drop(columns=texts.columns)
    found = [numbers.to_numpy(np.float64), texts.fillna("").to_numpy(object)]
    return [one for one in found if one.shape[1]]
