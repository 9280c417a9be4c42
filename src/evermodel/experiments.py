"""What is done with registered models, by their experiments' names."""

import re
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evermodel.core import folders, params
from evermodel.core.errors import EvermodelError
from evermodel.repository import Repository

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from mlflow.entities.model_registry import ModelVersion
    from mlflow.tracking import MlflowClient

    from evermodel.publishing.ledger import Entry, Ledger
    from evermodel.rebuilding.rebuild import Rebuild
    from evermodel.scoring.scoring import Scored

    Move = Callable[[MlflowClient, str, Ledger, int | None], Entry]


def champions() -> dict[str, int]:
    """The champions that a tracking server knows, by experiment; EvermodelError if it does not answer."""
    from evermodel.publishing import registry, tracking

    with tracking.answering():
        models = tracking.connect().search_registered_models(max_results=1000)
    aliases = {model.name: model.aliases.get(registry.CHAMPION) for model in models}
    return {name: int(version) for name, version in aliases.items() if version}


def history(name: str) -> list[dict[str, Any]]:
    """What was decided about an experiment's models, newest first. Raises EvermodelError if it was edited."""
    from evermodel.publishing import ledger

    return [line.model_dump() for line in reversed(ledger.read(folders.ledger(name)))]


def verify(name: str) -> str:
    """That the ledger is as it was written, and MLflow's aliases are those of its last line.

    Raises EvermodelError if either is not so.
    """
    from evermodel.publishing import aliases, ledger, tracking

    lines = ledger.read(folders.ledger(name))
    with tracking.answering():
        aliases.require_same(tracking.connect(), name, lines)
    champion = lines[-1].after if lines else None
    return f"{name}: {len(lines)} decisions as they were written; champion is {champion or 'none'}"


def approve(name: str, version: int | None) -> str:
    """Make the version champion that waits for approval; returns what was done."""
    from evermodel.publishing import aliases

    return _move(name, aliases.approve, version)


def reject(name: str, version: int | None) -> str:
    """Let the version that waits for approval not become champion; returns what was done."""
    from evermodel.publishing import aliases

    return _move(name, aliases.reject, version)


def waiting(name: str) -> "Entry | None":
    """The decision about the version that waits for approval, if one does."""
    from evermodel.publishing import aliases, ledger

    return aliases.waiting(ledger.read(folders.ledger(name)))


def rollback(name: str, to: int | None) -> str:
    """Make an older version champion again, the one before if None; returns what was done."""
    from evermodel.publishing import aliases

    return _move(name, aliases.rollback, to)


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


def _move(
    name: str, how: "Callable[[MlflowClient, str, Ledger, int | None], Entry]", version: int | None
) -> str:
    from evermodel.publishing import aliases, ledger, tracking

    _require_registry(name)
    client = tracking.connect()
    with tracking.answering(), ledger.held(name) as book:
        aliases.reconcile(client, name, book)
        done = how(client, name, book, version)
    return f"{name}: champion was version {done.before or 'none'}, is version {done.after} ({done.reason})"


def predict(name: str, task: str, files: list[Path]) -> list[dict[str, Any]]:
    """The champion's answers for the examples in the files; answers that are images go into this folder.

    Raises EvermodelError if there is no champion, its file is not the one that was registered, or a file
    can't be read.
    """
    from evermodel import prediction
    from evermodel.publishing import registry, tracking

    with tracking.answering(), tempfile.TemporaryDirectory() as folder:
        champion = _require_champion(name)
        answer, spec = registry.load(champion, Path(folder))
        examples, x = prediction.inputs(files, spec)
        answers = prediction.answers(examples, x, answer(x), spec, task)
    for row in answers:
        if "image" in row:
            row["image"] = str(_save(row["image"], Path(f"{Path(row['input']).stem}.{name}.png")))
    return [{"version": int(champion.version), **row} for row in answers]


def score(name: str, found: Repository, paths: "Sequence[Path]", out: Path) -> "Scored":
    """Write the champion's answers for all examples in files and folders into Parquet.

    Raises EvermodelError as `predict` does, or if `out` is in the way.
    """
    from evermodel.publishing import tracking
    from evermodel.runs import determinism
    from evermodel.scoring import scoring
    from evermodel.serving import champion

    experiment = found.experiment(name)
    determinism.fix(found.runtime)
    with tracking.answering():
        loaded = champion.load(_require_champion(name), experiment.task)
    return scoring.score(loaded, paths, out, found.datasets[experiment.dataset].expect.rejected)


def set_profile(profile: str) -> None:
    """Turn params.yaml's one switch; nothing else in the file changes."""
    if profile not in params.PROFILES:
        raise EvermodelError(f"--profile is {profile!r}; the choices are {', '.join(params.PROFILES)}")
    text = params.FILE.read_text(encoding="utf-8")
    changed = re.sub(r"^profile: *\w+", f"profile: {profile}", text, count=1, flags=re.MULTILINE)
    if changed != text:
        params.FILE.write_text(changed, encoding="utf-8")
        print(f"{params.FILE} now says profile: {profile}")


def _save(pixels: Any, file: Path) -> Path:
    from PIL import Image

    Image.fromarray(pixels).save(file)
    return file


def _require_registry(name: str) -> None:
    if _never_used():
        raise EvermodelError(
            f"{name} was never registered; `evermodel run {name}` trains and registers a model"
        )


def _require_champion(name: str) -> "ModelVersion":
    from evermodel.publishing import registry, tracking

    champion = None if _never_used() else registry.champion(tracking.connect(), name)
    if champion is None:
        raise EvermodelError(f"{name} has no champion; `evermodel run {name}` trains one")
    return champion


def _never_used() -> bool:
    from evermodel.publishing import tracking

    return tracking.uri() == tracking.STORE and not Path("mlflow.db").exists()
