"""What is only tried out, with `dvc exp`: nothing is registered, and no test rows are used up."""

import json
import os

import pytest

from tests.mlflow.servers import wait_for

pytestmark = pytest.mark.timeout(3000)
EPOCHS = "experiments/boston_dnn/params.yaml:train.epochs=3"
TARGET = "experiments/boston_dnn/dvc.yaml"


@pytest.fixture
def tried(edited):
    """The project with the decisions that it had before; after the test they must be the same."""
    ledgers = sorted((edited.folder / ".evermodel/ledger").glob("*.jsonl"))
    before = {file.name: file.read_text() for file in ledgers}
    versions = edited.run("evermodel", "history", "boston_dnn", "--json").stdout
    yield edited
    assert {file.name: file.read_text() for file in ledgers} == before
    assert edited.run("evermodel", "history", "boston_dnn", "--json").stdout == versions
    edited.run("dvc", "exp", "remove", "--all-commits")


def shown(project):
    """The experiments of `dvc exp show`, each with the epochs that it says and its error."""
    table = json.loads(project.run("dvc", "exp", "show", "--json").stdout)
    found = {}
    for base in table:
        for one in base["experiments"] or []:
            (revision,) = one["revs"]
            data = revision["data"]
            params = data["params"]["experiments/boston_dnn/params.yaml"]["data"]
            metrics = data["metrics"]["experiments/boston_dnn/metrics.json"]["data"]
            found[revision["name"]] = (params["train"]["epochs"], metrics["mae"])
    return found


def without_environment(project, *options):
    """Train three epochs where nobody has activated the environment."""
    command = (".venv/bin/dvc", "exp", "run", *options, "-S", EPOCHS, TARGET)
    return project.run(*command, PATH=os.environ["PATH"])


def trained_epochs(folder):
    """How many lines the curves of the last training have."""
    return len((folder / "experiments/boston_dnn/curves.csv").read_text().splitlines()) - 1


@pytest.mark.spine
def test_an_override_of_epochs_trains_and_records_so_many(tried):
    champion = json.loads((tried.params("boston_dnn").parent / "metrics.json").read_text())["mae"]
    done = without_environment(tried, "--name", "three")
    assert "not promoted" in done.stdout
    assert trained_epochs(tried.folder) == 3
    epochs, error = shown(tried)["three"]
    assert (epochs, error > champion) == (3, True)
    table = tried.run("dvc", "exp", "show", "--only-changed", "--no-pager").stdout
    assert "three" in table
    difference = json.loads(tried.run("dvc", "exp", "diff", "HEAD", "three", "--json").stdout)
    assert difference["metrics"]["experiments/boston_dnn/metrics.json"]["mae"]["diff"] > 0


@pytest.mark.all
def test_experiments_in_a_copy_and_in_a_queue_leave_the_workspace_as_it_is(tried):
    before = tried.run("git", "status", "--porcelain").stdout
    without_environment(tried, "--temp", "--name", "aside")
    queued = EPOCHS.replace("=3", "=4")
    tried.run("dvc", "exp", "run", "--queue", "--name", "later", "-S", queued, TARGET)
    tried.run("dvc", "queue", "start")
    tried.run("dvc", "queue", "logs", "--follow", "later")
    wait_for(lambda: "later" in shown(tried), "the queued experiment is done")
    assert tried.run("git", "status", "--porcelain").stdout == before
    assert {name: epochs for name, (epochs, _) in shown(tried).items()} == {"aside": 3, "later": 4}
