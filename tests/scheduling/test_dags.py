"""The DAGs as Airflow itself reads them."""

import ast
import json
import os
import shutil
import subprocess
import sys
from contextlib import chdir
from pathlib import Path

import pytest
import yaml

from evermodel import repository
from evermodel.scheduling import addresses, local
from evermodel.scheduling.schedule import TAKEN

pytestmark = pytest.mark.all
ROOT = Path(__file__).parents[2]
FILES = sorted((ROOT / "dags").glob("*.py"))
HEAVY = {"tensorflow", "keras", "mlflow", "dvc", "great_expectations", "evermodel", "pandas", "numpy"}
OTHERS = {"watch", "rebuild", "score"}  # the DAGs beside those that retrain or ask somebody
NOTIFIERS = {f"airflow.providers.{name}.notifications" for name in ("http", "smtp")}  # for failures only
READ = """
import json, sys
from pathlib import Path
from airflow.dag_processing.dagbag import BundleDagBag
bag = BundleDagBag(sys.argv[1], bundle_path=Path(sys.argv[1]), bundle_name="here")
tasks = {
    dag_id: {
        task.task_id: {
            "queue": task.queue, "pool": task.pool, "asked": task.executor_config,
            "after": sorted(task.upstream_task_ids),
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
print(json.dumps({"errors": bag.import_errors, "modules": sorted(sys.modules),
                  "tasks": tasks, "dags": dags, "inlets": inlets, "schedules": schedules}))
"""


@pytest.fixture(scope="module")
def read(airflow_bin, tmp_path_factory):
    return read_dags(airflow_bin, ROOT / "dags", tmp_path_factory.mktemp("airflow"))


