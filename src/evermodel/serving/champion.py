"""A champion that can answer: loaded once, never changed."""

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from mlflow.entities.model_registry import ModelVersion

from evermodel.core.data import Array, Spec
from evermodel.publishing import registry
from evermodel.runs import determinism, saved

BATCH = 256  # rows


@dataclass(frozen=True)
class Champion:
    """A registered version that answers; `predict` takes raw examples as `Spec.input_shape` says.

    example: the raw examples of its package; card: its model card, Markdown.
    """

    name: str
    version: int
    run_id: str
    task: str
    spec: Spec
    predict: Callable[[Array], Array]
    example: Array
    card: str


def load(version: ModelVersion, task: str) -> Champion:
    """A version whose file is the one that was registered, and which answers for its own example.

    Raises EvermodelError if it is another file, or gives no finite answer.
    """
    with tempfile.TemporaryDirectory() as folder:
        file, spec = registry.fetch(version, Path(folder))
        predict = _predictor(file, spec)
        packed = registry.example(Path(folder))
    example = np.asarray(packed, dtype=object if spec.kind == "text" else spec.input_dtype)
    number, run_id, card = int(version.version), version.run_id or "", version.description or ""
    registry.require_finite(version.name, number, predict, example)
    return Champion(version.name, number, run_id, task, spec, predict, example, card)


def _predictor(file: Path, spec: Spec) -> Callable[[Array], Array]:
    """The model, compiled once for any number of rows.

    Keras' own `predict` takes 150 ms for one row; its `predict_on_batch` compiles anew while it answers, and
    holds the interpreter long enough that 8 clients at once wait for each other. The numbers are the same.
    """
    if file.suffix != ".keras":
        return saved.predictor(file)
    model: Any = determinism.keras().saving.load_model(file, compile=False, safe_mode=True)
    import tensorflow

    kind = "string" if spec.kind == "text" else spec.input_dtype
    taken = tensorflow.TensorSpec((None, *spec.input_shape), kind)
    compiled = tensorflow.function(lambda x: model(x, training=False), [taken])

    def predict(x: Array) -> Array:
        batches = [tensorflow.constant(x[i : i + BATCH], kind) for i in range(0, len(x), BATCH)]
        return np.concatenate([compiled(batch).numpy() for batch in batches])

    return predict
