"""The MLflow model registry: versions of a model, their package, and the alias `champion`."""

import platform
import tempfile
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from shutil import copyfile
from typing import Any

import mlflow.artifacts
import mlflow.pyfunc
import numpy as np
import pandas as pd
import yaml
from mlflow.entities import LoggedModel, LoggedModelOutput
from mlflow.entities.model_registry import ModelVersion, RegisteredModel
from mlflow.exceptions import MlflowException
from mlflow.models import Model, ModelSignature
from mlflow.models.utils import _save_example
from mlflow.tracking import MlflowClient
from mlflow.types import ColSpec, DataType, Schema, TensorSpec
from mlflow.types.schema import AnyType
from pydantic import ValidationError

from evermodel.core import data, fields, folders
from evermodel.core.columns import Column
from evermodel.core.data import Array, Spec
from evermodel.core.errors import EvermodelError
from evermodel.publishing import card, example, loader
from evermodel.publishing.candidate import Candidate
from evermodel.runs import network, saved
from evermodel.runs.saved import Metadata

CHAMPION = "champion"
SHA256 = "evermodel.sha256"  # the tag of a version that says which file it is
EXAMPLES = 2
DESCRIPTION = 5000  # characters that MLflow's database has room for
# The modules in a package by which MLflow asks it.
LOADER, NETWORK, FIELDS = "evermodel_loader", "evermodel_network", "evermodel_fields"
# What a package does not tell of its data: it is large, and nobody asks for it there.
UNTOLD: Any = {"vocabulary": True, "test_sketch": True, "columns": {"__all__": {"vocabulary"}}}
FLAVOURS = {".keras": "keras", ".skops": "sklearn"}
REQUIREMENTS = {"keras": ("keras", "tensorflow"), "sklearn": ("scikit-learn", "skops")}


def register(client: MlflowClient, model: Candidate, run_id: str) -> int:
    """The number of the registered version of a model, made if there is none for this very file."""
    found = next((one for one in versions(client, model.name) if holds(one, model.metadata)), None)
    if found is None:
        return int(_create(client, model, run_id).version)
    for tag, value in _figures(model).items():  # of other test rows, perhaps
        client.set_model_version_tag(model.name, found.version, tag, value)
    return int(found.version)


def describe(client: MlflowClient, model: Candidate, number: int, verdict: str, page: str) -> None:
    """Write onto a version its card, and what was decided, in a sentence."""
    client.update_model_version(model.name, str(number), description=card.shortened(page, DESCRIPTION))
    now = datetime.now(UTC).isoformat(timespec="seconds")
    client.set_model_version_tag(model.name, str(number), "evermodel.decision", verdict)
    client.set_model_version_tag(model.name, str(number), "evermodel.decided", now)


def versions(client: MlflowClient, name: str) -> list[ModelVersion]:
    """All versions of a model, newest first."""
    found = client.search_model_versions(f"name = '{name}'", max_results=1000)
    return sorted(found, key=lambda version: -int(version.version))


def registered(client: MlflowClient, name: str) -> RegisteredModel | None:
    """The registered model of that name, with its aliases; None if there is none."""
    # Asking for it by its name answers "there is none" and "the server failed" with the same exception.
    found = client.search_registered_models(f"name = '{name}'", max_results=1)
    return found[0] if found else None


def named(client: MlflowClient, name: str, word: str) -> ModelVersion:
    """The version of that number or alias; EvermodelError that names those there are."""
    found = registered(client, name)
    aliases = found.aliases if found else {}
    known = {str(version.version): version for version in versions(client, name)}
    if (number := str(aliases.get(word, word))) not in known:
        there = ", ".join([*sorted(known, key=int), *sorted(aliases)]) or "none"
        raise EvermodelError(f"{name} has no version {word}; it has {there}")
    return known[number]


def champion(client: MlflowClient, name: str) -> ModelVersion | None:
    """The version that the alias points at, or None."""
    found = registered(client, name)
    number = found and found.aliases.get(CHAMPION)
    return client.get_model_version(name, str(number)) if number else None


def holds(version: ModelVersion, metadata: Metadata) -> bool:
    """Whether the version is this very model file."""
    return bool(version.tags.get(SHA256) == metadata.sha256)


def load(version: ModelVersion, folder: Path) -> tuple[Callable[[Array], Array], Spec]:
    """Download a version into `folder` and load it, if its model file is the one that was registered.

    Returns its predict function, and the spec of the data that it takes.
    """
    file, spec = fetch(version, folder)
    return saved.predictor(file), spec


