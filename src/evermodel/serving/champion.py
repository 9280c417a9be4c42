"""A champion that can answer: loaded once, never changed."""

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from mlflow.entities.model_registry import ModelVersion
from mlflow.models import Model

from evermodel.core.data import Array, Spec
from evermodel.core.errors import EvermodelError
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
        predict = _predictor(file)
        packed = Model.load(str(next(Path(folder).rglob("MLmodel")))).load_input_example(folder)
    example = np.asarray(packed, dtype=object if spec.kind == "text" else spec.input_dtype)
    number, run_id, card = int(version.version), version.run_id or "", version.description or ""
    champion = Champion(version.name, number, run_id, task, spec, predict, example, card)
    # Of one row, then of all: Keras compiles anew for the second size, and never again.
    for x in (example[:1], example):
        _require_answer(champion, x)
    return champion


def _require_answer(champion: Champion, example: Array) -> None:
    answer = np.asarray(champion.predict(example), dtype=float)
    if len(answer) != len(example) or not np.isfinite(answer).all():
        raise EvermodelError(
            f"{champion.name} version {champion.version} gives no finite answer for the example in its "
            "package; promote another version"
        )


def _predictor(file: Path) -> Callable[[Array], Array]:
    """Keras' own `predict` takes 150 ms for one row, its compiled batch 2 ms, with the same answer."""
    if file.suffix != ".keras":
        return saved.predictor(file)
    model: Any = determinism.keras().saving.load_model(file, compile=False, safe_mode=True)
    return lambda x: np.concatenate(
        [np.asarray(model.predict_on_batch(x[i : i + BATCH])) for i in range(0, len(x), BATCH)]
    )
