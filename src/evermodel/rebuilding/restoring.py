"""An emptied MLflow filled again from files: what was decided, the records of runs, and the packages.

Versions get the numbers that they had, since the ledger calls them by these. What only the database knew,
such as when a version was registered, is gone.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from mlflow.entities import LoggedModel, Param
from mlflow.entities.model_registry import ModelVersion
from mlflow.tracking import MlflowClient
from mlflow.utils.file_utils import local_file_uri_to_path
from mlflow.utils.mlflow_tags import MLFLOW_RUN_NOTE

from evermodel.core import data, folders, project
from evermodel.core.errors import EvermodelError
from evermodel.publishing import aliases, candidate, card, cost, outputs, record, registry, tracking
from evermodel.publishing.ledger import Ledger
from evermodel.publishing.record import Record
from evermodel.runs import saved

HALF = "evermodel.restoring"  # the tag of a run that is not back as a whole
NOWHERE = "lost:/"  # the source of an empty version, which is made for its number alone


@dataclass(frozen=True)
class Kept:
    """What lies among artifacts: the records by their folders, and packages by the sha256 of their model."""

    records: Mapping[Path, Record]
    packages: Mapping[str, Path]


def kept(artifacts: Path = tracking.ARTIFACTS) -> Kept:
    """Look through artifacts; EvermodelError that names a record that can't be read."""
    files = sorted(artifacts.glob(f"*/*/artifacts/{record.FILE}"))
    return Kept({file.parent: record.read(file) for file in files}, dict(_packages(artifacts)))


def restore(client: MlflowClient, name: str, book: Ledger, found: Kept) -> str:
    """Bring back runs, versions and aliases of an experiment, and say in a sentence what came of it.

    What is there is left as it is, so the same again goes on where it was cut short. Raises EvermodelError if
    MLflow has followed another ledger or counts in another way.
    """
    records = {folder: one for folder, one in found.records.items() if one.experiment.name == name}
    if not records and not book.entries:
        return f"{name}: nothing is kept, no decision in {book.file} and no run in {tracking.ARTIFACTS}"
    model = registry.registered(client, name)
    if model and model.tags.get(aliases.HEAD, aliases.RESTORING) != aliases.RESTORING:
        aliases.reconcile(client, name, book)
        _drop(client, name)
        return f"{name}: MLflow follows the ledger; nothing to do"
    runs = {one.run.info.run_id: _run(client, one, folder) for folder, one in records.items()}
    if book.entries:
        known = {
            _identity(version): (version, runs[version.run_id], package)
            for one in records.values()
            for version in one.versions
            if (package := found.packages.get(_identity(version)[1]))
        }
        _versions(client, name, book, known)
    gone = _drop(client, name)
    for run_id in runs.values():
        record.write(client, run_id)
    there, champion = len(registry.versions(client, name)), None if book.champion in gone else book.champion
    told = f"{name}: {len(runs)} runs and {there} versions are back, champion is {champion or 'none'}"
    if gone:
        told += f"; nothing but the number is left of version {', '.join(map(str, gone))}"
    if champion != book.champion:
        way = f"rollback {name} --to VERSION` names another one" if there else f"run {name}` trains one"
        told += f"; version {book.champion} was champion, and `evermodel {way}"
    return told


def _packages(artifacts: Path) -> Iterator[tuple[str, Path]]:
    for file in artifacts.glob("*/models/*/artifacts/MLmodel"):
        for model in registry.model_files(file.parent):
            yield data.file_hash(model), file.parent


def _run(client: MlflowClient, told: Record, folder: Path) -> str:
    """The id of a recorded run, made anew if MLflow has none with its key."""
    info, known = told.run.info, told.run.data
    run = tracking.find(client, told.experiment.name, known.tags[tracking.KEY])
    if run is None:
        note = told.experiment.tags.get(MLFLOW_RUN_NOTE, "")
        experiment = tracking.experiment(client, told.experiment.name, note)
        run = client.create_run(experiment, info.start_time, {**known.tags, HALF: "yes"}, info.run_name)
    run_id = str(run.info.run_id)
    if HALF in run.data.tags:
        client.log_batch(run_id, params=[Param(*pair) for pair in known.params.items()])
        client.log_inputs(run_id, told.run.inputs.dataset_inputs)
        tracking.log(client, run, tracking.missing(client, run, told.points))
        _put(folder, run.info.artifact_uri, partial(client.log_artifacts, run_id))
        client.set_terminated(run_id, info.status, info.end_time)
        client.delete_tag(run_id, HALF)
    return run_id


