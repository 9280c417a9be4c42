"""One small experiment through a real Airflow: its scheduler, its executor, its pages' API."""

import json
import re
import signal
import subprocess
import urllib.error
from functools import partial
from urllib.parse import quote

import pandas as pd
import psutil
import pytest
import yaml

from evermodel.scheduling import local
from tests.project import commit
from tests.scheduling.server import wait

pytestmark = [pytest.mark.all, pytest.mark.timeout(3000)]
DAG = "retrain.boston_linear"


def test_every_task_of_a_run_succeeds(first):
    _, state, tasks = first
    assert state == "success"
    assert set(tasks.values()) == {"success"}


def test_a_scheduled_run_and_a_local_one_write_the_same_dvc_lock(airflow, first, tmp_path):
    branch = next(name for name in airflow.branches() if "retrain-boston_linear" in name)
    clone = tmp_path / "clone"
    subprocess.run(["git", "clone", "--quiet", airflow.project.folder, clone], check=True)
    local = type(airflow.project)(clone)
    local.repro("data/boston_housing/dvc.yaml", "experiments/boston_linear/dvc.yaml")
    changed = airflow.project.run("git", "diff", "--name-only", f"HEAD...{branch}").stdout.split()
    assert changed == ["data/boston_housing/dvc.lock", "experiments/boston_linear/dvc.lock"]
    for file in changed:
        assert (clone / file).read_text() == airflow.project.run("git", "show", f"{branch}:{file}").stdout


def test_the_promotion_of_a_champion_is_an_event_that_names_its_version(airflow, first):
    events = airflow.call("GET", "/api/v2/assets/events")["asset_events"]
    mine = [event for event in events if event["name"] == "champion.boston_linear"]
    assert mine[0]["extra"]["version"] == "1"
    assert re.fullmatch("[0-9a-f]{64}", mine[0]["extra"]["sha256"])


@pytest.fixture(scope="module")
def failed(airflow, mixed):
    """The run of three experiments, of which one can't be trained, at its end."""
    return airflow.ended("retrain_all", mixed)


def test_an_experiment_that_fails_holds_up_no_other_one(airflow, failed):
    _, state, tasks = failed
    assert state == "failed"
    rest = {task: state for task, state in tasks.items() if state not in ("success", "skipped")}
    assert rest == {
        "boston_linear.train": "failed",
        "boston_linear.evaluate": "upstream_failed",
        "end": "upstream_failed",
    }
    assert any("retrain_all" in branch for branch in airflow.branches()), "what has a result is published"


def test_the_experiments_that_the_run_does_not_name_are_skipped(failed):
    _, _, tasks = failed
    others = {task for task in tasks if "." in task and not task.startswith("boston_")}
    assert {task for task, state in tasks.items() if state == "skipped"} == others


def test_a_failure_is_told_to_the_log_and_to_the_webhook(airflow, webhook, failed):
    run_id, _, _ = failed
    (told,) = webhook.told
    assert told["text"].startswith(f"boston_linear.train of retrain_all failed in run {run_id} (")
    assert "clear the task" in told["text"]
    assert f"{airflow.address}/dags/retrain_all/runs/" in told["text"]
    assert told["text"] in airflow.logs(run_id)


def test_what_can_not_be_is_rejected_by_the_form_or_by_the_first_task(airflow, first):
    for conf in ({"profile": "tiny"}, {"overrides": ["rm -rf /"]}, {"commit": "--upload-pack=x"}):
        with pytest.raises(urllib.error.HTTPError, match="400"):
            airflow.run(DAG, **conf)


def test_new_data_retrains_what_uses_it_once_and_what_was_paused_when_it_is_not(airflow):
    """Two are on one data set, of which one is paused; a third is on another data set, and paused as well."""
    watched, paused, other = DAG, "retrain.late_linear", "retrain.imdb_linear"

    def told():
        return [len(airflow.events(f"data.{dag.partition('.')[2]}")) for dag in (watched, paused, other)]

    def looked():
        runs = airflow.call("GET", "/api/v2/dags/watch/dagRuns?run_type=scheduled")["dag_runs"]
        return "success" in {run["state"] for run in runs}

    def pause(dag, is_paused):
        airflow.call("PATCH", f"/api/v2/dags/{dag}", is_paused=is_paused)

    airflow.call("PATCH", "/api/v2/dags?dag_id_pattern=retrain&limit=100", is_paused=True)
    pause("watch", False)
    wait(looked)
    assert told() == [0, 0, 0], "Airflow would forget what it tells those that are paused"

    airflow.project.edit("src/evermodel/samples/houses.py", "RandomState(1978)", "RandomState(1979)")
    commit(airflow.project, "Other houses")
    pause(watched, False)
    assert airflow.run("watch")[1] == "success"
    assert airflow.run("watch")[1] == "success"
    assert told() == [1, 0, 0], "the same hash is told once, and nobody else hears of it"
    wait(lambda: airflow.started(watched, "success") == 1)

    pause(paused, False)
    assert airflow.run("watch")[1] == "success"
    assert told() == [1, 1, 0], "what it missed is made up for, and nothing else runs"
    assert airflow.events("data.late_linear") == airflow.events("data.boston_linear")
    wait(lambda: airflow.started(paused) == 1)
    assert (airflow.started(watched), airflow.started(other)) == (1, 0)