@pytest.fixture(scope="module")
def manual(airflow_bin, tmp_path_factory):
    """The DAGs where somebody has to approve boston_dnn, and its training needs a GPU and has a schedule."""
    folder = tmp_path_factory.mktemp("manual")
    for name in ("dags", "experiments"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__", "model"))
    file = folder / "experiments/boston_dnn/params.yaml"
    values = yaml.safe_load(file.read_text())
    values["promotion"]["approval"] = "manual"
    schedule = {"cron": "30 4 * * 1", "retries": 1, "timeout": 3, "owner": "me", "tags": ["weekly"]}
    worker = {"gpus": 2, "gpu": "NVIDIA-A100-SXM4-80GB", "memory": "32Gi", "cpus": 8}
    file.write_text(yaml.safe_dump(values | {"worker": worker, "schedule": schedule}))
    reporting = folder / "experiments/boston_linear/params.yaml"
    reporting.write_text(reporting.read_text().replace("promotion: {", "promotion: {approval: report-only, "))
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
def known():
    """All experiments, as the commands read them."""
    with chdir(ROOT):
        return repository.load().experiments


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_a_dag_file_imports_airflow_yaml_the_standard_library_and_its_neighbours_only(file):
    names = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0
            names.add(node.module.split(".")[0])
    assert names <= {"airflow", "yaml", *sys.stdlib_module_names, *(neighbour.stem for neighbour in FILES)}


def test_the_whole_zoo_is_read_without_anything_heavy(read):
    assert read["errors"] == {}
    assert not (HEAVY | NOTIFIERS) & set(read["modules"])


def test_there_is_a_dag_for_each_experiment_and_one_for_all(read, known):
    retraining = {"retrain_all"} | {f"retrain.{name}" for name in known}
    asking = {f"approve.{name}" for name, found in known.items() if found.promotion.approval != "report-only"}
    searching = {f"search.{name}" for name, found in known.items() if found.search}
    assert set(read["dags"]) == retraining | asking | searching | OTHERS
    for dag_id, dag in read["dags"].items():
        assert (dag["catchup"], dag["runs"]) == (False, 1), dag_id
        assert dag["doc"]
        assert dag["tags"]
    for dag_id in retraining:
        assert {"commit", "force", "overrides", "profile"} <= set(read["dags"][dag_id]["params"])
    assert "experiments" in read["dags"]["retrain_all"]["params"]


def retraining(read):
    return [dag_id for dag_id in read["tasks"] if dag_id.startswith("retrain")]


def test_the_tasks_of_an_experiment_are_its_stages_between_its_data_set_and_the_publisher(read):
    tasks = read["tasks"]["retrain.boston_dnn"]
    assert {task_id: task["after"] for task_id, task in tasks.items()} == {
        "begin": [],
        "boston_housing.data": ["begin"],
        "boston_dnn.train": ["boston_housing.data"],
        "boston_dnn.evaluate": ["boston_dnn.train"],
        "publish": ["boston_dnn.evaluate"],
        "report": ["publish"],
        "end": ["boston_dnn.evaluate", "publish", "report"],
    }
    assert tasks["boston_housing.data"]["command"] == "evermodel step run data/boston_housing/dvc.yaml"
    assert tasks["boston_dnn.train"]["command"] == "evermodel step run experiments/boston_dnn/dvc.yaml:train"
    assert tasks["publish"]["command"].endswith("; evermodel step publish boston_dnn")
    assert f"boston_dnn.{addresses.LAST}" in tasks["publish"]["after"], "which tells that there is a result"
    assert tasks["publish"]["rule"] == "all_done", "what failed holds up nothing else"
    assert tasks["report"]["rule"] == "all_success", "what could not be published is red, though all else is"
    assert tasks["report"]["explains"]


def test_a_gpu_only_gets_what_is_not_there_yet(manual):
    for dag_id in ("retrain.boston_dnn", "retrain_all"):
        tasks = manual["tasks"][dag_id]
        found, train, evaluate = (tasks[f"boston_dnn.{kind}"] for kind in ("find_train", "train", "evaluate"))
        assert [task["queue"] for task in (found, train, evaluate)] == ["default", "gpu", "default"]
        assert found["command"] == "evermodel step find experiments/boston_dnn/dvc.yaml:train"
        assert (found["after"], train["after"]) == (["boston_housing.data"], ["boston_dnn.find_train"])
        assert evaluate["rule"] == "none_failed"


def test_the_watcher_looks_and_a_task_of_its_own_reports_what_is_wrong(read, known):
    tasks = read["tasks"]["watch"]
    assert {task_id: task["after"] for task_id, task in tasks.items()} == {"look": [], "report": ["look"]}
    assert tasks["look"]["command"] == "evermodel step watch"
    assert all(task["explains"] for task in tasks.values())
    assert read["dags"]["watch"]["paused"], "the first look retrains everything"
    watched, waited_for = read["inlets"]["watch"], read["schedules"]
    for name in known:
        assert waited_for[f"retrain.{name}"] == [f"data.{name}"]
        assert f"data.{name}" in watched


def test_one_champion_a_week_is_rebuilt_once_and_a_failure_is_told(read):
    ((task_id, task),) = read["tasks"]["rebuild"].items()
    assert (task_id, task["command"], task["retries"]) == ("rebuild", "evermodel step rebuild", 0)
    assert task["explains"]
    assert not read["dags"]["rebuild"]["paused"]


def test_an_experiment_whose_model_may_wait_for_somebody_has_a_dag_that_asks(read, manual):
    assert manual["errors"] == {}
    assert set(read["dags"]) - set(manual["dags"]) == {"approve.boston_linear"}, "it only reports"
    assert manual["schedules"]["approve.boston_dnn"] == ["challenger.boston_dnn"]
    assert manual["dags"]["approve.boston_dnn"]["runs"] == 1
    tasks = manual["tasks"]["approve.boston_dnn"]
    after = {"look": [], "approve": ["look"], "promote": ["approve"], "reject": ["promote"]}
    assert {task_id: task["after"] for task_id, task in tasks.items()} == after
    assert tasks["promote"]["command"] == "evermodel step approve boston_dnn"
    assert tasks["reject"]["command"].endswith("; evermodel step reject boston_dnn")
    assert tasks["reject"]["rule"] == "all_skipped"
    assert tasks["approve"]["hours"] is None, "a person may take a week"
    assert all(task["explains"] and "{{" not in task["command"] for task in tasks.values())
    waits = {"approve", "promote", "reject"}
    assert not waits & set(manual["tasks"]["retrain.boston_dnn"]), "it waits for nobody"


def test_a_search_is_of_workers_on_the_queue_of_its_training(read, manual, known):
    assert {f"search.{name}" for name, found in known.items() if found.search} <= set(read["dags"])
    assert read["dags"]["search.boston_dnn"]["params"] == ["commit", "profile", "workers"]
    tasks = read["tasks"]["search.boston_dnn"]
    assert {task_id: task["after"] for task_id, task in tasks.items()} == {
        "begin": [],
        "boston_housing.data": ["begin"],
        "create": ["boston_housing.data"],
        "search": ["create"],
        "choose": ["search"],
        "propose": ["choose"],
    }
    assert tasks["create"]["command"] == "evermodel step study boston_dnn"
    assert tasks["propose"]["command"] == "evermodel step propose boston_dnn"
    queues = {task_id: task["queue"] for task_id, task in manual["tasks"]["search.boston_dnn"].items()}
    assert {task_id for task_id, queue in queues.items() if queue == "gpu"} == {"search", "choose"}
    assert all(task["explains"] and task["backs_off"] for task in tasks.values())


def test_scoring_asks_for_an_experiment_and_two_places_and_is_started_by_hand(read, known):
    ((task_id, task),) = read["tasks"]["score"].items()
    assert (task_id, task["command"], task["queue"]) == ("score", "evermodel step score", "default")
    assert task["explains"]
    assert task["backs_off"]
    assert read["dags"]["score"]["params"] == ["experiment", "inputs", "out"]
    assert "score" not in read["schedules"]


def test_the_tasks_that_belong_to_no_experiment_have_names_that_none_may_have(read):
    for dag_id in retraining(read):
        assert {task for task in read["tasks"][dag_id] if "." not in task} <= set(TAKEN)
    assert set(TAKEN) <= set(read["tasks"]["retrain_all"])


def test_the_end_is_green_where_nothing_failed_although_something_was_skipped(read):
    for dag_id in retraining(read):
        assert read["tasks"][dag_id]["end"]["rule"] == "none_failed"


def test_every_stage_but_promotions_is_run_by_the_dag_for_all(read, known):
    commands = {task["command"] for task in read["tasks"]["retrain_all"].values()}
    for name, experiment in known.items():
        stages = yaml.safe_load((ROOT / f"experiments/{name}/dvc.yaml").read_text())["stages"]
        wanted = {f"evermodel step run experiments/{name}/dvc.yaml:{stage}" for stage in stages}
        promotion = f"evermodel step run experiments/{name}/dvc.yaml:promote"
        assert wanted - commands == {promotion}
        assert f"evermodel step run data/{experiment.dataset}/dvc.yaml" in commands


def test_stages_stand_in_the_order_in_which_they_need_each_other():
    """For a task waits for the one before, and hands its dvc.lock on to the next."""
    for file in ROOT.glob("experiments/*/dvc.yaml"):
        stages, made = yaml.safe_load(file.read_text())["stages"].values(), set()
        outs = [
            {next(iter(out)) if isinstance(out, dict) else out for kind in ("outs", "metrics", "plots")
             for out in stage.get(kind, ())}
            for stage in stages
        ]  # fmt: skip
        for stage, own in zip(stages, outs, strict=True):
            assert set(stage["deps"]) & set().union(*outs) <= made, file
            made |= own


def test_a_training_goes_to_the_queue_of_its_worker_and_has_a_slot_of_its_pool(read, manual, known):
    tasks = read["tasks"]["retrain_all"]
    for name, experiment in known.items():
        train, evaluate = tasks[f"{name}.train"], tasks[f"{name}.evaluate"]
        queue = "gpu" if experiment.worker.gpus else "cpu"
        assert (train["queue"], train["pool"]) == (queue, queue)
        assert (evaluate["queue"], evaluate["pool"]) == ("default", "default_pool")
    assert manual["tasks"]["retrain.boston_dnn"]["boston_dnn.train"]["pool"] == "gpu"


def test_only_a_training_asks_for_what_its_experiment_says_of_the_worker(manual):
    tasks = manual["tasks"]["retrain_all"]
    asked = {name: task["asked"]["worker"] for name, task in tasks.items() if task["asked"]}
    assert {name.rpartition(".")[2] for name in asked} == {"train"}
    needed = {"nvidia.com/gpu": "2", "memory": "32Gi", "cpu": "8"}
    assert asked["boston_dnn.train"]["resources"] == {"requests": needed, "limits": needed}
    assert asked["boston_linear.train"]["resources"] == {"requests": {}, "limits": {}}


def test_what_may_take_days_has_a_slot_of_a_pool_that_there_is_and_nothing_short_has_one(manual):
    tasks = [(name, task) for tasks in manual["tasks"].values() for name, task in tasks.items()]
    slow = {name.rpartition(".")[2] for name, task in tasks if task["pool"] != "default_pool"}
    assert slow == {"train", "rebuild", "score", "search", "choose"}
    assert {task["pool"] for _, task in tasks} <= set(local.slots(2))


def test_a_task_is_tried_again_in_growing_intervals_has_a_limit_and_explains_its_failure(read, manual, known):
    defaults = {"retries": 2, "timeout": 24, "owner": "evermodel"}
    for name, experiment in known.items():
        said = defaults | experiment.schedule.model_dump(exclude_unset=True)
        for task in read["tasks"][f"retrain.{name}"].values():
            if task["command"]:
                assert task["backs_off"]
                assert task["explains"]
                limits = (task["retries"], task["hours"], task["owner"])
                assert limits == (said["retries"], said["timeout"], said["owner"])
    for task_id, task in manual["tasks"]["retrain.boston_dnn"].items():
        if task["command"]:
            assert (task["retries"], task["hours"], task["owner"]) == (1, 3, "me"), task_id
    assert "weekly" in manual["dags"]["retrain.boston_dnn"]["tags"]


def test_a_file_that_lacks_something_is_named(airflow_bin, tmp_path):
    for name in ("dags", "experiments"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__", "model"))
    (tmp_path / "experiments/boston_dnn/params.yaml").write_text("task: regression\n")
    errors = read_dags(airflow_bin, tmp_path / "dags", tmp_path)["errors"]
    assert errors
    assert all("experiments/boston_dnn/params.yaml" in error for error in errors.values())


def test_a_form_can_not_write_into_a_shell(read):
    for tasks in read["tasks"].values():
        assert not any("{{" in task["command"] for task in tasks.values())
