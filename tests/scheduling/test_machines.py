"""The Job of a training on several machines, as Airflow's provider builds it; no cluster is asked."""

import json
import os
import re
import shutil
import subprocess

import pytest
import yaml

from tests.conftest import ROOT

pytestmark = pytest.mark.all
NAME = "mnist_mlp"
WORKER = "worker: {gpus: 2, memory: 64Gi}\n"
# Whatever the provider would ask a cluster or Airflow's API is answered here.
RENDER = """
import json, sys
from pathlib import Path
from types import SimpleNamespace
from unittest.mock import patch
from airflow.dag_processing.dagbag import BundleDagBag
from airflow.providers.cncf.kubernetes.hooks.kubernetes import KubernetesHook
from kubernetes.client import ApiClient
bag = BundleDagBag(sys.argv[1], bundle_path=Path(sys.argv[1]), bundle_name="here")
assert not bag.import_errors, bag.import_errors
task = bag.dags[f"retrain.{sys.argv[2]}"].get_task(f"{sys.argv[2]}.train")
told = {"kind": type(task).__name__, "retries": task.retries, "pool": task.pool, "queue": task.queue}
if told["kind"] == "Refuse":
    try:
        task.execute({})
    except Exception as error:
        told |= {"error": type(error).__name__, "reason": str(error)}
else:
    made = {"data/mnist/dvc.lock": "a lock"}
    ti = SimpleNamespace(xcom_pull=lambda task_ids: [made for _ in task_ids], xcom_push=lambda **_: None)
    answers = [None, {"experiments/x/dvc.lock": "another"}, None]
    hook = SimpleNamespace(
        get_namespace=lambda: "evermodel", is_in_cluster=True, is_job_failed=lambda job: False,
        get_xcom_sidecar_container_image=lambda: "alpine", get_xcom_sidecar_container_resources=lambda: None,
        get_xcom_sidecar_container_security_context=lambda: None,
        create_job=lambda job: told.update(job=ApiClient().sanitize_for_serialization(job)),
        get_job_status=lambda *_: None, wait_until_job_complete=lambda **_: told["ended"],
        get_pod=lambda **_: None,
    )
    told["ended"] = SimpleNamespace(to_dict=dict)
    looks = iter([[], [1], [1, 2, 3]])
    told["looks"] = 0
    def listed(**options):
        told["looks"] += 1
        told["selector"] = options["label_selector"]
        return SimpleNamespace(items=next(looks))
    kind = type(task)
    with patch.object(kind, "hook", hook), patch.object(kind, "post_complete_action"), \\
            patch.object(kind, "client", SimpleNamespace(list_namespaced_pod=listed)), \\
            patch.object(kind, "pod_manager", SimpleNamespace(
                await_container_completion=lambda **_: None, fetch_requested_container_logs=lambda **_: None,
                await_xcom_sidecar_container_start=lambda **_: None)), \\
            patch.object(kind, "extract_xcom", lambda *_, **__: answers.pop()), \\
            patch.object(kind, "_get_ti_pod_labels", lambda *_: {}, create=True), \\
            patch("machines.time.sleep"):
        told["returned"] = task.execute({"ti": ti})
    del told["ended"]
print(json.dumps(told))
"""
# What Kubernetes' client reads by its types and writes again has lost each key that it does not know.
AGAIN = """
import json, sys, yaml
from kubernetes.client import ApiClient
told = yaml.safe_load(open(sys.argv[1]))
client = ApiClient()
read = client._ApiClient__deserialize(told, {"Job": "V1Job", "Service": "V1Service"}[told["kind"]])
print(json.dumps(client.sanitize_for_serialization(read)))
"""


def python(airflow_bin, script, *arguments, **settings):
    """What a script prints last in Airflow's environment, from JSON."""
    clean = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        [airflow_bin / "python", "-c", script, *map(str, arguments)],
        env=clean | {"AIRFLOW__CORE__LOAD_EXAMPLES": "False"} | settings,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    return json.loads(done.stdout.splitlines()[-1])