def _versions(
    client: MlflowClient,
    name: str,
    book: Ledger,
    known: Mapping[tuple[int, str], tuple[ModelVersion, str, Path]],
) -> None:
    """Make the versions that the ledger tells of, empty ones where no file is left, and then the aliases.

    known: each that was recorded, with the id of its run of now, and its package.
    """
    registry.create_model(client, name)
    # Nobody may decide anything by half of the versions, if this is cut short.
    client.set_registered_model_tag(name, aliases.HEAD, aliases.RESTORING)
    there = {int(version.version): version for version in registry.versions(client, name)}
    files = {line.version: line.sha256 for line in book.entries if line.sha256}
    for number in range(1, max(line.version for line in book.entries) + 1):
        identity = number, files.get(number, "")
        if number in there:
            same = there[number].source == NOWHERE or _identity(there[number]) == identity
            made = number if same else None
        elif identity in known:
            made = _version(client, *known[identity])
        elif (number, _trained(name)) == identity:
            made = _version_of_now(client, name, book, number)
        else:
            made = int(client.create_model_version(name, NOWHERE).version)
        if made != number:
            raise EvermodelError(
                f"version {number} of {name} can't be had again in this MLflow, which had other versions; "
                "let MLFLOW_TRACKING_URI name an empty one"
            )
    client.delete_registered_model_tag(name, aliases.HEAD)
    aliases.reconcile(client, name, book)


def _drop(client: MlflowClient, name: str) -> list[int]:
    """Delete the empty versions, and the aliases on them with them; returns their numbers."""
    empty = [version for version in registry.versions(client, name) if version.source == NOWHERE]
    for version in empty:
        client.delete_model_version(name, version.version)
    return sorted(int(version.version) for version in empty)


def _version(client: MlflowClient, told: ModelVersion, run_id: str, package: Path) -> int:
    """Register a package again, with all that was written onto its version."""

    def put(logged: LoggedModel) -> None:
        _put(package, logged.artifact_location, partial(client.log_model_artifacts, logged.model_id))

    made = registry.admit(client, told.name, run_id, told.tags, put)
    client.update_model_version(told.name, made.version, description=told.description)
    return int(made.version)


def _version_of_now(client: MlflowClient, name: str, book: Ledger, number: int) -> int:
    """Register what lies in experiments/, as its promotion did."""
    model = candidate.load(name, project.load())
    run_id = tracking.sync(client, name, model.metadata.key)
    model = replace(model, cost=cost.of_run(client.get_run(run_id)))
    outputs.log(client, run_id, model)
    made = registry.register(client, model, run_id)
    decided = next(line for line in reversed(book.entries) if line.version == number)
    verdict = f"{decided.action}: {decided.reason}"
    registry.describe(client, model, made, verdict, card.write(model, made, verdict, f"{decided.reason}.\n"))
    record.write(client, run_id)
    return made


def _identity(version: ModelVersion) -> tuple[int, str]:
    """The number of a version and the sha256 of its file, by which the ledger knows it.

    The file of one that somebody registered by hand is not known.
    """
    return int(version.version), version.tags.get(registry.SHA256, "")


def _trained(name: str) -> str | None:
    """The sha256 of the model in experiments/; None if there is none as training wrote it."""
    with suppress(EvermodelError, OSError):
        known = saved.metadata(folders.model(name))
        if data.file_hash(folders.model(name) / known.file) == known.sha256:
            return known.sha256
    return None


def _put(files: Path, place: str, send: Callable[[str], None]) -> None:
    """Move files to their place in the store of this folder; another store is sent a copy."""
    if tracking.uri() != tracking.STORE:
        send(str(files))
    elif (target := Path(local_file_uri_to_path(place))) != files.absolute():
        target.parent.mkdir(parents=True, exist_ok=True)
        files.rename(target)
        with suppress(OSError):  # something else lies there
            files.parent.rmdir()
