"""What several tests need."""

import os
import shutil
from pathlib import Path

import pytest
from xdist.scheduler import LoadScopeScheduling

from evermodel.core import garbage, params
from evermodel.runs import determinism

ROOT = Path(__file__).parents[1]
SHARING = (
    "tests/mlflow/test_ui.py",
    "tests/serving/test_browser.py",
    "tests/test_readme.py",
    "tests/test_tutorial.py",
)
ALONE = ("tests/mlflow/test_promotion.py", "tests/rebuilding/test_rebuild.py")  # share what they trained
# One import of TensorFlow is enough for all of these.
TRAINING = ("tests/learners/", "tests/runs/", "tests/publishing/test_latency.py")


class Together(LoadScopeScheduling):
    """Sends to one worker what shares the project or Airflow, what needs Keras, or builds one architecture.

    xdist's own `loadgroup` does nothing with pytest 9.2, whose node ids it can't change any more.
    """

    def _split_scope(self, nodeid):
        file = nodeid.split("::")[0]
        if file in SHARING or file.startswith("tests/pipeline/"):
            return "project"
        if file.startswith("tests/scheduling/"):
            return "airflow"
        if file.startswith(TRAINING):
            return "keras"
        if file in ALONE:
            return file
        return nodeid.rpartition("[")[2] if file == "tests/models/test_zoo.py" else nodeid


def pytest_xdist_make_scheduler(config, log):
    """Who runs what, for `pytest -n`."""
    return Together(config, log)


@pytest.hookimpl(wrapper=True)
def pytest_collection():
    """What the tests' files import stays to the end, so that nobody looks through it again and again."""
    with garbage.ignored():
        return (yield)


def pytest_collection_modifyitems(items):
    """What builds every architecture or draws every sample takes minutes, so `make unit` leaves it out."""
    for item in items:
        if item.path.parent.name in ("models", "samples"):
            item.add_marker("zoo")


@pytest.fixture
def workspace(tmp_path, monkeypatch):
    """The current folder is a fresh copy of this repository's settings, in which nothing ever ran."""
    (tmp_path / "data").mkdir()
    shutil.copy(ROOT / "params.yaml", tmp_path)
    shutil.copy(ROOT / "data/sources.yaml", tmp_path / "data")
    monkeypatch.chdir(tmp_path)
    # Set first, so that the end of the test takes away what MLflow sets by itself.
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "")
    monkeypatch.delenv("MLFLOW_TRACKING_URI")
    return tmp_path


@pytest.fixture(scope="session")
def airflow_bin():
    """The folder of Airflow's commands, an environment of its own; `make test` installs them."""
    folder = ROOT / ".venv-airflow/bin"
    if not (folder / "airflow").exists():
        assert not os.environ.get("CI"), f"{folder}/airflow is not here, and CI asks for its tests"
        pytest.skip(f"{folder}/airflow is not here; `make .venv-airflow/installed` installs it")
    return folder


@pytest.fixture(scope="session")
def keras():
    """Keras as a training has it; its import takes seconds, so it waits for the first test that asks."""
    determinism.fix(params.load(ROOT / "params.yaml").runtime)
    determinism.seed_keras(0)
    return determinism.keras()
