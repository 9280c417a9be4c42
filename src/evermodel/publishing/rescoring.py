"""The champion's scores on the test rows of now: the kept ones, or new ones where the rows have changed."""

import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from mlflow.entities.model_registry import ModelVersion
from mlflow.exceptions import MlflowException
from mlflow.tracking import MlflowClient

from evermodel.core.errors import EvermodelError
from evermodel.publishing import registry
from evermodel.publishing.candidate import Candidate
from evermodel.publishing.promotion import Rival
from evermodel.publishing.scores import Scores

KEPT = "evaluation/scores.parquet"
INPUTS = ("kind", "input_shape", "columns", "target", "targets", "classes")


def rival(client: MlflowClient, model: Candidate) -> Rival | None:
    """The champion with its scores on the candidate's test rows; None if there is no other model.

    Raises EvermodelError if its file is not the one that was registered, or can't answer for these rows.
    """
    champion = registry.champion(client, model.name)
    if champion is None or registry.holds(champion, model.metadata):
        return None
    profile = champion.tags.get("evermodel.profile", "")
    scores = _scores(client, champion, model) if profile == model.profile else None
    return Rival(int(champion.version), profile, scores)


def _scores(client: MlflowClient, champion: ModelVersion, model: Candidate) -> Scores | None:
    try:
        takes = registry.spec(champion)
    except (MlflowException, OSError, EvermodelError):  # harmed, it can still be beaten by what it scored
        takes = model.spec
    other = {name for name in INPUTS if getattr(takes, name) != getattr(model.spec, name)}
    # Equal rows may be another question: columns that exchanged their names, or a number that is now a class.
    # The order of the classes is in no kept score, but numbers them in new ones.
    if other - {"classes"} or set(takes.classes) != set(model.spec.classes):
        return None
    with TemporaryDirectory() as folder:
        try:
            kept = Scores.read(Path(client.download_artifacts(champion.run_id, KEPT, folder)))
        except (MlflowException, OSError, EvermodelError):
            kept = None
        if kept and kept.test_hash == model.scores.test_hash:
            return kept
        if other:
            return None
        file, _ = registry.fetch(champion, Path(folder))
        return _scored_again(champion, file, Path(folder))


def _scored_again(version: ModelVersion, file: Path, folder: Path) -> Scores:
    target = folder / "again.parquet"
    print(f"scoring champion {version.version} on these test rows, which it was never judged by", flush=True)
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
