"""What each stage of an experiment wrote, one hash a stage, and the commit that makes it, for a rebuild."""

import hashlib
from collections.abc import Iterable
from pathlib import Path

from mlflow.entities import RunTag
from mlflow.tracking import MlflowClient

from evermodel.core import data, folders, project
from evermodel.publishing import tracking
from evermodel.publishing.candidate import Candidate
from evermodel.runs import journal

TAG = "evermodel.outputs."
REPORT = ("metrics.json", "scores.parquet", "curves.csv", "figures")  # what `evaluate` writes into the folder


def log(client: MlflowClient, run_id: str, model: Candidate) -> None:
    """Write onto a run what its stages wrote, and the commit of now if it is the recipe of this run.

    DVC has seen that it still is; not so where somebody ran promote alone, or has uncommitted changes.
    """
    tags = {TAG + stage: digest for stage, digest in hashes(model.name, model.recipe.dataset).items()}
    same = client.get_run(run_id).data.params == tracking.parameters(model.recipe, project.load().runtime)
    if same and tracking.is_whole(commit := journal.commit()):
        tags[tracking.COMMIT] = commit
    client.log_batch(run_id, tags=[RunTag(*pair) for pair in tags.items()])


def hashes(name: str, dataset: str, root: Path = Path()) -> dict[str, str]:
    """The sha256 of what each stage wrote, in the order of the stages; one that wrote nothing is left out."""
    wrote = {
        "fetch": [folders.raw(dataset)],
        "validate": [folders.validation(dataset)],
        "prepare": [folders.prepared(dataset)],
        "train": [folders.model(name)],
        "evaluate": [folders.experiment(name) / file for file in REPORT],
    }
    files = {stage: _files(root / path for path in paths) for stage, paths in wrote.items()}
    return {stage: digest(found, root) for stage, found in files.items() if found}


def digest(files: Iterable[Path], root: Path) -> str:
    """The sha256 of what `sha256sum` would say of files, by their paths in the folder `root`."""
    paths = sorted(file.relative_to(root).as_posix() for file in files)
    lines = (f"{data.file_hash(root / path)}  {path}\n" for path in paths)
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def _files(paths: Iterable[Path]) -> list[Path]:
    return [file for path in paths for file in (path, *path.rglob("*")) if file.is_file()]
