"""How long a model takes to answer, beside a small network that answers in turn with it.

Seconds are of one machine at one moment; how many times as long as something else is hardly. Not as long as
the champion, because then each could be slower than the one before by as much, and the first by anything.
"""

import statistics
import time
from collections.abc import Callable
from dataclasses import replace
from itertools import cycle, islice
from typing import Any

import numpy as np

from evermodel.core import folders
from evermodel.core.project import Runtime
from evermodel.core.rows import Rows
from evermodel.publishing.candidate import Candidate
from evermodel.runs import determinism, network, saved

TURNS = 51
EXAMPLES = 16  # texts are of different length
INPUTS, UNITS = 784, 64  # of the reference

Predict = Callable[[Any], object]


def measured(model: Candidate, runtime: Runtime) -> Candidate:
    """The model with its latency if its policy asks for it."""
    if model.policy.max_latency is None:
        return model
    determinism.fix(runtime)
    some = model.examples(EXAMPLES)
    x = some.frame() if isinstance(some, Rows) else some
    ours, theirs = saved.predictor(folders.model(model.name) / model.metadata.file), reference()
    blank = np.zeros((1, INPUTS), np.float32)
    return replace(model, latency=ratio(ours, [x[i : i + 1] for i in range(len(x))], theirs, blank))


def ratio(ours: Predict, examples: list[Any], theirs: Predict, example: Any) -> float:
    """How many times as long as `theirs` takes for its one example `ours` takes for one of the examples.

    Both take turns, so that a busy machine slows both, and the median of all turns counts.
    """
    ours(examples[0]), theirs(example)  # the first call compiles
    return statistics.median(
        _seconds(ours, one) / _seconds(theirs, example) for one in islice(cycle(examples), TURNS)
    )


def reference() -> Predict:
    """A network of one hidden layer."""
    keras = determinism.keras()
    layers = [keras.Input((INPUTS,)), keras.layers.Dense(UNITS, "relu"), keras.layers.Dense(1)]
    return network.compiled(keras.Sequential(layers))


def _seconds(predict: Predict, x: Any) -> float:
    began = time.perf_counter()
    predict(x)
    return time.perf_counter() - began