def require_answer(client: MlflowClient, name: str, number: int) -> None:
    """Let a version answer for the example in its package.

    Raises EvermodelError if it does not exist, is not the file that was registered, or gives no finite
    answer.
    """
    with tempfile.TemporaryDirectory() as folder:
        predict, spec = load(named(client, name, str(number)), Path(folder))
        require_finite(name, number, predict, example.taken(example.read(Path(folder)), spec))


def require_finite(name: str, number: int, predict: Callable[[Any], Array], examples: Any) -> None:
    """Raise EvermodelError unless a version gives a text or a finite answer for each example."""
    answer = np.asarray(predict(examples))
    if len(answer) != len(examples) or not is_finite(answer):
        raise EvermodelError(
            f"{name} version {number} gives no finite answer for the example in its package; promote another "
            "version"
        )


def is_finite(answer: Array) -> bool:
    """Whether all numbers of an answer are; texts, objects, have none."""
    return answer.dtype == object or bool(np.isfinite(answer.astype(float)).all())


def fetch(version: ModelVersion, folder: Path) -> tuple[Path, Spec]:
    """Download a version into `folder`; returns its model file and the spec of the data that it takes.

    Raises EvermodelError if the file is not the one that was registered, or its package is an old one.
    """
    local = mlflow.artifacts.download_artifacts(
        f"models:/{version.name}/{version.version}", dst_path=str(folder)
    )
    return checked(version, Path(local))


def checked(version: ModelVersion, package: Path) -> tuple[Path, Spec]:
    """As `fetch`, of the package of a version that lies here."""
    files = model_files(package)
    if [data.file_hash(file) for file in files] != [version.tags.get(SHA256)]:
        raise EvermodelError(
            f"{version.name} version {version.version}: its model file is not the one that was registered "
            "(it is missing or its sha256 differs); "
            f"`evermodel rollback {version.name} --to VERSION` makes another version champion"
        )
    return files[0], _spec(version, str(package / "MLmodel"))


def model_files(folder: Path) -> list[Path]:
    """The model files in a package: one, unless somebody harmed it."""
    return [file for file in (folder / "data/model.keras", folder / "model.skops") if file.exists()]


def spec(version: ModelVersion) -> Spec:
    """The spec of the data that a version takes; EvermodelError if its package is an old one."""
    return _spec(version, f"models:/{version.name}/{version.version}")


def _spec(version: ModelVersion, package: str) -> Spec:
    try:
        return Spec.model_validate(Model.load(package).metadata["spec"])
    except ValidationError:
        raise EvermodelError(
            f"{version.name} version {version.version} was registered by an older Evermodel, which described "
            f"its data in another way; `evermodel run {version.name}` in a new registry makes it again "
            "(MLFLOW_TRACKING_URI and EVERMODEL_LEDGER name one, docs/promotion.md)"
        ) from None


def package(folder: Path, file: Path, spec: Spec, metadata: Metadata, examples: Any) -> None:
    """Write the MLflow model: the canonical file as it is, and what MLflow needs to load it.

    examples: a few, as a client sends them. MLflow's own save_model would import TensorFlow and write the
    model anew, with other bytes than those that were scored.
    """
    flavour = FLAVOURS[Path(metadata.file).suffix]
    described = spec.model_dump(mode="json", exclude=UNTOLD)
    told = {"sha256": metadata.sha256, "spec": described}
    model = Model(signature=_signature(spec), metadata=told)
    loaded = {"loader_module": f"mlflow.{flavour}", "python_env": "python_env.yaml"}
    # Keras' own `predict` rounds 64 bits, and so does MLflow's Keras; whole numbers MLflow would not let in.
    if spec.kind == "table" or (flavour == "keras" and spec.input_dtype == "float64"):
        loaded |= {"loader_module": LOADER, "code": "code"}
        (folder / "code").mkdir(parents=True)
        for module, name in ((loader, LOADER), (network, NETWORK), (fields, FIELDS)):
            copyfile(str(module.__file__), folder / f"code/{name}.py")
    if flavour == "keras":
        target = folder / "data/model.keras"
        mlflow.pyfunc.add_to_model(model, **loaded)
        stored = {"keras_backend": "tensorflow", "save_exported_model": False}
        model.add_flavor("keras", data="data", keras_version=version("keras"), **stored)
    else:
        target = folder / metadata.file
        answer = "predict_proba" if spec.classes or metadata.target == "labels" else "predict"
        mlflow.pyfunc.add_to_model(model, model_path=metadata.file, predict_fn=answer, **loaded)
        stored = {"serialization_format": "skops", "skops_trusted_types": saved.trusted(file)}
        installed = version("scikit-learn")
        model.add_flavor("sklearn", pickled_model=metadata.file, sklearn_version=installed, **stored)
    target.parent.mkdir(parents=True, exist_ok=True)
    copyfile(file, target)
    _save_example(model, examples, str(folder))
    _environment(folder, flavour)
    model.save(str(folder / "MLmodel"))


