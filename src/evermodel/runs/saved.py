"""A trained model on disk: the canonical model file, what is known of its training, and how to use it."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import BaseModel, ConfigDict

from evermodel.core.data import Array, file_hash
from evermodel.core.errors import EvermodelError
from evermodel.runs import archive, determinism

METADATA = "training.json"
BATCH = 256  # rows
# What a model of ours may hold beside scikit-learn's and NumPy's own types.
TRUSTED = ("numpy.reshape",)


class Metadata(BaseModel):
    """What is known of a training; the same training always has the same metadata.

    pretrained: whether it began with weights that came with the data set's source.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    key: str
    file: str
    sha256: str
    parameters: int
    epochs: int
    test_hash: str
    pretrained: bool = False


@dataclass(frozen=True)
class Saved:
    """A model that was loaded; `predict` takes raw examples and gives numbers or probabilities."""

    predict: Callable[[Array], Array]
    metadata: Metadata


def metadata(folder: Path) -> Metadata:
    """What is known of the training in a model folder; EvermodelError if there is none."""
    if not (file := folder / METADATA).exists():
        raise EvermodelError(f"{file} is missing; run `dvc repro {folder.parent}/dvc.yaml:train`")
    return Metadata.model_validate_json(file.read_text(encoding="utf-8"))


def save_keras(model: Any, folder: Path) -> Path:
    """Write a Keras model; the same model gives the same bytes."""
    file = folder / "model.keras"
    model.save(file)
    archive.canonise(file)
    return file


def save_sklearn(estimator: Any, folder: Path) -> Path:
    """Write a scikit-learn estimator without pickle; the same estimator gives the same bytes."""
    import skops.io

    file = folder / "model.skops"
    skops.io.dump(estimator, file)
    archive.canonise(file)
    return file


def load(folder: Path) -> Saved:
    """Load a model after its file has proved to be the one that training wrote.

    Raises EvermodelError if a file is missing or its sha256 differs.
    """
    known = metadata(folder)
    file = folder / known.file
    if not file.exists() or file_hash(file) != known.sha256:
        raise EvermodelError(
            f"{file} is not the file that training wrote (its sha256 is not {known.sha256}); "
            f"run `dvc checkout --force {folder}` or `dvc repro --force {folder.parent}/dvc.yaml:train`"
        )
    return Saved(predictor(file), known)


def predictor(file: Path) -> Callable[[Array], Array]:
    """The predict function of a model file whose sha256 the caller has checked."""
    return _keras(file) if file.suffix == ".keras" else _sklearn(file)


def compiled(model: Any) -> Callable[[Array], Array]:
    """The predict function of a Keras model, compiled once for any number of rows.

    Keras' own `predict` rounds numbers to 32 bits before the model sees them, and takes 150 ms for one row;
    its `predict_on_batch` compiles anew while it answers, and holds the interpreter long enough that 8
    clients at once wait for each other. What they compute is the same. Raises ValueError for examples of
    another shape.
    """
    import tensorflow

    (taken,) = [tensorflow.TensorSpec(tensor.shape, tensor.dtype) for tensor in model.inputs]
    answer = tensorflow.function(lambda x: model(x, training=False), [taken])

    def predict(x: Array) -> Array:
        if x.shape[1:] != taken.shape[1:]:
            raise ValueError(f"the model takes examples of shape {taken.shape[1:]}, not {x.shape[1:]}")
        batches = [tensorflow.constant(x[i : i + BATCH], taken.dtype) for i in range(0, len(x), BATCH)]
        return np.concatenate([answer(batch).numpy() for batch in batches])

    return predict


def write_metadata(folder: Path, known: Metadata) -> None:
    """Write training.json."""
    (folder / METADATA).write_text(json.dumps(known.model_dump(), indent=1) + "\n", encoding="utf-8")


def _keras(file: Path) -> Callable[[Array], Array]:
    return compiled(determinism.keras().saving.load_model(file, compile=False, safe_mode=True))


def _sklearn(file: Path) -> Callable[[Array], Array]:
    import skops.io

    from evermodel.training import estimator

    model = skops.io.load(file, trusted=list(TRUSTED))
    return lambda x: estimator.predict(model, x)
