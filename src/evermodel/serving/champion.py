"""A champion that can answer: loaded once, never changed."""

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mlflow.entities.model_registry import ModelVersion

from evermodel.core.data import Array, Spec
from evermodel.publishing import example, registry
from evermodel.runs import saved


@dataclass(frozen=True)
class Champion:
    """A registered version that answers; `predict` takes a typed table, or an array of `Spec.input_shape`.

    example: the raw examples of its package; card: its model card, Markdown.
    """

    name: str
    version: int
    run_id: str
    task: str
    spec: Spec
    predict: Callable[[Any], Array]
    example: Any
    card: str


def load(version: ModelVersion, task: str) -> Champion:
    """A version whose file is the one that was registered, and which answers for its own example.

    Raises EvermodelError if it is another file, or gives no finite answer.
    """
    with tempfile.TemporaryDirectory() as folder:
        return fetched(version, task, Path(folder))


def fetched(version: ModelVersion, task: str, folder: Path) -> Champion:
    """As `load`; its package stays in a folder."""
    return _asked(version, task, folder, *registry.fetch(version, folder))


def opened(version: ModelVersion, task: str, folder: Path) -> Champion:
    """As `load`, of a package that lies here."""
    return _asked(version, task, folder, *registry.checked(version, folder))


def _asked(version: ModelVersion, task: str, folder: Path, file: Path, spec: Spec) -> Champion:
    predict, packed = saved.predictor(file), example.read(folder)
    asked = example.taken(packed, spec)
    number, run_id, card = int(version.version), version.run_id or "", version.description or ""
    registry.require_finite(version.name, number, predict, asked)
    shown = packed if spec.kind == "table" else asked
    return Champion(version.name, number, run_id, task, spec, predict, shown, card)
