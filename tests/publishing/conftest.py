"""A store of MLflow's in which nothing is."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from mlflow.tracking import MlflowClient


@pytest.fixture(scope="session")
def fill(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Path], None]:
    """A function that puts an empty store into a folder; MLflow takes seconds to make its tables."""
    made = tmp_path_factory.mktemp("empty") / "mlflow.db"
    MlflowClient(f"sqlite:///{made}").search_experiments(max_results=1)
    return lambda folder: shutil.copy(made, folder / "mlflow.db") and None
