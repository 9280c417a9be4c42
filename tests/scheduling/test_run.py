"""One small experiment through a real Airflow: its scheduler, its executor, its pages' API."""

import json
import re
import shutil
import signal
import subprocess
import urllib.error

import psutil
import pytest

from tests.project import commit
from tests.scheduling.server import Airflow, wait

pytestmark = [pytest.mark.pipeline, pytest.mark.timeout(3000)]
DAG = "retrain.boston_linear"


@pytest.fixture(scope="module")
def airflow(airflow_bin, tmp_path_factory):
    folder = tmp_path_factory.mktemp("airflow") / "project"
    made = Airflow(folder, airflow_bin)
    yield made
    if made.process.poll() is None:
        made.process.terminate()
        made.process.wait(120)
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def first(airflow):
    return airflow.run(DAG)


def branches(airflow):
    listed = airflow.project.run("git", "for-each-ref", "--format=%(refname:short)", "refs/heads/runs").stdout
    return listed.split()


def test_every_task_of_a_run_succeeds(first):
    _, state, tasks = first
    assert state == "success"
    assert set(tasks.values()) == {"success"}


def test_a_scheduled_run_and_a_local_one_write_the_same_dvc_lock(airflow, first, tmp_path):
    (branch,) = branches(airflow)
    published = airflow.project.run("git", "show", f"{branch}:dvc.lock").stdout
    clone = tmp_path / "clone"
    subprocess.run(["git", "clone", "--quiet", airflow.project.folder, clone], check=True)
    local = type(airflow.project)(clone)
    local.repro("promote@boston_linear")
    assert (clone / "dvc.lock").read_text() == published


def test_a_second_run_of_the_commit_runs_no_stage_and_publishes_the_same(airflow, first):
    (before,) = branches(airflow)
    run_id, state, _ = airflow.run(DAG)
    assert state == "success"
    ran = set(re.findall(r"Running stage '(.+?)'", airflow.logs(run_id)))
    assert ran == {"promote@boston_linear"}, "the registry is asked each time; it is in no cache"
    hashes = {airflow.project.run("git", "rev-parse", name).stdout for name in (before, *branches(airflow))}
    assert len(hashes) == 1
    told = airflow.project.run(
        "evermodel", "history", "boston_linear", "--json", MLFLOW_TRACKING_URI=airflow.mlflow
    )
    assert [version["version"] for version in json.loads(told.stdout)] == [1]


def test_the_promotion_of_a_champion_is_an_event_that_names_its_version(airflow, first):
    events = airflow.call("GET", "/api/v2/assets/events")["asset_events"]
    mine = [event for event in events if event["name"] == "champion.boston_linear"]
    assert mine[0]["extra"]["version"] == "1"
    assert re.fullmatch("[0-9a-f]{64}", mine[0]["extra"]["sha256"])


def test_the_form_chooses_experiments_and_all_others_are_skipped(airflow, first):
    _, state, tasks = airflow.run("retrain_all", experiments=["boston_linear"])
    assert state == "success"
    lanes = ("boston_housing.", "boston_linear.")
    wanted = {task for task in tasks if "." not in task or task.startswith(lanes)}
    assert {task for task, state in tasks.items() if state == "success"} == wanted
    assert {state for task, state in tasks.items() if task not in wanted} == {"skipped"}


def test_what_can_not_be_is_refused_by_the_form_or_by_the_first_task(airflow, first):
    for conf in ({"profile": "tiny"}, {"overrides": ["rm -rf /"]}, {"commit": "--upload-pack=x"}):
        with pytest.raises(urllib.error.HTTPError, match="400"):
            airflow.run(DAG, **conf)


def test_new_data_retrains_what_uses_it_and_the_same_hash_twice_nothing(airflow, first):
    watched, other = DAG, "retrain.imdb_linear"
    airflow.call("PATCH", "/api/v2/dags?dag_id_pattern=retrain&limit=100", is_paused=True)
    for dag in (watched, other, "watch"):
        airflow.call("PATCH", f"/api/v2/dags/{dag}", is_paused=False)

    def look(retrained):
        _, state, _ = airflow.run("watch")
        assert state == "success"
        wait(lambda: tuple(map(airflow.retrained, (watched, other))) == retrained)
        return airflow.events("raw.boston_housing"), airflow.events("raw.imdb")

    assert tuple(map(len, look((1, 1)))) == (1, 1)
    assert tuple(map(len, look((1, 1)))) == (1, 1)
    airflow.project.edit("src/evermodel/samples/houses.py", "RandomState(1978)", "RandomState(1979)")
    commit(airflow.project, "Other houses")
    houses, reviews = look((2, 1))
    assert (len(set(houses)), len(houses), len(reviews)) == (2, 2, 1)


def test_ctrl_c_leaves_no_process(airflow, first):
    family = airflow.process.children(recursive=True)
    assert len(family) > 5
    airflow.process.send_signal(signal.SIGINT)
    assert airflow.process.wait(120) == 0
    assert not [one for one in family if one.is_running() and one.status() != psutil.STATUS_ZOMBIE]
