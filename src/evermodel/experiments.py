"""What is done with registered models, by their experiments' names."""

import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from evermodel.core import folders, generation, params
from evermodel.core.errors import EvermodelError
from evermodel.repository import Repository

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from mlflow.entities.model_registry import ModelVersion
    from mlflow.tracking import MlflowClient

    from evermodel.publishing.ledger import Entry, Ledger
    from evermodel.rebuilding.rebuild import Rebuild
    from evermodel.scoring.scoring import Scored

T = TypeVar("T")


def champions() -> dict[str, int]:
    """The champions that a tracking server knows, by experiment; EvermodelError if it does not answer."""
    from evermodel.publishing import registry, tracking

    with tracking.answering():
        models = tracking.connect().search_registered_models(max_results=1000)
    aliases = {model.name: model.aliases.get(registry.CHAMPION) for model in models}
    return {name: int(version) for name, version in aliases.items() if version}


def costs(names: "Iterable[str]") -> list[dict[str, Any]]:
    """What the trainings of experiments have cost, a row each: of the newest version, and of all.

    In hours; None where nothing is known. Raises EvermodelError if MLflow does not answer.
    """
    from evermodel.publishing import cost, registry, tracking

    client = None if _never_used() else tracking.connect()
    rows = []
    with tracking.answering():
        for name in names:
            runs = tracking.trainings(client, name) if client else []
            newest = next(iter(registry.versions(client, name)), None) if client else None
            hours = cost.of_experiment(runs, newest and newest.run_id)
            rows.append({"experiment": name, "version": newest and int(newest.version), **hours})
    return rows


def verify(name: str) -> str:
    """That the ledger is as it was written, and MLflow's aliases are those of its last line.

    And what commits say of it stands in it. Raises EvermodelError if one of that is not so.
    """
    from evermodel.publishing import aliases, anchor, ledger, tracking

    lines = ledger.read(folders.ledger(name))
    with tracking.answering():
        aliases.require_same(tracking.connect(), name, lines)
    shared = tracking.uri() != tracking.STORE
    named = anchor.require(name, lines, shared)
    champion = lines[-1].after if lines else None
    return f"{name}: {len(lines)} decisions as they were written, {named}; champion is {champion or 'none'}"


def decide(name: str, how: Literal["approve", "reject", "rollback"], version: int | None) -> str:
    """Let a version that waits for approval become champion, or not, or make an older one champion again.

    version: the newest that waits, or the champion before, if None. Returns what was done.
    """
    from evermodel.publishing import aliases

    move = {"approve": aliases.approve, "reject": aliases.reject, "rollback": aliases.rollback}[how]
    return _moved(name, move, version)


def withdraw(name: str, reason: str | None) -> str:
    """Let an experiment have no champion any more; returns what was done."""
    from evermodel.publishing import aliases

    return _moved(name, aliases.withdraw, reason)


def restore(names: "Iterable[str]") -> "Iterator[str | EvermodelError]":
    """Fill MLflow again from what is kept of experiments; what came of each, in a sentence, or why not."""
    from evermodel.publishing import ledger, tracking
    from evermodel.rebuilding import restoring

    client, found = tracking.connect(), restoring.kept()
    for name in names:
        try:
            with tracking.answering(), ledger.held(name) as book:
                yield restoring.restore(client, name, book, found)
        except EvermodelError as error:
            yield error


def waiting(name: str) -> "Entry | None":
    """The decision about the version that waits for approval, if one does."""
    from evermodel.publishing import aliases, ledger

    return aliases.waiting(ledger.read(folders.ledger(name)))


def rebuild(target: str) -> "Rebuild":
    """Make a registered version again, NAME@ALIAS or NAME@VERSION, and compare.

    Raises EvermodelError if there is no such version, or it can't be made again.
    """
    from evermodel.rebuilding import rebuild

    name, _, word = target.partition("@")
    if not name or not word:
        raise EvermodelError(
            f"{target!r} names no version; write it like fashion_cnn@champion or fashion_cnn@3"
        )
    _require_registry(name)
    return rebuild.rebuild(name, word)


