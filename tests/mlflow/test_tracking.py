"""One training is one run in MLflow, whatever happens to the server or to the training in between."""

import json
import shutil
import signal
import subprocess
import threading
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from types import ModuleType

import pytest
import yaml
from mlflow.entities import Run
from mlflow.tracking import MlflowClient
from typer.testing import CliRunner

from evermodel.cli import app
from evermodel.core import data
from evermodel.core.errors import EvermodelError
from evermodel.runs import determinism, recipe
from evermodel.runs.recipe import Recipe
from pipelines import evaluate, promote, train
from tests.mlflow.servers import Proxy, Server, wait_for
from tests.project import Project
from tests.server import free_port

pytestmark = pytest.mark.timeout(1200)

NAME = "boston_dnn"
CURVES = {f"{split}/{figure}" for split in ("train", "validation") for figure in ("loss", "mae")}
COSTS = {"train/gpu_hours", "train/cpu_hours"}  # which grow by each try of a training
STAGE = f"experiments/{NAME}/dvc.yaml"
TRAIN = ("sh", "-c", f"cd experiments/{NAME} && exec sh ../../pipelines/stage.sh train {NAME}")
PROMOTE = ("python", "-m", "pipelines.promote", NAME)
NOT_TOLD = "MLflow could not be told yet"
WRITES = ("/create", "/log-batch", "/log-inputs", "/update", "/alias", "/set-tag", "/finalize")
# A stage that waits for however long a busy machine needs to make MLflow's tables.
PATIENTLY = """
import sys
from evermodel.runs import journal
from pipelines import train

journal.PATIENCE = 600
train.main(sys.argv[1])
"""
# They are forks of one process, which imports MLflow for all of them, and start at one moment.
CROWD = """
import multiprocessing
from evermodel.publishing import tracking

def enter(start):
    start.wait()
    tracking.connect()

fork = multiprocessing.get_context("fork")
start = fork.Barrier(4)
crowd = [fork.Process(target=enter, args=[start]) for _ in range(4)]
for process in crowd:
    process.start()
for process in crowd:
    process.join()
assert [process.exitcode for process in crowd] == [0] * 4
"""


