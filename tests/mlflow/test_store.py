"""What becomes of champions and history when the folder is moved or copied, or its store is lost."""

import json
import shutil
from pathlib import Path

import pandas as pd
import pytest
from mlflow.tracking import MlflowClient

from evermodel.publishing import registry, tracking
from tests.mlflow.servers import Server
from tests.project import ROOT, Project, commit
from tests.serving.servers import Server as Serving

pytestmark = [pytest.mark.all, pytest.mark.timeout(1200)]

NAME, NETWORK = "boston_linear", "boston_dnn"
HOUSES = ROOT / "docs/examples/houses.csv"
MODEL = "src/evermodel/models/linear.py"
ASK = """
import sys
import mlflow, pandas
for name in sys.argv[2:]:
    model = mlflow.pyfunc.load_model(f"models:/{name}@champion")
    print(*pandas.DataFrame(model.predict(pandas.read_csv(sys.argv[1])))[0].round(3))
"""


@pytest.fixture(scope="module")
def used(prepared: Project, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project in which a network has run, and a linear model twice, the second time better."""
    made = prepared.copied(tmp_path_factory.mktemp("used"))
    made.keep(NAME, NETWORK)
    made.edit(MODEL, "import LinearRegression, LogisticRegression", "import LogisticRegression, Ridge")
    train(made, "LinearRegression()", "Ridge(1000)", NETWORK)
    train(made, "Ridge(1000)", "Ridge(0)")
    return made


def train(project: Project, old: str, new: str, *more: str) -> None:
    """Commit an edit of the linear model, and run it."""
    project.edit(MODEL, old, new)
    commit(project, new)
    project.run("evermodel", "run", NAME, *more)


@pytest.fixture
def project(used: Project, tmp_path: Path) -> Project:
    """A copy of it for the test alone."""
    return used.copied(tmp_path)


def state(address: str) -> dict:
    """All that MLflow knows, but for ids, places and when a version was registered."""
    client, found = MlflowClient(address), {}
    for experiment in client.search_experiments(filter_string="name != 'Default'"):
        runs = client.search_runs([experiment.experiment_id])
        keys = {run.info.run_id: run.data.tags[tracking.KEY] for run in runs}
        versions = registry.versions(client, experiment.name)
        model = client.get_registered_model(experiment.name)
        found[experiment.name] = {
            "tags": experiment.tags,
            "runs": {keys[run.info.run_id]: told(client, run) for run in runs},
            "versions": {int(one.version): (one.tags, one.description, keys[one.run_id]) for one in versions},
            "aliases": {alias: int(number) for alias, number in model.aliases.items()},
            "followed": model.tags,
        }
    return found


def told(client: MlflowClient, run) -> tuple:
    info, run_id = run.info, run.info.run_id
    curves = {name: client.get_metric_history(run_id, name) for name in run.data.metrics}
    return (
        (info.run_name, info.status, info.start_time, info.end_time),
        run.data.params,
        run.data.tags,
        {name: [(p.step, p.timestamp, p.value) for p in points] for name, points in curves.items()},
        [one.dataset.to_dictionary() for one in run.inputs.dataset_inputs],
        sorted(file.path for at in ("", "evaluation") for file in client.list_artifacts(run_id, at)),
    )


def address(project: Project) -> str:
    return f"sqlite:///{project.folder}/mlflow.db"


def answers(project: Project, *names: str) -> list[str]:
    """What MLflow's own loader says of a table, asked from another folder."""
    asked = ("python", "-c", ASK, str(HOUSES), *names)
    elsewhere = Project(project.folder.parent)
    return elsewhere.run(*asked, MLFLOW_TRACKING_URI=address(project)).stdout.splitlines()


def test_mlflow_asks_champions_for_the_table_of_the_docs_from_another_folder(used):
    linear, network = answers(used, NAME, NETWORK)
    for name, said in ((NAME, linear), (NETWORK, network)):
        rows = json.loads(used.run("evermodel", "predict", name, str(HOUSES), "--json").stdout)
        assert [float(number) for number in said.split()] == pytest.approx(
            [row["MEDV"] for row in rows], abs=1e-3
        )


def test_a_folder_that_was_renamed_goes_on(project):
    before = answers(project, NAME, NETWORK)
    old = project.folder
    moved = Project(old.rename(old.with_name("a new place")))
    assert NAME in moved.run("evermodel", "list").stdout
    assert "22" in moved.run("evermodel", "predict", NAME, str(HOUSES)).stdout
    assert answers(moved, NAME, NETWORK) == before
    server = Serving(moved, NAME)
    try:
        status, answer = server.post(f"/predict/{NAME}", {"rows": pd.read_csv(HOUSES).to_dict("records")})
        assert (status, int(answer["version"])) == (200, 2)
    finally:
        server.stop()
    train(moved, "Ridge(0)", "Ridge(500)")
    assert "version 1" in moved.run("evermodel", "rollback", NAME).stdout
    assert "4 decisions as they were written" in moved.run("evermodel", "history", NAME, "--verify").stdout
    assert not old.exists()
    rebuilt = moved.run("evermodel", "rebuild", f"{NAME}@champion").stdout
    assert f"{NAME} version 1: EXACT" in rebuilt


def test_a_copy_writes_into_itself_alone(project, tmp_path):
    before = sorted(project.folder.rglob("mlartifacts/**/*")), state(address(project))
    (tmp_path / "beside").mkdir()
    copy = project.copied(tmp_path / "beside")
    train(copy, "Ridge(0)", "Ridge(500)")
    copy.run("evermodel", "rollback", NAME)
    assert (sorted(project.folder.rglob("mlartifacts/**/*")), state(address(project))) == before
    assert len(list(copy.folder.glob(f"mlartifacts/{NAME}/models/*"))) == 3


def test_a_store_that_was_lost_is_filled_again_by_one_command(project):
    before = state(address(project))
    (project.folder / "mlflow.db").unlink()
    for command in (("rollback", NAME), ("predict", NAME, str(HOUSES)), ("rebuild", f"{NAME}@champion")):
        refused = project.run("evermodel", *command, check=False)
        assert refused.returncode == 1
        assert f"`evermodel restore {NAME}` brings it back" in refused.stderr
    done = project.run("evermodel", "restore").stdout
    assert f"{NAME}: 2 runs and 2 versions are back, champion is 2" in done
    moved = Project(project.folder.rename(project.folder.with_name("moved")))  # nobody has its connection
    moved.run("evermodel", "history", NAME, "--verify")
    assert state(address(moved)) == before
    assert project.ran(moved.run("evermodel", "run").stdout) == []
    train(moved, "Ridge(0)", "Ridge(500)")
    assert "3" in moved.run("evermodel", "history", NAME).stdout


def test_another_server_is_filled_and_what_a_server_or_nobody_kept_fills_a_store(project, server: Server):
    before = state(address(project))
    uri = {"MLFLOW_TRACKING_URI": server.uri}
    project.run("evermodel", "restore", **uri)
    assert state(server.uri) == before == state(address(project))
    project.run("evermodel", "history", NETWORK, "--verify", **uri)
    # From what a server kept, whose database is lost, too.
    (project.folder / "mlflow.db").unlink()
    shutil.rmtree(project.folder / "mlartifacts")
    shutil.copytree(server.folder / "artifacts", project.folder / "mlartifacts")
    project.run("evermodel", "restore")
    moved = Project(project.folder.rename(project.folder.with_name("moved")))  # nobody has its connection
    moved.run("evermodel", "history", NAME, "--verify")
    assert state(address(moved)) == before
    (moved.folder / "mlflow.db").unlink()
    shutil.rmtree(moved.folder / "mlartifacts")
    done = moved.run("evermodel", "restore").stdout
    lost = "nothing but the number is left of version 1"
    assert f"{NAME}: 0 runs and 1 versions are back, champion is 2; {lost}" in done
    assert len(answers(moved, NAME)) == 1