def predict(name: str, task: str, files: list[Path]) -> list[dict[str, Any]]:
    """The champion's answers for the examples in the files; answers that are images go into this folder.

    Raises EvermodelError if there is no champion, its file is not the one that was registered, or a file
    can't be read.
    """
    from evermodel.runs import determinism

    determinism.begin_anew()
    from evermodel import prediction
    from evermodel.publishing import registry, tracking

    with tracking.answering(), tempfile.TemporaryDirectory() as folder:
        champion = _require_champion(name)
        answer, spec = registry.load(champion, Path(folder))
        examples, x = prediction.inputs(files, spec)
        answers = prediction.answers(examples, x, answer(x), spec, task)
    for row in answers:
        if "image" in row:
            read, _, place = row["input"].rpartition(":") if spec.kind == "table" else (row["input"], "", "")
            file = Path(f"{Path(read).stem}{place and f'-{place}'}.{name}.png")
            file.write_bytes(prediction.png(row["image"]))
            row["image"] = str(file)
    return [{"version": int(champion.version), **row} for row in answers]


def judge(name: str, dataset: str) -> str:
    """Copy the champion's file into the folder of a data set, and tell what has to stand in its params.yaml.

    Raises EvermodelError if there is no champion, or it is no network whose features can be had.
    """
    from evermodel.runs import determinism

    determinism.begin_anew()
    from evermodel.core.data import file_hash
    from evermodel.evaluation import judge
    from evermodel.publishing import registry, tracking

    with tracking.answering(), tempfile.TemporaryDirectory() as folder:
        champion = _require_champion(name)
        file, _ = registry.fetch(champion, Path(folder))
        judge.opened(file)
        to = folders.dataset(dataset) / f"{name}-{champion.version}{file.suffix}"
        shutil.copyfile(file, to)
    known = f"bytes: {to.stat().st_size}, sha256: {file_hash(to)}, path: {to}"
    return (
        f"{to} is version {champion.version} of {name}. Each of source.editions in {to.parent / params.FILE} "
        f"has to say\n  weights: {{{generation.JUDGE}: {to.name}}}\nand, among its files,\n"
        f"  - {{name: {to.name}, {known}}}"
    )


def score(name: str, found: Repository, paths: "Sequence[Path]", out: Path) -> "Scored":
    """Write the champion's answers for all examples in files and folders into Parquet.

    Raises EvermodelError as `predict` does, or if `out` is in the way.
    """
    from evermodel.runs import determinism

    determinism.begin_anew()
    from evermodel.publishing import tracking
    from evermodel.scoring import scoring
    from evermodel.serving import champion

    experiment = found.experiment(name)
    with tracking.answering():
        loaded = champion.load(_require_champion(name), experiment.task)
    return scoring.score(loaded, paths, out, found.datasets[experiment.dataset].expect.rejected)


def _moved(name: str, move: "Callable[[MlflowClient, str, Ledger, T], Entry]", how: T) -> str:
    """Move the aliases of an experiment by its ledger, and tell what was done."""
    from evermodel.publishing import aliases, ledger, tracking

    _require_registry(name)
    client = tracking.connect()
    with tracking.answering(), ledger.held(name) as book:
        aliases.reconcile(client, name, book)
        done = move(client, name, book, how)
    was, now = (f"version {version}" if version else "none" for version in (done.before, done.after))
    return f"{name}: champion was {was}, is {now} ({done.reason})"


def _require_registry(name: str) -> None:
    if _never_used():
        _require_nothing_lost(name)
        raise EvermodelError(
            f"{name} was never registered; `evermodel run {name}` trains and registers a model"
        )


def _require_champion(name: str) -> "ModelVersion":
    from evermodel.publishing import registry, tracking

    client = None if _never_used() else tracking.connect()
    champion = client and registry.champion(client, name)
    if champion is None:
        if client is None or registry.registered(client, name) is None:
            _require_nothing_lost(name)
        raise EvermodelError(f"{name} has no champion; `evermodel run {name}` trains one")
    return champion


def _require_nothing_lost(name: str) -> None:
    """Raise an EvermodelError if something was decided about an experiment of which MLflow knows nothing."""
    if (file := folders.ledger(name)).exists():
        raise EvermodelError(
            f"{file} tells of decisions about {name}, and MLflow knows nothing of it; `evermodel restore "
            f"{name}` brings it back from what is kept"
        )


def _never_used() -> bool:
    from evermodel.publishing import tracking

    return tracking.uri() == tracking.STORE and not Path("mlflow.db").exists()
