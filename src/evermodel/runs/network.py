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


def compiled(model: Any, batch: int = BATCH) -> Callable[[Any], Array]:
    """The predict function of a Keras model, compiled once for any number of rows.

    It takes an array of examples, or a data frame with the columns of a table in the order of training:
    float64, NaN for a gap, and objects, str or None. Keras' own `predict` rounds numbers to 32 bits before
    the model sees them, and takes 150 ms for one row; its `predict_on_batch` compiles anew while it answers,
    and holds the interpreter long enough that 8 clients at once wait for each other. What they compute is
    the same. Raises ValueError for examples of another shape.
    """
    import tensorflow

    taken = [tensorflow.TensorSpec(tensor.shape, tensor.dtype) for tensor in model.inputs]
    # A partial, because TensorFlow tells functions apart by their code: of the fifth model that asks by the
    # same, it would warn that one is compiled again and again. Without AutoGraph, which would leave a copy of
    # the function among the temporary files.
    answer = tensorflow.function(partial(_answer, model), taken, autograph=False)

    def predict(x: Any) -> Array:
        examples = parts(x) if hasattr(x, "columns") else [x]
        shapes = [one.shape[1:] for one in examples]
        if shapes != [tuple(one.shape[1:]) for one in taken]:
            wanted = " and ".join(str(tuple(one.shape[1:])) for one in taken)
            raise ValueError(
                f"the model takes examples of shape {wanted}, not {' and '.join(map(str, shapes))}"
            )
        answers = []
        for i in range(0, len(x), batch):
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
