"""A trained model on disk: the canonical model file, what is known of its training, and how to use it."""

import importlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import numpy as np
from pydantic import BaseModel, ConfigDict, ValidationError

from evermodel.core import project
from evermodel.core.data import Array, Target, file_hash
from evermodel.core.errors import EvermodelError
from evermodel.core.rows import Rows
from evermodel.runs import archive, determinism, network

METADATA = "training.json"
# What histogram-based boosting holds where columns are categories: a check that is called with arguments.
PARTIAL, CHECK = "functools.partial", "sklearn.utils.validation.check_array"
# What a model.skops may hold beside what skops itself trusts. Classes of these only hold numbers and parts;
# a function would be called with what the file says, and NumPy and SciPy have some that run code.
CLASSES = ("sklearn", "scipy.interpolate", "scipy.sparse", "scipy.spatial", "scipy.stats")
FUNCTIONS_OF = ("sklearn.feature_selection", "sklearn.metrics")
TRUSTED = (
    "numpy.clip",
    "numpy.diff",
    "numpy.dtype",
    "numpy.nan_to_num",
    "numpy.ravel",
    "numpy.reshape",
    "scipy._lib.array_api_compat.numpy._aliases.asarray",  # of scipy.interpolate.BSpline
    CHECK,
)
NEVER = {"_testing", "conftest", "datasets", "externals", "tests"}  # modules


class Metadata(BaseModel):
    """What is known of a training; the same training always has the same metadata.

    target: what its task predicts, as `catalog.target` tells. pretrained: whether it began with weights that
    came with the data set's source.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    key: str
    file: str
    sha256: str
    parameters: int
    epochs: int
    test_hash: str
    target: Target
    pretrained: bool = False


@dataclass(frozen=True)
class Saved:
    """A model that was loaded; `predict` takes raw examples and gives numbers or probabilities.

    Examples are an array, the rows of a table, or a table of typed columns as core/fields.py makes them.
    """

    predict: Callable[[Any], Array]
    metadata: Metadata


def metadata(folder: Path) -> Metadata:
    """What is known of the training in a model folder; EvermodelError if there is none that can be read."""
    if not (file := folder / METADATA).exists():
        raise EvermodelError(f"{file} is missing; run `dvc repro {folder.parent}/dvc.yaml:train`")
    try:
        return Metadata.model_validate_json(file.read_text(encoding="utf-8"))
    except ValidationError:
        raise EvermodelError(
            f"{file} was written by another Evermodel; run `dvc repro --force {folder.parent}/dvc.yaml:train`"
        ) from None


def save_keras(model: Any, folder: Path) -> Path:
    """Write a Keras model; the same model gives the same bytes."""
    file = folder / "model.keras"
    model.save(file)
    archive.canonise(file)
    return file


def save_sklearn(estimator: Any, folder: Path) -> Path:
    """Write a scikit-learn estimator without pickle; the same estimator gives the same bytes.

    Raises EvermodelError if it could not be loaded again.
    """
    import skops.io
    from skops.io.exceptions import UnsupportedTypeException

    file = folder / "model.skops"
    try:
        skops.io.dump(estimator, file)
    except (RecursionError, UnsupportedTypeException) as error:
        raise EvermodelError(
            f"{type(estimator).__name__} can't be written as {file.name}: {error}; build it without that"
        ) from None
    archive.canonise(file)
    trusted(file)
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


def predictor(file: Path) -> Callable[[Any], Array]:
    """The predict function of a model file whose sha256 the caller has checked.

    Whoever asks a model gets it here: to evaluate it, to measure it, or to answer with it. So all of them
    compute by what params.yaml fixes, and the same rows get the same bytes.
    """
    determinism.fix(project.load().runtime)
    return _keras(file) if file.suffix == ".keras" else _sklearn(file)


def trusted(file: Path) -> list[str]:
    """The names of what a model.skops holds that skops does not trust by itself, but that is harmless.

    Raises EvermodelError if it holds anything that scikit-learn, SciPy and NumPy do not define.
    """
    import skops.io

    names: list[str] = skops.io.get_untrusted_types(file=file)
    allowed = (*TRUSTED, *([PARTIAL] if _only_checks(file) else []))
    if foreign := [name for name in names if name not in allowed and not _harmless(name)]:
        raise EvermodelError(
            f"{file.name} holds {foreign[0]}, which may run any code when it is loaded; build the model of "
            "what scikit-learn itself defines: of its classes, and of NumPy's functions on arrays"
        )
    return names


def _only_checks(file: Path) -> bool:
    """Whether all functions that get arguments of the file's are the check of boosting's own encoder."""

    def called(part: Any) -> Iterator[str]:
        if isinstance(part, dict) and part.get("__loader__") == "PartialNode":
            function = part["content"]["func"]
            yield "{__loader__} {__module__}.{__class__}".format(**function)
        for child in part.values() if isinstance(part, dict) else part if isinstance(part, list) else ():
            yield from called(child)

    with ZipFile(file) as archived:
        schema = json.loads(archived.read("schema.json"))
    return {f"FunctionNode {CHECK}"}.issuperset(called(schema))


def _harmless(name: str) -> bool:
    """Whether a name is that of a class, or a function without effects, where its own module defines it."""
    module, _, attribute = name.rpartition(".")
    if not _within(module, (*CLASSES, *FUNCTIONS_OF)):
        return False
    try:
        found = getattr(importlib.import_module(module), attribute, None)
    except ImportError:
        return False
    homes = CLASSES if isinstance(found, type) else FUNCTIONS_OF
    return callable(found) and _within(str(getattr(found, "__module__", "")), homes)


def _within(module: str, packages: tuple[str, ...]) -> bool:
    inside = any(f"{module}.".startswith(f"{package}.") for package in packages)
    return inside and NEVER.isdisjoint(module.split("."))


def write_metadata(folder: Path, known: Metadata) -> None:
    """Write training.json."""
    (folder / METADATA).write_text(json.dumps(known.model_dump(), indent=1) + "\n", encoding="utf-8")


def _keras(file: Path) -> Callable[[Any], Array]:
    answer = network.compiled(determinism.keras().saving.load_model(file, compile=False, safe_mode=True))
    if isinstance(answer, network.Drawer | network.Maker | network.Writer):
        return answer
    return lambda x: np.concatenate([answer(one) for one in x.frames()]) if isinstance(x, Rows) else answer(x)


def _sklearn(file: Path) -> Callable[[Any], Array]:
    import skops.io

    from evermodel.training import estimator

    model = skops.io.load(file, trusted=trusted(file))
    return lambda x: estimator.predict(model, x)
