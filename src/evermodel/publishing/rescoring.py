"""The champion's scores on the test rows of now: the kept ones, or new ones where they are of no use.

What is kept lies in MLflow, where it can be written over. So it counts only if the ledger names its sha256.
"""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from mlflow.entities.model_registry import ModelVersion
from mlflow.exceptions import MlflowException
from mlflow.tracking import MlflowClient

from evermodel.core.columns import Column
from evermodel.core.errors import EvermodelError
from evermodel.publishing import aliases, registry
from evermodel.publishing.candidate import Candidate
from evermodel.publishing.ledger import Entry, Ledger
from evermodel.publishing.promotion import Rival
from evermodel.publishing.scores import Scores

KEPT = "evaluation/scores.parquet"
INPUTS = ("kind", "input_shape", "target", "targets", "classes")


def rival(client: MlflowClient, model: Candidate, book: Ledger) -> Rival | None:
    """The champion with its scores on the candidate's test rows; None if there is no other model.

    Raises EvermodelError if its file is not the one that was judged, or can't answer for these rows.
    """
    champion = registry.champion(client, model.name)
    if champion is None:
        return None
    judged = book.judged(int(champion.version))
    aliases.require_judged(champion, judged)
    if registry.holds(champion, model.metadata):
        return None
    profile = champion.tags.get("evermodel.profile", "")
    scores = _scores(client, champion, judged, model) if profile == model.profile else None
    return Rival(int(champion.version), profile, scores)


def _scores(
    client: MlflowClient, champion: ModelVersion, judged: Entry | None, model: Candidate
) -> Scores | None:
    try:
        takes = registry.spec(champion)
    except (MlflowException, OSError, EvermodelError):  # harmed, it can still be beaten by what it scored
        takes = model.asked
    other = {name for name in INPUTS if getattr(takes, name) != getattr(model.asked, name)}
    if not _answers_for(takes.columns, model.asked.columns):
        other.add("columns")
    # Equal rows may be another question: columns that exchanged their names, or a number that is now a class.
    # The order of the classes is in no kept score, but numbers them in new ones.
    if other - {"classes"} or set(takes.classes) != set(model.asked.classes):
        return None
    with TemporaryDirectory() as folder:
        kept = _kept(client, champion, judged, Path(folder))
        if kept and kept.test_hash == model.scores.test_hash:
            return kept
        if other:
            return None
        why = "was never judged by them" if kept else "has no scores that the ledger knows"
        print(f"scoring champion {champion.version} on these test rows: it {why}", flush=True)
        file, _ = registry.fetch(champion, Path(folder))
        return _scored_again(champion, file, Path(folder))


def _answers_for(columns: Sequence[Column], rows: Sequence[Column]) -> bool:
    """Whether who takes columns answers for rows of others: of the same kinds, and with gaps where it may."""
    if [(one.name, one.kind) for one in columns] != [(one.name, one.kind) for one in rows]:
        return False
    return all(
        ours.gaps != "refuse" or theirs.gaps == "refuse" for ours, theirs in zip(columns, rows, strict=True)
    )


def _kept(client: MlflowClient, champion: ModelVersion, judged: Entry | None, folder: Path) -> Scores | None:
    """The scores on its run, if they are the very ones that the ledger's decision about it was made from."""
    try:
        kept = Scores.read(Path(client.download_artifacts(champion.run_id, KEPT, folder)))
    except (MlflowException, OSError, EvermodelError):
        return None
    return kept if judged and kept.sha256 == judged.scores else None


def _scored_again(version: ModelVersion, file: Path, folder: Path) -> Scores:
    target = folder / "again.parquet"
    # By the code that scores challengers, which would make this stage depend on plots.
    done = subprocess.run(
        [sys.executable, "-m", "pipelines.rescore", version.name, str(file), str(target)],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        reason = done.stderr.strip().splitlines()[-1:]
        raise EvermodelError(
            f"champion {version.version} of {version.name} can't be scored on the test rows of now: "
            f"{' '.join(reason)}; `evermodel rollback {version.name}` makes another version champion"
        )
    return Scores.read(target)
