"""docker/compose.yaml at work: PostgreSQL, Redis, Celery and two workers, one of which dies in training."""

import json
import re
from itertools import product

import pytest
import requests
import yaml

from evermodel.scheduling.schedule import TAKEN
from tests.compose import SERVICES
from tests.project import Project, commit
from tests.scheduling import stack as compose
from tests.scheduling.server import pack, wait
from tests.scheduling.stack import Stack

pytestmark = [pytest.mark.all, pytest.mark.timeout(3000)]
# Two small ones; the first is sent to the GPU's worker, and trains long enough to be killed in its midst.
DAG, GPU, CPU = "retrain_all", "boston_dnn", "imdb_linear"
PIPELINES = {GPU: ("boston_housing", GPU), CPU: ("imdb", CPU)}
OTHERS = ("boston_linear", "concrete_mlp")
EPOCHS = 60
CHOSEN = {"experiments": [GPU, CPU], "overrides": [f"experiments.{GPU}.train.epochs={EPOCHS}"]}
# A dead worker is noticed after 30 seconds, and not after the 10 minutes of compose.yaml; what it did is
# tried again after 5 more, and not after one or two minutes.
IMPATIENT = {
    "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "30",
    "AIRFLOW__CORE__MAX_TASK_RETRY_DELAY": "5",
}


@pytest.fixture(scope="module")
def stack(airflow_bin):
    compose.require_programs()
    made = Stack(airflow_bin, **IMPATIENT)
    with made.project.params(GPU).open("a") as file:
        file.write("worker: gpu\n")
    made.project.keep(*PIPELINES, *OTHERS)
    commit(made.project, "A GPU for one")
    pack(made.project)
    try:
        made.up()
        yield made
    finally:
        made.close()


@pytest.fixture(scope="module")
def undisturbed(stack):
    """A clone of the commit with the same override, in which DVC runs everything itself."""
    folder = stack.folder / "local/project"
    stack.project.run("git", "clone", "--quiet", str(stack.project.folder), str(folder))
    local = Project(folder)
    text = local.params(GPU).read_text()
    local.params(GPU).write_text(re.sub(r"\bepochs: (\{.*?\}|\d+)", f"epochs: {EPOCHS}", text))
    pipelines = [f"data/{dataset}/dvc.yaml" for dataset, _ in PIPELINES.values()]
    return local, local.start(
        "dvc", "repro", *pipelines, *(f"experiments/{name}/dvc.yaml" for name in PIPELINES)
    )


@pytest.fixture(scope="module")
def first(stack, request):
    """The tasks of a run in whose midst the worker of the GPU is killed and the scheduler restarted."""
    run_id = stack.trigger(DAG, **CHOSEN)
    wait(lambda: training(stack) or stack.state(DAG, run_id) == "failed")
    wait(lambda: checkpoints(stack) or not training(stack), every=0.1)
    stack.kill("worker-gpu")
    assert checkpoints(stack), "the training ended before it could be killed"
    stack.stop("scheduler")
    stack.start("scheduler")
    stack.start("worker-gpu")
    request.getfixturevalue("undisturbed")  # while Airflow waits for heartbeats
    return run_id, succeeded(stack, run_id)


@pytest.fixture(scope="module")
def second(stack, first):
    """The tasks of a run of what the first one has published, as it was merged into the default branch."""
    (branch,) = stack.branches()
    stack.project.run("git", "merge", "--quiet", "--ff-only", branch)
    run_id = stack.trigger(DAG, experiments=[GPU, CPU])
    return run_id, succeeded(stack, run_id)


def succeeded(stack, run_id):
    """The tasks of a run that has to succeed, by name."""
    assert stack.ended(DAG, run_id)[1] == "success", stack.logs(run_id)[-8000:]
    return {task["task_id"]: task for task in stack.tasks(DAG, run_id)}


def training(stack):
    """Whether the worker of the GPU has a checkout for its training; it goes when that ends."""
    return (stack.folder / f"volumes/work-gpu/checkouts/run-experiments-{GPU}-dvc.yaml-train").exists()


def checkpoints(stack):
    return list((stack.folder / "volumes/work-gpu/state/checkpoints").glob("*/*.npz"))


def chosen(tasks):
    """The tasks of the experiments that the form names, and of their data sets."""
    named = {name for pair in PIPELINES.values() for name in pair}
    return {name: task for name, task in tasks.items() if name.partition(".")[0] in named}


def published(stack):
    """The files dvc.lock of each run that was published, the oldest first, as {path: text}."""
    form = "--format=%(refname:short)"
    listed = stack.project.run("git", "for-each-ref", form, "--sort=committerdate", "refs/heads/runs").stdout
    return [locks(stack.project, branch) for branch in listed.split()]


def locks(project, commit):
    """The files dvc.lock of the experiments that the form names, and of their data sets."""
    paths = [
        f"{parent}/{name}/dvc.lock"
        for pair in PIPELINES.values()
        for parent, name in zip(("data", "experiments"), pair, strict=True)
    ]
    return {path: project.run("git", "show", f"{commit}:{path}").stdout for path in paths}


def tracked(stack, kind, **asked):
    answer = requests.post(f"{stack.mlflow}/api/2.0/mlflow/{kind}/search", json=asked, timeout=60)
    return answer.json()[kind.replace("-", "_")]


