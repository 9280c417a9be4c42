"""What several tests need."""

import os
import shutil
from contextlib import chdir
from pathlib import Path

import joblib
import pytest
from filelock import FileLock
from xdist.scheduler import LoadScopeScheduling

from evermodel import fetching
from evermodel.core import project
from evermodel.datasets import dataset
from evermodel.datasets.source import PROVENANCE
from evermodel.runs import determinism
from tests.project import in_part

ROOT = Path(__file__).parents[1]
SHARING = (
    "tests/pipeline/",
    "tests/mlflow/test_ui.py",
    "tests/serving/test_browser.py",
    "tests/test_readme.py",
    "tests/test_tutorial.py",
)
# Each shares a server or what it trained; the first that fits.
ALONE = (
    "tests/pipeline/test_edit.py",
    "tests/mlflow/",
    "tests/rebuilding/",
    "tests/scheduling/test_compose.py",
    "tests/scheduling/",
    "tests/serving/test_server.py",
)
# What their parameters name is built, or read, by one worker.
NAMED = ("tests/models/test_zoo.py", "tests/samples/test_samples.py")
# One import of TensorFlow is enough for all of these.
TRAINING = ("tests/training/", "tests/objectives/", "tests/runs/", "tests/publishing/test_latency.py")


class Together(LoadScopeScheduling):
    """Sends to one worker what shares a project, a server, Keras, an architecture or a sample.

    xdist's own `loadgroup` does nothing with pytest 9.2, whose node ids it can't change any more.
    """

    def _split_scope(self, nodeid):
        file = nodeid.split("::")[0]
        for part in ALONE:
            if file.startswith(part) and file not in SHARING:
                return part
        if file.startswith(SHARING):
            return "project"
        if file.startswith(TRAINING):
            return "keras"
        return nodeid.rpartition("[")[2] if file in NAMED else nodeid


def pytest_xdist_make_scheduler(config, log):
    """Who runs what, for `pytest -n`."""
    return Together(config, log)


def pytest_xdist_auto_num_workers(config):
    """One more than there are cores, since much waits for servers; more than six would find nothing to do."""
    return min(joblib.cpu_count() + 1, 6)


def pytest_collection_modifyitems(config, items):
    """Leave the other parts of the zoo out."""
    for item in list(items):
        named = item.nodeid.startswith(NAMED) and item.get_closest_marker("zoo")
        if named and not in_part(config, item.nodeid.rpartition("[")[2]):
            items.remove(item)


@pytest.fixture(autouse=True)
def in_one_process(monkeypatch):
    """A command that a test calls stays in the tests' own process, also where a program would begin anew."""
    monkeypatch.setattr(determinism, "begin_anew", lambda: None)


@pytest.fixture
def workspace(tmp_path, monkeypatch):
    """The current folder is a fresh copy of this repository's settings, in which nothing ever ran."""
    shutil.copy(ROOT / "params.yaml", tmp_path)
    for file in [*ROOT.glob("data/*/*.yaml"), *ROOT.glob("experiments/*/*.yaml")]:
        copy = tmp_path / file.relative_to(ROOT)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(file, copy)
    monkeypatch.chdir(tmp_path)
    # Set first, so that the end of the test takes away what MLflow sets by itself.
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "")
    monkeypatch.delenv("MLFLOW_TRACKING_URI")
    return tmp_path


@pytest.fixture
def edit(workspace):
    """A function that replaces a text which stands in a file."""

    def replace(name, old, new):
        file = workspace / name
        assert old in file.read_text()
        file.write_text(file.read_text().replace(old, new, 1))

    return replace


@pytest.fixture
def trainable(workspace):
    """The workspace with all that a training depends on."""
    for name in ("pipelines", "requirements", "src"):
        (workspace / name).symlink_to(ROOT / name)
    return workspace


@pytest.fixture(scope="session")
def empty_store(tmp_path_factory):
    """A function that puts an empty store of MLflow's into a folder; making its tables takes seconds."""
    from mlflow.tracking import MlflowClient  # a second that most tests need not wait for

    made = tmp_path_factory.mktemp("empty") / "mlflow.db"
    MlflowClient(f"sqlite:///{made}").search_experiments(max_results=1)
    return lambda folder: shutil.copy(made, folder / "mlflow.db")


@pytest.fixture(scope="session")
def drawn(tmp_path_factory, worker_id):
    """A function from a data set to the folder of its sample, drawn by one worker for all."""
    own = tmp_path_factory.getbasetemp()
    shared = own if worker_id == "master" else own.parent

    def draw(name):
        folder = shared / "samples" / name
        folder.mkdir(parents=True, exist_ok=True)
        with FileLock(folder.with_suffix(".lock")):
            if not (folder / PROVENANCE).exists():  # written last
                with chdir(ROOT):
                    fetching.fetch(name, dataset.load(name, "sample").source, "sample", folder)
        return folder

    return draw


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
    determinism.fix(project.load(ROOT / "params.yaml").runtime)
    determinism.seed_keras(0)
    return determinism.keras()
