"""Asking a saved network.

The package of a version carries a copy of this file, by which MLflow asks it too. So it imports nothing of
ours.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]
BATCH = 256  # rows


def compiled(model: Any) -> Callable[[Array], Array]:
    """The predict function of a Keras model, compiled once for any number of rows.

    Keras' own `predict` rounds numbers to 32 bits before the model sees them, and takes 150 ms for one row;
    its `predict_on_batch` compiles anew while it answers, and holds the interpreter long enough that 8
    clients at once wait for each other. What they compute is the same. Raises ValueError for examples of
    another shape.
    """
    import tensorflow

    (taken,) = [tensorflow.TensorSpec(tensor.shape, tensor.dtype) for tensor in model.inputs]
    # Without AutoGraph, which would leave a copy of the lambda among the temporary files.
    answer = tensorflow.function(lambda x: model(x, training=False), [taken], autograph=False)

    def predict(x: Array) -> Array:
        if x.shape[1:] != taken.shape[1:]:
            raise ValueError(f"the model takes examples of shape {taken.shape[1:]}, not {x.shape[1:]}")
        batches = [tensorflow.constant(x[i : i + BATCH], taken.dtype) for i in range(0, len(x), BATCH)]
        return np.concatenate([answer(batch).numpy() for batch in batches])

    return predict