def versions(stack):
    """The registered versions of the experiment that is sent to the GPU's worker."""
    found = requests.get(f"{stack.mlflow}/api/2.0/mlflow/model-versions/search", timeout=60).json()
    return [version for version in found["model_versions"] if version["name"] == GPU]


def texts(service):
    """All of a service that is translated, as YAML."""
    return yaml.safe_dump([service.get(part) for part in ("command", "environment", "healthcheck")])


def test_all_that_is_replaced_stands_in_compose():
    written = "".join(texts(service) for service in SERVICES.values())
    for entry in (*compose.HOSTS, *compose.PORTS, *compose.FOLDERS, compose.EVERYWHERE):
        assert entry in written


@pytest.mark.parametrize("name", SERVICES)
def test_nothing_in_a_command_is_of_a_container_any_more(name, tmp_path):
    ports = dict.fromkeys(compose.PORTS, 1)
    left = compose.translated(compose.inside(texts(SERVICES[name])), tmp_path, ports)
    assert not re.search(rf"\b({'|'.join(compose.HOSTS)}):\d", left)
    paths = re.findall(r"(?<![\w/.:*}])/[a-z][\w/.-]+", left)
    assert all(path.startswith(str(tmp_path)) for path in paths)


def test_the_experiments_that_were_chosen_succeed_and_all_others_are_skipped(first):
    _, tasks = first
    wanted = {*TAKEN, *chosen(tasks)}
    assert {name for name, task in tasks.items() if task["state"] == "success"} == wanted
    assert {task["state"] for name, task in tasks.items() if name not in wanted} == {"skipped"}


def test_each_training_ran_on_the_worker_of_its_queue_and_all_else_on_the_other(first):
    _, tasks = first
    places = {name: (task["queue"], task["hostname"]) for name, task in chosen(tasks).items()}
    assert places.pop(f"{GPU}.train") == ("gpu", "worker-gpu")
    assert places.pop(f"{CPU}.train") == ("cpu", "worker-default")
    assert f"{GPU}.find_train" in places
    assert set(places.values()) == {("default", "worker-default")}


def test_independent_experiments_overlapped_in_time(first):
    _, tasks = first
    one, other = (
        [(task["start_date"], task["end_date"]) for name, task in tasks.items() if name.startswith(pair)]
        for pair in (PIPELINES[GPU], PIPELINES[CPU])
    )
    assert any(a[0] < b[1] and b[0] < a[1] for a, b in product(one, other))


def test_the_killed_training_is_tried_again_and_nothing_else_ran_twice(stack, first):
    run_id, tasks = first
    tries = {name: task["try_number"] for name, task in tasks.items() if task["state"] == "success"}
    assert tries.pop(f"{GPU}.train") == 2
    assert set(tries.values()) == {1}
    assert "going on after epoch" in stack.logs(run_id, f"{GPU}.train")


def test_the_result_is_that_of_an_undisturbed_local_run(stack, first, undisturbed):
    local, process = undisturbed
    assert process.wait() == 0
    (made,) = published(stack)
    assert made == {path: (local.folder / path).read_text() for path in made}


def test_the_training_is_one_run_and_one_version_in_mlflow(stack, first):
    known = tracked(stack, "experiments", max_results=100)
    (number,) = (found["experiment_id"] for found in known if found["name"] == GPU)
    (run,) = tracked(stack, "runs", experiment_ids=[number])
    assert run["info"]["status"] == "FINISHED"
    assert [version["run_id"] for version in versions(stack)] == [run["info"]["run_id"]]


def test_a_run_of_what_was_merged_asks_for_no_gpu_and_has_nothing_to_publish(stack, second):
    run_id, tasks = second
    assert {tasks[f"{GPU}.{kind}"]["state"] for kind in ("find_train", "train")} == {"skipped"}
    assert not [name for name, task in tasks.items() if task["hostname"] == "worker-gpu"]
    ran = set(re.findall(r"Running stage '(.+?)'", stack.logs(run_id)))
    assert ran == {f"experiments/{name}/dvc.yaml:promote" for name in PIPELINES}, (
        "the registry is asked each time"
    )
    (before,) = published(stack)
    assert before == locks(stack.project, "HEAD"), "there was nothing to push"


def test_the_champion_answers_whoever_has_the_token(stack, second, undisturbed):
    stack.start("serving")
    stack.wait_for("serving")
    spec = json.loads((undisturbed[0].folder / "data/boston_housing/prepared/spec.json").read_text())
    house = {column["name"]: column["mean"] for column in spec["columns"]}
    url = f"http://127.0.0.1:{stack.ports['8000']}/predict/{GPU}"
    token = (stack.folder / "secrets/serving_token").read_text()
    rejected, answered = (
        requests.post(url, json={"rows": [house]}, headers=headers, timeout=60)
        for headers in ({}, {"Authorization": f"Bearer {token}"})
    )
    assert rejected.status_code == 401
    assert answered.status_code == 200, answered.text
    (version,) = versions(stack)
    assert (answered.json()["version"], answered.json()["run_id"]) == (1, version["run_id"])
    assert 5 < answered.json()["answers"][0]["MEDV"] < 50
    log = stack.folder / f"volumes/requests/serving/requests/{GPU}.jsonl"
    wait(log.exists, every=0.1)  # written after the answer is sent
    assert len(log.read_text().splitlines()) == 1


def test_stopping_leaves_no_process(stack, second):
    assert len(list(stack.processes())) > len(SERVICES)
    assert stack.down() == []