@pytest.fixture(scope="module")
def rendered(airflow_bin, tmp_path_factory):
    """A function from an executor to the training of an experiment that says `machines: 3`."""
    folder = tmp_path_factory.mktemp("machines")
    for name in ("dags", "docker", "experiments"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__", "model"))
    file = folder / f"experiments/{NAME}/params.yaml"
    text = file.read_text()
    assert "batch_size: 128" in text
    several = text.replace("batch_size: 128", "batch_size: 129, machines: {full: 3, sample: 1}")
    file.write_text(several + WORKER)
    known = {"EVERMODEL_REMOTE": "/remote", "MLFLOW_TRACKING_URI": "http://mlflow:5000", "AWS_KEY": "secret"}

    def render(executor):
        settings = {"AIRFLOW_HOME": str(folder), "AIRFLOW__CORE__EXECUTOR": executor}
        return python(airflow_bin, RENDER, folder / "dags", NAME, **known, **settings)

    return render


@pytest.fixture(scope="module")
def told(rendered):
    return rendered("KubernetesExecutor")


@pytest.mark.parametrize("executor", ["LocalExecutor", "CeleryExecutor"])
def test_an_airflow_without_kubernetes_refuses_once_and_in_one_sentence(rendered, executor):
    refused = rendered(executor)
    assert refused["error"] == "AirflowFailException"
    assert refused["retries"] == 0
    assert NAME in refused["reason"]
    assert "Kubernetes" in refused["reason"]


def test_a_job_has_a_pod_for_each_machine_and_is_tried_again_by_airflow_alone(told):
    spec = told["job"]["spec"]
    assert (spec["completionMode"], spec["completions"], spec["parallelism"]) == ("Indexed", 3, 3)
    assert spec["backoffLimit"] == 0
    assert told["retries"] == 2
    assert spec["template"]["spec"]["restartPolicy"] == "Never"
    assert told["job"]["metadata"]["labels"]["kueue.x-k8s.io/queue-name"]


def test_each_pod_has_what_the_worker_asks_for(told):
    spec = told["job"]["spec"]["template"]["spec"]
    asked = {"nvidia.com/gpu": "2", "memory": "64Gi"}
    assert spec["containers"][0]["resources"] == {"requests": asked, "limits": asked}
    assert spec["nodeSelector"] == {"nvidia.com/gpu.present": "true"}
    assert spec["tolerations"] == [{"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"}]
    assert spec["containers"][0]["image"].endswith("/worker-gpu:0.1.0")
    assert told["pool"] == "gpu"


def test_pods_find_the_first_one_by_the_service(told):
    service = yaml.safe_load((ROOT / "docker/training-service.yaml").read_text())
    template = told["job"]["spec"]["template"]
    assert service["spec"]["selector"].items() <= template["metadata"]["labels"].items()
    assert service["spec"]["clusterIP"] == "None"
    assert template["spec"]["subdomain"] == service["metadata"]["name"]
    names = environment(told)
    assert list(names).index("JOB_NAME") < list(names).index("EVERMODEL_COORDINATOR"), (
        "or it is not known yet"
    )
    assert names["EVERMODEL_COORDINATOR"]["value"] == f"$(JOB_NAME)-0.{service['metadata']['name']}:1234"
    # The name of a host is <job>-<index>, and of a part of an address 63 characters long at most.
    assert re.fullmatch(r"job-mnist-mlp-[a-z0-9]+", told["job"]["metadata"]["name"])
    assert len(told["job"]["metadata"]["name"]) <= 63 - len("-1023")


def environment(told):
    return {one["name"]: one for one in told["job"]["spec"]["template"]["spec"]["containers"][0]["env"]}


def test_a_pod_knows_what_the_task_knows_and_no_secret_of_it(told):
    names = environment(told)
    assert names["EVERMODEL_REMOTE"]["value"] == "/remote"
    assert names["MLFLOW_TRACKING_URI"]["value"] == "http://mlflow:5000"
    assert {"EVERMODEL_RUN", "EVERMODEL_COMMIT", "EVERMODEL_SETTINGS", "EVERMODEL_TASK"} <= set(names)
    assert json.loads(names["EVERMODEL_HANDED_ON"]["value"])["mnist.data"] == {
        "data/mnist/dvc.lock": "a lock"
    }
    assert "AWS_KEY" not in names


def test_the_task_waits_for_all_pods_and_hands_on_what_the_first_says(told):
    assert told["looks"] == 3
    assert told["selector"] == f"batch.kubernetes.io/job-name={told['job']['metadata']['name']}"
    assert told["returned"] == {"experiments/x/dvc.lock": "another"}


@pytest.mark.parametrize("name", ["training-cpu", "training-gpu", "training-service"])
def test_kubernetes_knows_each_key_of_a_template(airflow_bin, name):
    file = ROOT / f"docker/{name}.yaml"
    assert python(airflow_bin, AGAIN, file) == yaml.safe_load(file.read_text())


def test_volumes_and_users_of_pods_are_those_of_other_workers():
    values = yaml.safe_load((ROOT / "docker/helm-values.yaml").read_text())
    for kind in ("cpu", "gpu"):
        job = yaml.safe_load((ROOT / f"docker/training-{kind}.yaml").read_text())
        spec = job["spec"]["template"]["spec"]
        assert spec["securityContext"] == values["securityContexts"]["pod"]
        assert spec["containers"][0]["securityContext"] == values["securityContexts"]["containers"]
        known = {volume["name"]: volume for volume in spec["volumes"]}
        assert all(known[volume["name"]] == volume for volume in values["workers"]["extraVolumes"])
        mounts = spec["containers"][0]["volumeMounts"]
        assert all(mount in mounts for mount in values["workers"]["extraVolumeMounts"])
    assert values["allowJobLaunching"] is True


def test_the_command_of_a_pod_hands_the_last_line_of_the_step_to_airflow(told, tmp_path):
    """Each pod by itself, with folders of its own, and a step that says what it was given."""
    container = told["job"]["spec"]["template"]["spec"]["containers"][0]
    for index in range(3):
        folder = tmp_path / str(index)
        (folder / "airflow/xcom").mkdir(parents=True)
        (folder / "tmp").mkdir()
        step = folder / "evermodel"
        step.write_text(
            '#!/bin/sh\necho "$@"; test $JOB_COMPLETION_INDEX = 2 && exit 7; cat $EVERMODEL_LOCKS\n'
        )
        step.chmod(0o755)
        command = [part.replace(" /tmp/", f" {folder}/tmp/") for part in container["args"]]
        command = [
            part.replace("=/tmp/", f"={folder}/tmp/").replace(" /airflow/", f" {folder}/airflow/")
            for part in command
        ]
        known = {
            "PATH": f"{folder}:{os.environ['PATH']}",
            "JOB_COMPLETION_INDEX": str(index),
            "EVERMODEL_HANDED_ON": '{"a lock": {}}',
        }
        done = subprocess.run(
            [*container["command"], *command], env=known, capture_output=True, text=True, check=False
        )
        assert done.returncode == (7 if index == 2 else 0), done.stderr
        assert done.stdout.startswith(f"step run experiments/{NAME}/dvc.yaml:train\n")
        if index != 2:
            assert json.loads((folder / "airflow/xcom/return.json").read_text()) == {"a lock": {}}