def test_a_search_by_two_workers_ends_as_a_branch_with_a_better_value(airflow):
    _, state, tasks = airflow.run("search.late_linear", workers=2)
    assert state == "success"
    assert set(tasks.values()) == {"success"}
    show = partial(airflow.project.run, "git", "show")
    found = json.loads(show("search/late_linear:experiments/late_linear/search.json").stdout)
    assert found["trials"] == 4
    assert found["values"]["options.alpha"] < 1000
    changed = yaml.safe_load(show("search/late_linear:experiments/late_linear/params.yaml").stdout)
    assert changed["options"] == {"alpha": found["values"]["options.alpha"]}
    assert airflow.project.run("git", "status", "--porcelain").stdout == ""


def test_a_slot_for_the_gpu_and_room_for_what_is_short_are_there(airflow):
    pools = airflow.call("GET", "/api/v2/pools")["pools"]
    assert {pool["name"]: pool["slots"] for pool in pools} == local.slots(2)


def asked(airflow, name):
    """The run that waits for a person, once it does."""
    here = f"/api/v2/dags/approve.{name}/dagRuns"

    def waiting():
        (run,) = airflow.call("GET", here)["dag_runs"] or [None]
        tasks = airflow.tasks(f"approve.{name}", run["dag_run_id"]) if run else []
        return [run["dag_run_id"] for task in tasks if task["state"] == "awaiting_input"]

    wait(waiting)
    return waiting()[0]


def answered(airflow, name, word):
    """The id of the run that asked, its state and those of its tasks, after a person's word."""
    run_id = asked(airflow, name)
    here = f"/api/v2/dags/approve.{name}/dagRuns/{quote(run_id)}/taskInstances/approve/-1/hitlDetails"
    airflow.call("PATCH", here, chosen_options=[word])
    return airflow.ended(f"approve.{name}", run_id)


def decided(airflow, name):
    """The actions in the ledger, the newest first, and who did the last one to which version."""
    told = airflow.project.run("evermodel", "history", name, "--json", MLFLOW_TRACKING_URI=airflow.mlflow)
    lines = json.loads(told.stdout)
    return [line["action"] for line in lines], lines[0]["who"], lines[0]["after"]


def test_a_winner_that_somebody_approves_is_champion_and_the_ledger_says_who(airflow, failed):
    run_id, state, tasks = answered(airflow, "boston_yes", "Approve")
    assert state == "success"
    assert tasks == {"look": "success", "approve": "success", "promote": "success", "reject": "skipped"}
    who = f"{airflow.login[0]} in approve.boston_yes/{run_id}"
    assert decided(airflow, "boston_yes") == (["promote", "await"], who, 1)
    assert len(airflow.events("champion.boston_yes")) == 1


def test_a_winner_that_somebody_rejects_is_never_champion_and_the_ledger_says_who(airflow, failed):
    run_id, state, tasks = answered(airflow, "boston_no", "Reject")
    assert state == "success"
    assert tasks == {"look": "success", "approve": "success", "promote": "skipped", "reject": "success"}
    who = f"{airflow.login[0]} in approve.boston_no/{run_id}"
    assert decided(airflow, "boston_no") == (["reject", "await"], who, None)
    assert airflow.events("champion.boston_no") == []
    _, state, tasks = airflow.run("approve.boston_no")
    assert (state, set(tasks.values())) == ("success", {"skipped"}), "nobody is asked twice"


def test_a_champion_scores_a_file_into_parquet(airflow, first, tmp_path):
    out = tmp_path / "scores.parquet"
    houses = airflow.project.folder / "docs/examples/houses.csv"
    _, state, _ = airflow.run("score", experiment="boston_linear", inputs=str(houses), out=str(out))
    assert state == "success"
    answers = pd.read_parquet(out)
    assert set(answers["model"]) == {"boston_linear"}
    assert len(answers) == len(pd.read_csv(houses))


def test_ctrl_c_leaves_no_process(airflow):
    family = airflow.process.children(recursive=True)
    assert len(family) > 5
    airflow.process.send_signal(signal.SIGINT)
    assert airflow.process.wait(120) == 0
    assert not [one for one in family if one.is_running() and one.status() != psutil.STATUS_ZOMBIE]
