"""Airflow's own environment, which this one knows nothing of."""

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def airflow_bin():
    """The folder of its commands; `make test` installs them."""
    folder = ROOT / ".venv-airflow/bin"
    if not (folder / "airflow").exists():
        assert not os.environ.get("CI"), f"{folder}/airflow is not here, and CI asks for its tests"
        pytest.skip(f"{folder}/airflow is not here; `make .venv-airflow/installed` installs it")
    return folder
