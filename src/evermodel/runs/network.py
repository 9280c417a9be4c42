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
SEED = "seed"  # the column of what noise is made of


def compiled(model: Any, batch: int = BATCH) -> Callable[[Any], Array]:
    """The predict function of a Keras model, compiled once for any number of rows.

    It takes an array of examples, or a data frame with the columns of a table in the order of training:
    float64, NaN for a gap, and objects, str or None. Of a network that makes examples it takes a data frame
    with the column `seed`, or noise (n, k), and gives examples; and of examples, if it has an encoder, it
    gives the codes (n, k). Raises ValueError for examples of another shape.
    """
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


def noise(seeds: Any, size: int) -> Array:
    """(n, size) float32 of the standard normal distribution, a row of each whole number, whatever the others.

    NumPy's PCG64 begins with the seed modulo 2**64, and its `standard_normal` draws. Raises ValueError for a
    seed that is no whole number.
    """
    if odd := [seed for seed in seeds if seed % 1]:
        raise ValueError(f"the seed {odd[0]} is no whole number")
    generators = (np.random.default_rng(int(seed) % 2**64) for seed in seeds)
    return np.stack([one.standard_normal(size, np.float32) for one in generators])


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