def _figures(model: Candidate) -> dict[str, str]:
    """The metric that counts, what it is of, and what the training has cost, as tags."""
    metric = model.policy.metric
    return {
        "evermodel.metric": metric,
        "evermodel.value": repr(model.figures.get(metric)),
        "evermodel.test_hash": model.spec.test_hash,
        "evermodel.profile": model.profile,
        **{f"evermodel.{unit}": repr(hours) for unit, hours in model.cost.items()},
    }


def admit(
    client: MlflowClient,
    name: str,
    run_id: str,
    tags: Mapping[str, str],
    put: Callable[[LoggedModel], None],
) -> ModelVersion:
    """Register the next version of a model. put: puts its package among the artifacts of a logged model."""
    logged = _logged_model(client, name, run_id, tags[SHA256])
    put(logged)
    client.finalize_logged_model(logged.model_id, "READY")
    create_model(client, name)
    return client.create_model_version(
        name, source=f"models:/{logged.model_id}", run_id=run_id, model_id=logged.model_id, tags=dict(tags)
    )


def create_model(client: MlflowClient, name: str) -> None:
    """Make a registered model that has no version yet, unless there is one of that name."""
    try:
        client.create_registered_model(name)
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise


def _create(client: MlflowClient, model: Candidate, run_id: str) -> ModelVersion:
    known, file = model.metadata, folders.model(model.name) / model.metadata.file
    examples = example.raw(model.examples(EXAMPLES), model.asked)
    tags = {SHA256: known.sha256, "evermodel.key": known.key, **_figures(model)}
    with tempfile.TemporaryDirectory() as folder:
        package(Path(folder), file, model.asked, known, examples)
        return admit(
            client, model.name, run_id, tags, lambda to: client.log_model_artifacts(to.model_id, folder)
        )


def _logged_model(client: MlflowClient, name: str, run_id: str, sha256: str) -> LoggedModel:
    """The run's logged model of this very file; there is one if a registration was cut short."""
    run = client.get_run(run_id)
    same = f"source_run_id = '{run_id}' AND tags.`{SHA256}` = '{sha256}'"
    if found := client.search_logged_models([run.info.experiment_id], same, max_results=1):
        return found[0]
    tags = {SHA256: sha256}
    logged = client.create_logged_model(run.info.experiment_id, name, source_run_id=run_id, tags=tags)
    client.log_outputs(run_id, [LoggedModelOutput(logged.model_id, step=0)])
    return logged


def _signature(spec: Spec) -> ModelSignature:
    if spec.kind == "table":
        every = [ColSpec(_type(one), one.name, required=one.gaps == "refuse") for one in spec.columns]
        return ModelSignature(Schema(every))
    kind = np.dtype(object if spec.kind == "text" else spec.input_dtype)
    return ModelSignature(Schema([TensorSpec(kind, (-1, *spec.input_shape))]))


def _type(column: Column) -> DataType | AnyType:
    """MLflow's type of a column, if that refuses nothing that files of such a column hold.

    Before the loader sees rows, MLflow compares dtypes: "double" refuses whole numbers, "long" 8.0 and a
    column with a gap, "datetime" text, "boolean" yes and 1, and "string" rows that happen to have no text.
    """
    if column.kind not in fields.TEXTS or column.gaps != "refuse":
        return AnyType()
    known = pd.Series([*column.categories, *column.vocabulary], dtype=object)
    like_others = fields.numbers(known).notna() | fields.booleans(known, fields.TRUTH).notna()
    return AnyType() if like_others.any() else DataType.string


def _environment(folder: Path, flavour: str) -> None:
    packages = [f"{package}=={version(package)}" for package in ("mlflow", *REQUIREMENTS[flavour])]
    (folder / "requirements.txt").write_text("\n".join(packages) + "\n", encoding="utf-8")
    python = {"python": platform.python_version(), "dependencies": ["-r requirements.txt"]}
    (folder / "python_env.yaml").write_text(yaml.safe_dump(python), encoding="utf-8")
