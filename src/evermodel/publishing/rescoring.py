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
    with TemporaryDirectory() as folder:
        try:
            kept = Scores.read(Path(client.download_artifacts(champion.run_id, KEPT, folder)))
        except (MlflowException, OSError, EvermodelError):
            kept = None
        if kept and kept.test_hash == model.scores.test_hash:
            return kept
        file, spec = registry.fetch(champion, Path(folder))
        takes_the_same = all(getattr(spec, name) == getattr(model.spec, name) for name in INPUTS)
        return _scored_again(champion, file, Path(folder)) if takes_the_same else None


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
