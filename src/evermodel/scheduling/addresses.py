"""What DVC calls stages, experiments/x/dvc.yaml:train, and Airflow the tasks that run them, x.train."""

from pathlib import Path

from evermodel.core import folders

PIPELINE = "dvc.yaml"
LAST = "evaluate"  # the last stage of an experiment that is a task of its own
PROMOTE = "promote"  # the stage that is the publisher's


def pipeline(address: str) -> Path:
    """The dvc.yaml of a stage, or of all stages of a file."""
    return Path(address.partition(":")[0])


def pipelines(name: str, dataset: str) -> list[Path]:
    """The dvc.yaml of an experiment, and that of its data set."""
    return [folder / PIPELINE for folder in (folders.experiment(name), folders.dataset(dataset))]


def promotion(name: str) -> str:
    """The promotion of an experiment."""
    return f"{folders.experiment(name) / PIPELINE}:{PROMOTE}"


def task(address: str) -> str:
    """The task that runs a stage: all stages of a data set are one."""
    folder, name = Path(address).parts[:2]
    return f"{name}.{folder if folder == str(folders.DATASETS) else address.rpartition(':')[2]}"
