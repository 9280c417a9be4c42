"""The DAGs as Airflow itself reads them."""

import ast
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from evermodel.core import params
from evermodel.scheduling import graph

ROOT = Path(__file__).parents[2]
FILES = sorted((ROOT / "dags").glob("*.py"))
HEAVY = {"tensorflow", "keras", "mlflow", "dvc", "great_expectations", "evermodel", "pandas", "numpy"}
OTHERS = {"watch", "rebuild", "score"}  # the DAGs beside those that retrain
NOTIFIERS = {f"airflow.providers.{name}.notifications" for name in ("http", "smtp")}  # for failures only
READ = """
import json, sys, time
from pathlib import Path
from airflow.dag_processing.dagbag import BundleDagBag
before = set(sys.modules)
started = time.process_time()
bag = BundleDagBag(sys.argv[1], bundle_path=Path(sys.argv[1]), bundle_name="here")
seconds = time.process_time() - started
tasks = {
    dag_id: {
        task.task_id: {
            "queue": task.queue, "after": sorted(task.upstream_task_ids),
            "rule": str(getattr(task.trigger_rule, "value", task.trigger_rule)),
            "command": getattr(task, "bash_command", ""), "retries": task.retries, "owner": task.owner,
            "hours": task.execution_timeout and task.execution_timeout.total_seconds() / 3600,
            "explains": bool(task.on_failure_callback), "backs_off": bool(task.retry_exponential_backoff),
        }
        for task in dag.tasks
    }
    for dag_id, dag in bag.dags.items()
}
dags = {
    dag_id: {"catchup": dag.catchup, "tags": sorted(dag.tags), "params": sorted(dag.params),
             "runs": dag.max_active_runs, "doc": dag.doc_md, "paused": dag.is_paused_upon_creation}
    for dag_id, dag in bag.dags.items()
}
inlets = {
    dag_id: sorted(asset.name for task in dag.tasks for asset in task.inlets)
    for dag_id, dag in bag.dags.items()
}
schedules = {
    dag_id: sorted(asset.name for asset in dag.timetable.asset_condition.objects)
    for dag_id, dag in bag.dags.items() if dag.timetable.asset_condition
}
print(json.dumps({"errors": bag.import_errors, "seconds": seconds, "modules": sorted(sys.modules),
                  "tasks": tasks, "dags": dags, "inlets": inlets, "schedules": schedules}))
"""


@pytest.fixture(scope="module")
def read(airflow_bin, tmp_path_factory):
    return read_dags(airflow_bin, ROOT / "dags", tmp_path_factory.mktemp("airflow"))


@pytest.fixture(scope="module")
def manual(airflow_bin, tmp_path_factory):
    """The DAGs where somebody has to approve boston_dnn."""
    folder = tmp_path_factory.mktemp("manual")
    shutil.copytree(ROOT / "dags", folder / "dags", ignore=shutil.ignore_patterns("__pycache__"))
    described = json.loads((ROOT / graph.FILE).read_text())
    described["experiments"]["boston_dnn"]["approval"] = "manual"
    (folder / "dags/graph.json").write_text(graph.text(described))
    return read_dags(airflow_bin, folder / "dags", folder)


def read_dags(airflow_bin, folder, home):
    """What Airflow reads in a folder of DAGs."""
    settings = {"AIRFLOW_HOME": str(home), "AIRFLOW__CORE__LOAD_EXAMPLES": "False"}
    clean = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        [airflow_bin / "python", "-c", READ, folder],
        env=clean | settings,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.fixture(scope="module")
def values():
    return params.load(ROOT / "params.yaml")


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_a_dag_file_imports_airflow_the_standard_library_and_its_neighbours_only(file):
    names = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0
            names.add(node.module.split(".")[0])
    assert names <= {"airflow", *sys.stdlib_module_names, *(neighbour.stem for neighbour in FILES)}


def test_the_whole_zoo_is_read_in_less_than_a_second_and_without_anything_heavy(read):
    assert read["errors"] == {}
    assert read["seconds"] < 1
    assert not (HEAVY | NOTIFIERS) & set(read["modules"])


def test_there_is_a_dag_for_each_experiment_and_one_for_all(read, values):
    retraining = {"retrain_all"} | {f"retrain.{name}" for name in values.experiments}
    assert set(read["dags"]) == retraining | OTHERS
    for dag_id, dag in read["dags"].items():
        assert (dag["catchup"], dag["runs"]) == (False, 1), dag_id
        assert dag["doc"]
        assert dag["tags"]
    for dag_id in retraining:
        assert {"commit", "force", "overrides", "profile"} <= set(read["dags"][dag_id]["params"])
    assert "experiments" in read["dags"]["retrain_all"]["params"]


def test_the_tasks_of_an_experiment_are_its_stages_between_a_check_and_the_publisher(read):
    tasks = read["tasks"]["retrain.boston_dnn"]
    assert {task_id: task["after"] for task_id, task in tasks.items()} == {
        "begin": [],
        "boston_housing.fetch": ["begin"],
        "boston_housing.validate": ["boston_housing.fetch"],
        "boston_housing.prepare": ["boston_housing.validate"],
        "boston_dnn.train": ["boston_housing.prepare"],
        "boston_dnn.evaluate": ["boston_dnn.train"],
        "publish": ["boston_dnn.evaluate"],
        "end": ["boston_dnn.evaluate", "publish"],
    }
    assert tasks["boston_dnn.train"]["command"] == "evermodel step run train@boston_dnn"
    assert tasks["publish"]["command"].endswith("; evermodel step publish boston_dnn")
    assert tasks["publish"]["rule"] == "all_done", "what failed holds up nothing else"


