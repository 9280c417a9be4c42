"""What each stage of a lane wrote, one hash a stage, and the commit that makes it; a rebuild needs both."""

import hashlib
from pathlib import Path

from mlflow.entities import RunTag
from mlflow.tracking import MlflowClient

from evermodel.core import data
from evermodel.core.params import Params
from evermodel.publishing import tracking
from evermodel.runs import journal, saved

TAG = "evermodel.outputs."


def log(client: MlflowClient, run_id: str, name: str, values: Params) -> None:
    """Write onto a run what its stages wrote, and the commit of now if it is the recipe of this run.

    DVC has seen that it still is; not so where somebody ran promote alone, or has uncommitted changes.
    """
    written = hashes(name, values.experiment(name).dataset)
    tags = {TAG + stage: digest for stage, digest in written.items()}
    same = client.get_run(run_id).data.params == tracking.recipe(name, values)
    if same and tracking.is_whole(commit := journal.commit()):
        tags[tracking.COMMIT] = commit
    client.log_batch(run_id, tags=[RunTag(*pair) for pair in tags.items()])


def hashes(name: str, dataset: str, root: Path = Path()) -> dict[str, str]:
    """The sha256 of each stage's folder, in the order of the stages; one that is not there is left out."""
    folders = {
        "fetch": folders.raw(dataset),
        "validate": data.REPORTS / "validation" / dataset,
        "prepare": folders.prepared(dataset),
        "train": folders.model(name),
        "evaluate": folders.experiment(name),
    }
    return {stage: folder_hash(root / path) for stage, path in folders.items() if (root / path).is_dir()}


def folder_hash(folder: Path) -> str:
    """The sha256 of what `sha256sum` would say of the files of a folder, by their paths."""
    files = sorted(file.relative_to(folder).as_posix() for file in folder.rglob("*") if file.is_file())
    lines = (f"{data.file_hash(folder / file)}  {file}\n" for file in files)
    return hashlib.sha256("".join(lines).encode()).hexdigest()
