"""Where everything lies, relative to the root of the repository."""

import os
from pathlib import Path

DATASETS = Path("data")
EXPERIMENTS = Path("experiments")
STATE = Path(".evermodel")  # of this machine: checkpoints, journals, logs
LEDGER = "EVERMODEL_LEDGER"  # the folder of the ledgers, where it is not in STATE


def dataset(name: str) -> Path:
    """The folder of a data set."""
    return DATASETS / name


def raw(name: str) -> Path:
    """The files of a data set as they were fetched."""
    return DATASETS / name / "raw"


def validation(name: str) -> Path:
    """What Great Expectations found in a data set."""
    return DATASETS / name / "validation"


def prepared(name: str) -> Path:
    """The splits of a data set, and its spec."""
    return DATASETS / name / "prepared"


def experiment(name: str) -> Path:
    """The folder of an experiment, and of its report."""
    return EXPERIMENTS / name


def model(name: str) -> Path:
    """The trained model of an experiment."""
    return EXPERIMENTS / name / "model"


def journal(key: str) -> Path:
    """What happened while the run with that key was made: one JSON object per line."""
    return STATE / "runs" / f"{key}.jsonl"


def ledger(name: str) -> Path:
    """What was decided about the models of an experiment: one JSON object per line."""
    return Path(os.environ.get(LEDGER, STATE / "ledger")) / f"{name}.jsonl"


def names(parent: Path) -> list[str]:
    """The data sets or experiments that there are: the folders that have a params.yaml."""
    return sorted(file.parent.name for file in parent.glob("*/params.yaml"))