def test_the_watcher_looks_and_a_task_of_its_own_reports_what_is_wrong(read, values):
    tasks = read["tasks"]["watch"]
    assert {task_id: task["after"] for task_id, task in tasks.items()} == {"look": [], "report": ["look"]}
    assert tasks["look"]["command"] == "evermodel step watch"
    assert all(task["explains"] for task in tasks.values())
    assert read["dags"]["watch"]["paused"], "the first look retrains everything"
    watched, waited_for = read["inlets"]["watch"], read["schedules"]
    for name, experiment in values.experiments.items():
        assert waited_for[f"retrain.{name}"] == [f"raw.{experiment.dataset}"]
        assert f"raw.{experiment.dataset}" in watched


def test_one_champion_a_week_is_rebuilt_once_and_a_failure_is_told(read):
    ((task_id, task),) = read["tasks"]["rebuild"].items()
    assert (task_id, task["command"], task["retries"]) == ("rebuild", "evermodel step rebuild", 0)
    assert task["explains"]
    assert not read["dags"]["rebuild"]["paused"]


def test_an_experiment_that_somebody_approves_has_a_dag_that_asks_and_no_other_has(read, manual):
    assert manual["errors"] == {}
    assert manual["seconds"] < 1
    assert set(manual["dags"]) - set(read["dags"]) == {"approve.boston_dnn"}
    assert manual["schedules"]["approve.boston_dnn"] == ["challenger.boston_dnn"]
    assert manual["dags"]["approve.boston_dnn"]["runs"] == 1
    tasks = manual["tasks"]["approve.boston_dnn"]
    after = {"look": [], "approve": ["look"], "promote": ["approve"], "refuse": ["promote"]}
    assert {task_id: task["after"] for task_id, task in tasks.items()} == after
    assert tasks["promote"]["command"] == "evermodel step approve boston_dnn"
    assert tasks["refuse"]["command"].endswith("; evermodel step refuse boston_dnn")
    assert tasks["refuse"]["rule"] == "all_skipped"
    assert tasks["approve"]["hours"] is None, "a person may take a week"
    assert all(task["explains"] and "{{" not in task["command"] for task in tasks.values())
    assert manual["tasks"]["retrain.boston_dnn"] == read["tasks"]["retrain.boston_dnn"], "it waits for nobody"


def test_scoring_asks_for_an_experiment_and_two_places_and_is_started_by_hand(read, values):
    ((task_id, task),) = read["tasks"]["score"].items()
    assert (task_id, task["command"], task["queue"]) == ("score", "evermodel step score", "default")
    assert task["explains"]
    assert task["backs_off"]
    assert read["dags"]["score"]["params"] == ["experiment", "inputs", "out"]
    assert "score" not in read["schedules"]


def test_the_tasks_beside_the_lanes_are_those_that_no_lane_may_be_called(read):
    for dag_id in set(read["tasks"]) - OTHERS:
        assert {task for task in read["tasks"][dag_id] if "." not in task} <= set(graph.COMMON)
    assert set(graph.COMMON) <= set(read["tasks"]["retrain_all"])


def test_the_end_is_green_where_nothing_failed_although_something_was_skipped(read):
    for dag_id in set(read["tasks"]) - OTHERS:
        assert read["tasks"][dag_id]["end"]["rule"] == "none_failed"


def test_every_stage_but_promotions_is_a_task_of_the_dag_for_all(read):
    stages = json.loads((ROOT / "dags/graph.json").read_text())["stages"]
    commands = {task["command"] for task in read["tasks"]["retrain_all"].values()}
    wanted = {f"evermodel step run {name}" for name, one in stages.items() if one["kind"] != "promote"}
    assert wanted <= commands


def test_a_training_goes_to_the_queue_of_its_label_and_a_gpu_only_gets_what_the_cache_has_not(read, values):
    tasks = read["tasks"]["retrain_all"]
    for name, experiment in values.experiments.items():
        assert tasks[f"{name}.train"]["queue"] == experiment.worker
        assert tasks[f"{name}.evaluate"]["queue"] == "default"
        if experiment.worker == "gpu":
            assert tasks[f"{name}.train"]["after"] == [f"{name}.find_train"]
            assert tasks[f"{name}.find_train"]["queue"] == "default"
            assert tasks[f"{name}.evaluate"]["rule"] == "none_failed"


def test_a_task_is_tried_again_in_growing_intervals_has_a_limit_and_explains_its_failure(read, values):
    for name, experiment in values.experiments.items():
        for task in read["tasks"][f"retrain.{name}"].values():
            if task["command"]:
                assert task["backs_off"]
                assert task["explains"]
                limits = (task["retries"], task["hours"], task["owner"])
                schedule = experiment.schedule
                assert limits == (schedule.retries, schedule.timeout, schedule.owner)


def test_a_form_can_not_write_into_a_shell(read):
    for tasks in read["tasks"].values():
        assert not any("{{" in task["command"] for task in tasks.values())