@pytest.fixture(scope="module")
def gone(prepared: Project, running: Server, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project in which an experiment has run; the server keeps what it was told."""
    running.restore("nothing")
    project = prepared.copied(tmp_path_factory.mktemp("gone"))
    project.repro(f"{STAGE}:promote", MLFLOW_TRACKING_URI=running.uri)
    running.keep("gone")
    return project


@pytest.fixture
def done(gone: Project, running: Server) -> tuple[Project, Server]:
    """It and the server, which holds that; tests only look at them."""
    running.restore("gone")
    return gone, running


@pytest.fixture
def finished(done: tuple[Project, Server], tmp_path: Path) -> tuple[Project, Server]:
    """A copy of it, and the server, to do more with."""
    return done[0].copied(tmp_path), done[1]


@pytest.fixture(scope="module")
def again(gone: Project, running: Server, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A copy of it that has trained once more, by another recipe, and as if there were two GPUs.

    The server keeps what it was told.
    """
    running.restore("gone")
    project = gone.copied(tmp_path_factory.mktemp("again"))
    change_recipe(project, epochs=3)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(determinism, "gpus", lambda: 2)
        tell(project, running.uri, train)
    running.keep("again")
    return project


@pytest.fixture
def retrained(again: Project, running: Server) -> tuple[Project, Server]:
    """It and the server, which holds that."""
    running.restore("again")
    return again, running


@pytest.fixture
def short(fresh: Project) -> Project:
    """One that trains for no longer than it takes to make a champion."""
    change_recipe(fresh, epochs=40)
    return fresh


@pytest.fixture
def watched(fresh: Project) -> Project:
    """One that tells MLflow of each epoch at once, though its training is short."""
    fresh.edit("src/evermodel/runs/journal.py", "WATCHED = 20.0", "WATCHED = 0.0")
    return fresh


def tell(project: Project, uri: str, *stages: ModuleType) -> str:
    """What stages say that run in this process, which imports TensorFlow once for all of them."""
    with project.inside(MLFLOW_TRACKING_URI=uri), redirect_stdout(StringIO()) as said:
        for stage in stages:
            stage.main(NAME)
    return said.getvalue()


def runs(uri: str, name: str = NAME) -> list[Run]:
    """All runs of an experiment, the deleted ones too."""
    client = MlflowClient(uri)
    experiment = client.get_experiment_by_name(name)
    return client.search_runs([experiment.experiment_id], run_view_type=3) if experiment else []


def points(uri: str) -> dict[str, list[tuple[int, float]]]:
    """Step and value of every point of every metric of the one run."""
    client = MlflowClient(uri)
    (run,) = runs(uri)
    return {
        name: sorted((point.step, point.value) for point in client.get_metric_history(run.info.run_id, name))
        for name in run.data.metrics
    }


def complete(uri: str, project: Project) -> None:
    """Assert that the store holds all of the experiment, and nothing of it twice."""
    (run,) = runs(uri)
    assert run.info.status == "FINISHED"
    logged = points(uri)
    assert {name for name, steps in logged.items() if len(steps) > 1} - COSTS == CURVES
    assert logged.keys() >= COSTS
    assert all([step for step, _ in logged[curve]] == all_epochs(project) for curve in CURVES)
    for name, value in metrics(project).items():
        shown = name.replace("_", "/", 1) if name.startswith("baseline_") else f"test/{name}"
        assert logged[shown] == [(0, value)]
    assert run.data.params["options.units"] == str(chosen(project).options["units"])
    assert len(run.inputs.dataset_inputs) == 1
    client = MlflowClient(uri)
    files = {Path(file.path).name for file in client.list_artifacts(run.info.run_id, "evaluation")}
    assert files == {
        "metrics.json",
        "scores.parquet",
        *(f.name for f in (project.folder / "experiments" / NAME / "figures").iterdir()),
    }
    (version,) = client.search_model_versions(f"name = '{NAME}'")
    assert version.run_id == run.info.run_id
    assert client.get_model_version_by_alias(NAME, "champion").version == version.version
    (logged,) = client.search_logged_models([run.info.experiment_id])
    assert version.source == f"models:/{logged.model_id}"
    assert [output.model_id for output in run.outputs.model_outputs] == [logged.model_id]
    assert logged.status == "READY"


def metrics(project: Project) -> dict[str, float]:
    return json.loads((project.folder / "experiments" / NAME / "metrics.json").read_text())


def model(project: Project) -> bytes:
    return (project.folder / "experiments" / NAME / "model/model.keras").read_bytes()


def events(project: Project) -> list[dict]:
    """What the journal of the one training holds so far."""
    journals = list((project.folder / ".evermodel/runs").glob("*.jsonl"))
    return [json.loads(line) for file in journals for line in file.read_text().splitlines()]


def chosen(project: Project) -> Recipe:
    with project.inside():
        return recipe.load(NAME, "sample")


def all_epochs(project: Project) -> list[int]:
    return list(range(1, chosen(project).train.epochs + 1))


def epochs(project: Project) -> list[int]:
    """Those that are over, as its journal says."""
    return [event["figures"]["epoch"] for event in events(project) if event["event"] == "epoch"]


def kept(project: Project) -> int:
    """The epoch that its newest checkpoint is of."""
    files = (project.folder / ".evermodel/checkpoints").glob("*/*-*.npz")
    return max(int(file.name.split("-")[0]) for file in files)


def is_one_sentence(error: str) -> bool:
    """Whether it is a single line with no trace of Python."""
    return len(error.strip().splitlines()) == 1 and "Traceback" not in error


def change_recipe(project: Project, **train: float) -> None:
    """Edit how the experiment trains."""
    file = project.params(NAME)
    values = yaml.safe_load(file.read_text())
    values["train"] |= train
    file.write_text(yaml.safe_dump(values, sort_keys=False))


def start_training(project: Project, uri: str, done: int = 0) -> subprocess.Popen[str]:
    """A training that is under way: MLflow has heard of more epochs than were done."""
    training = project.start(*TRAIN, MLFLOW_TRACKING_URI=uri)
    wait_for(lambda: len(epochs(project)) > done, "another epoch is over")
    wait_for(
        lambda: runs(uri) and len(points(uri).get("train/loss", ())) > done,
        "MLflow hears of another epoch",
    )
    assert training.poll() is None, "the training ended before it could be disturbed"
    return training


def answer_with(proxy: Proxy, status: int, step: str = "") -> None:
    """Let requests for the step fail, or all."""
    proxy.fault = lambda path: status if path.endswith(step) else None


@pytest.mark.spine
def test_a_run_of_an_experiment_is_one_complete_run(done):
    project, server = done
    complete(server.uri, project)


@pytest.mark.spine
def test_every_point_has_the_time_when_it_was_reached(done):
    project, server = done
    (run,) = runs(server.uri)
    reached = {e["figures"]["epoch"]: e["time"] for e in events(project) if e["event"] == "epoch"}
    history = MlflowClient(server.uri).get_metric_history(run.info.run_id, "validation/loss")
    assert {point.step: point.timestamp for point in history} == reached
    assert run.info.start_time == events(project)[0]["time"]
    assert run.info.end_time == events(project)[-1]["time"]


@pytest.mark.spine
def test_a_run_says_what_it_was_made_of(done):
    project, server = done
    (run,) = runs(server.uri)
    spec = data.load_spec(project.folder / "data/boston_housing/prepared", "number")
    tags = {name.removeprefix("evermodel."): value for name, value in run.data.tags.items()}
    assert tags["commit"] == project.run("git", "rev-parse", "HEAD").stdout.strip()
    assert (tags["profile"], tags["data"], tags["data.synthetic"]) == ("sample", "boston_housing", "true")
    assert tags["data.test_hash"] == spec.test_hash
    assert tags["environment"] == data.file_hash(project.folder / "requirements/numbers.lock")
    assert tags["machine.python"] == events(project)[0]["machine"]["python"]
    assert "synthetic data" in tags["mlflow.note.content"]
    (dataset,) = run.inputs.dataset_inputs
    assert dataset.dataset.name == "boston_housing"
    assert run.data.params["train.learning_rate"] == str(chosen(project).train.learning_rate)
    assert run.data.params["runtime.seed"] == "42"


@pytest.mark.all
def test_a_registered_version_tells_its_user_all_that_is_needed(done, tmp_path):
    project, server = done
    client = MlflowClient(server.uri)
    version = client.get_model_version_by_alias(NAME, "champion")
    assert version.description.startswith(f"# {NAME}, version 1\n")
    assert "**Synthetic data:**" in version.description
    page = Path(client.download_artifacts(version.run_id, "card.html", str(tmp_path))).read_text()
    assert f"<h1>{NAME}, version 1</h1>" in page
    figures = list((project.folder / "experiments" / NAME / "figures").glob("*.png"))
    assert page.count("<img src=") == len(figures) + 1 > 1  # and by how much it beats its baseline
    script = f"""
import mlflow
model = mlflow.pyfunc.load_model("models:/{NAME}@champion")
example = model.input_example
assert list(example.columns) == model.metadata.signature.inputs.input_names()
print("prices", *model.predict(example).to_numpy().ravel())
"""
    answer = project.run("python", "-c", script, MLFLOW_TRACKING_URI=server.uri).stdout.splitlines()[-1]
    assert [5 < float(price) < 60 for price in answer.split()[1:]] == [True, True]


@pytest.mark.all
def test_nothing_is_doubled_by_doing_it_again(finished):
    project, server = finished
    before = points(server.uri)
    tell(project, server.uri, promote)
    assert points(server.uri) == before
    # In a process of its own: what this one has trained before would change the bytes.
    project.run(*TRAIN, MLFLOW_TRACKING_URI=server.uri)
    tell(project, server.uri, evaluate, promote)
    again = points(server.uri)
    assert again == before | {name: again[name] for name in COSTS}
    (first,), (_, (step, both)) = before["train/cpu_hours"], again["train/cpu_hours"]
    assert (step, both > first[1] > 0) == (2, True), "what it has cost is what both have"
    shutil.rmtree(project.folder / ".evermodel/runs")
    tell(project, server.uri, promote)
    assert points(server.uri) == again
    complete(server.uri, project)


@pytest.mark.all
def test_a_new_training_does_not_take_over_the_report_of_the_last(retrained):
    _, server = retrained
    new = next(run for run in runs(server.uri) if run.data.params["train.epochs"] == "3")
    assert new.info.status == "FINISHED"
    assert not [name for name in new.data.metrics if name.startswith("test/")]


@pytest.mark.all
def test_a_training_costs_the_hours_of_all_its_gpus_and_the_experiment_those_of_all_trainings(retrained):
    project, server = retrained
    hours = {run.data.params["train.epochs"]: run.data.metrics for run in runs(server.uri)}
    new = hours.pop("3")
    assert new["train/gpu_hours"] == pytest.approx(2 * new["train/seconds"] / 3600)
    (old,) = hours.values()
    assert old["train/gpu_hours"] == 0
    with project.inside(MLFLOW_TRACKING_URI=server.uri):
        rows = json.loads(CliRunner().invoke(app, ["list", "--cost", "--json"]).stdout)
    row = next(row for row in rows if row["experiment"] == NAME)
    assert row["version"] == 1, "which the new training has not made"
    assert (row["gpu_hours"], row["total_gpu_hours"]) == (0, new["train/gpu_hours"])
    assert row["total_cpu_hours"] == pytest.approx(old["train/cpu_hours"] + new["train/cpu_hours"])
    version = MlflowClient(server.uri).get_model_version(NAME, "1")
    assert float(version.tags["evermodel.cpu_hours"]) == old["train/cpu_hours"] == row["cpu_hours"]
    assert "| Cost of training | 0 GPU hours, " in version.description


@pytest.mark.all
def test_a_server_that_cannot_say_who_is_champion_promotes_nobody(retrained):
    project, server = retrained
    proxy = Proxy(server.uri)
    tell(project, server.uri, evaluate)
    asks = ("registered-models/search", "registered-models/alias?")
    proxy.fault = lambda path: 500 if any(question in path for question in asks) else None
    refused = project.run(*PROMOTE, check=False, MLFLOW_TRACKING_URI=proxy.uri)
    assert refused.returncode == 1
    assert is_one_sentence(refused.stderr)
    assert refused.stderr.startswith(f"{NAME}: MLflow at {proxy.uri} failed: ")
    assert len(MlflowClient(server.uri).search_model_versions(f"name = '{NAME}'")) == 1
    proxy.shutdown()


@pytest.mark.all
def test_a_champion_whose_file_was_changed_is_refused(finished):
    project, server = finished
    rows = (project.folder / "data/boston_housing/raw/housing.data").read_text().splitlines()[:2]
    header = "CRIM,ZN,INDUS,CHAS,NOX,RM,AGE,DIS,RAD,TAX,PTRATIO,B,LSTAT"
    (project.folder.parent / "houses.csv").write_text(
        "\n".join([header, *(",".join(row.split()[:-1]) for row in rows)])
    )
    ask = ("evermodel", "predict", NAME, "../houses.csv", "--json")
    with project.inside(MLFLOW_TRACKING_URI=server.uri):
        answers = json.loads(CliRunner().invoke(app, ask[1:]).stdout)
    assert [answer["version"] for answer in answers] == [1, 1]
    (stored,) = (server.folder / "artifacts").rglob("model.keras")
    good = stored.read_bytes()
    stored.write_bytes(good[:-1] + bytes([good[-1] ^ 1]))
    refused = project.run(*ask, check=False, MLFLOW_TRACKING_URI=server.uri)
    stored.unlink()
    with project.inside(MLFLOW_TRACKING_URI=server.uri):
        missing = CliRunner().invoke(app, ask[1:])
    assert (refused.returncode, missing.exit_code) == (1, 1)
    for answer in (refused, missing):
        assert answer.stdout == ""
        assert is_one_sentence(answer.stderr)
        assert f"{NAME} version 1" in answer.stderr
    assert "not the one that was registered" in refused.stderr


@pytest.mark.all
def test_a_password_in_the_address_is_not_printed(fresh):
    uri = "http://somebody:secret@127.0.0.1:9"
    told = fresh.run("evermodel", "rollback", NAME, check=False, MLFLOW_TRACKING_URI=uri)
    assert told.returncode == 1
    assert "http://127.0.0.1:9" in told.stderr
    assert "secret" not in told.stdout + told.stderr


@pytest.mark.all
def test_a_server_that_dies_in_mid_training_loses_nothing(watched, server):
    training = start_training(watched, server.uri)
    heard = len(epochs(watched))
    server.stop()
    assert training.wait(600) == 0
    assert heard < len(epochs(watched)) == len(all_epochs(watched))
    server.start()
    tell(watched, server.uri, evaluate, promote)
    complete(server.uri, watched)


@pytest.mark.spine
def test_without_an_answer_everything_but_promotion_goes_on(short, proxy):
    """Nobody is there while it trains; then somebody asks for an hour of patience."""
    nobody = f"http://127.0.0.1:{free_port()}"
    answer_with(proxy, 429)
    for stage, uri in (("train", nobody), ("evaluate", proxy.uri)):
        told = short.run("dvc", "repro", f"{STAGE}:{stage}", MLFLOW_TRACKING_URI=uri)
        assert told.stdout.count(NOT_TOLD) == 1
    for uri, reason in ((nobody, "Connection refused"), (proxy.uri, "429")):
        refused = short.run(*PROMOTE, check=False, MLFLOW_TRACKING_URI=uri)
        assert refused.returncode == 1
        assert is_one_sentence(refused.stderr)
        assert refused.stderr.startswith(f"{NAME}: MLflow at {uri} failed: ")
        assert reason in refused.stderr
        assert "start or mend it" in refused.stderr
    proxy.heal()
    assert short.repro(f"{STAGE}:promote", MLFLOW_TRACKING_URI=proxy.uri) == [f"{STAGE}:promote"]
    complete(proxy.uri, short)


@pytest.mark.all
def test_a_server_that_does_not_answer_does_not_hold_a_training_up(short, proxy):
    """It answers no sooner than the training is over, so a training that waited for it would never end."""
    over = threading.Event()
    proxy.fault = lambda path: over.wait() and 503
    training = short.start(*TRAIN, MLFLOW_TRACKING_URI=proxy.uri)
    wait_for(lambda: "end" in [event["event"] for event in events(short)], "the training is over")
    assert epochs(short) == all_epochs(short)
    over.set()
    assert training.wait(600) == 0
    proxy.heal()
    tell(short, proxy.uri, evaluate, promote)
    complete(proxy.uri, short)


@pytest.mark.all
def test_a_run_whose_making_is_cut_short_anywhere_is_completed(short, proxy):
    answer_with(proxy, 500, "experiments/create")
    assert NOT_TOLD in tell(short, proxy.uri, train)
    answer_with(proxy, 500, "runs/create")
    assert NOT_TOLD in tell(short, proxy.uri, evaluate)
    for step in ("runs/log-batch", "runs/log-inputs"):
        answer_with(proxy, 500, step)
        refused = short.run(*PROMOTE, check=False, MLFLOW_TRACKING_URI=proxy.uri)
        assert refused.returncode == 1
        assert is_one_sentence(refused.stderr)
    proxy.heal()
    tell(short, proxy.uri, promote)
    complete(proxy.uri, short)


@pytest.mark.all
def test_a_request_whose_answer_was_lost_is_not_done_twice(short, proxy):
    """Every request that writes is done, and the first one of each kind is answered with an error."""
    heard = set()

    def first_that_writes(path):
        new = path.endswith(WRITES) and path not in heard
        heard.add(path)
        return new

    proxy.lose = first_that_writes
    tell(short, proxy.uri, train, evaluate)
    while refused := refusal(short, proxy.uri):
        assert "500" in refused
        assert is_one_sentence(refused)
    assert any("model-versions/create" in path for path in heard)
    complete(proxy.uri, short)


def refusal(project: Project, uri: str) -> str:
    """Why a promotion is refused, or nothing if it is not."""
    try:
        tell(project, uri, promote)
    except EvermodelError as error:
        return str(error)
    return ""


@pytest.mark.all
def test_a_killed_training_is_known_at_once_and_goes_on_as_the_same_run(gone, watched, server):
    stopped = 0
    for how, code in ((signal.SIGTERM, 143), (signal.SIGKILL, -signal.SIGKILL)):
        training = start_training(watched, server.uri, stopped)
        training.send_signal(how)
        assert training.wait(600) == code
        before, stopped = stopped, kept(watched)
        # An epoch is kept before it is told, and a kill can come between.
        assert before < len(epochs(watched)) <= stopped < len(all_epochs(watched))
        wait_for(lambda: runs(server.uri)[0].info.status == "KILLED", "the run is KILLED")
    (killed,) = runs(server.uri)
    again = watched.run("dvc", "repro", f"{STAGE}:train", MLFLOW_TRACKING_URI=server.uri)
    assert f"going on after epoch {stopped} " in again.stdout
    (finished,) = runs(server.uri)
    assert finished.info.run_id == killed.info.run_id
    assert model(watched) == model(gone)
    tell(watched, server.uri, evaluate, promote)
    complete(server.uri, watched)


@pytest.mark.all
def test_a_training_that_fails_says_why_in_one_sentence_and_its_run_has_failed(fresh, server):
    change_recipe(fresh, learning_rate=1e30)
    failed = fresh.run(*TRAIN, check=False, MLFLOW_TRACKING_URI=server.uri)
    assert failed.returncode == 1
    errors = [line for line in failed.stderr.splitlines() if line.startswith(f"{NAME}: ")]
    assert len(errors) == 1
    assert "the loss became" in errors[0]
    assert "learning_rate" in errors[0]
    assert "Traceback" not in failed.stderr
    assert [run.info.status for run in runs(server.uri)] == ["FAILED"]
    assert not (fresh.folder / "experiments" / NAME / "model").exists()


@pytest.mark.all
def test_two_trainings_that_meet_an_empty_store_both_get_into_it(fresh):
    change_recipe(fresh, epochs=3)
    uri = f"sqlite:///{fresh.folder}/mlflow.db"
    both = [
        fresh.start("python", "-c", PATIENTLY, name, MLFLOW_TRACKING_URI=uri)
        for name in (NAME, "boston_linear")
    ]
    assert [training.wait(600) for training in both] == [0, 0]
    log = (fresh.folder / ".evermodel/tracking.log").read_text()
    for name in (NAME, "boston_linear"):
        found = runs(uri, name)
        assert len(found) == 1, log
        assert found[0].info.status == "FINISHED"


@pytest.mark.spine
def test_many_processes_that_meet_an_empty_store_at_once_all_get_into_it(fresh):
    """The race is for the first tables, so it is run on its own, by more than ever would."""
    fresh.run("python", "-c", CROWD)
