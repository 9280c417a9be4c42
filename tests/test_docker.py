"""What docker/ and docs/deploy.md promise, as far as it can be known without a Docker engine."""

import json
import os
import re
import shlex
import stat
import subprocess
from pathlib import Path

import pytest
import yaml

from evermodel.core import folders, params
from evermodel.serving import middleware, server
from tests.compose import COMPOSE, SERVICES, inside

ROOT = Path(__file__).parents[1]
DOCKER = ROOT / "docker"
HELM = yaml.safe_load((DOCKER / "helm-values.yaml").read_text())
QUEUES = {"cpu", "gpu"}  # those of trainings, and their pools
DOCKERFILE = (DOCKER / "Dockerfile").read_text().replace("\\\n", "")
OURS = {name: service for name, service in SERVICES.items() if service["image"].startswith("evermodel/")}
WORKERS = {name: service for name, service in SERVICES.items() if "worker" in service["image"]}
HELM_ENVIRONMENT = {entry["name"]: entry["value"] for entry in HELM["env"]}
SECRET = re.compile(r"password|secret|token|key", re.IGNORECASE)


@pytest.fixture(scope="module")
def airflow(airflow_bin, tmp_path_factory):
    """A function that runs a command of Airflow's environment with nothing but the variables it is given."""
    home = tmp_path_factory.mktemp("airflow")

    def run(*command, **environment):
        known = {"PATH": f"{airflow_bin}:{os.environ['PATH']}", "AIRFLOW_HOME": str(home), "HOME": str(home)}
        done = subprocess.run(command, env=known | environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


def airflow_settings(environment):
    return {name: value for name, value in environment.items() if name.startswith("AIRFLOW__")}


def worded(service):
    """The words of a command, also of one that a shell reads."""
    command = service["command"]
    return shlex.split(inside(command[-1])) if command[0] == "sh" else command


def option(command, name):
    return command[command.index(name) + 1]


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_has_a_health_check_or_runs_once(name):
    service = SERVICES[name]
    assert "healthcheck" in service or service["restart"] == "no"


def test_services_wait_for_what_they_need_to_be_healthy_or_done():
    for name, service in SERVICES.items():
        for needed, how in service.get("depends_on", {}).items():
            once = SERVICES[needed]["restart"] == "no"
            wanted = "service_completed_successfully" if once else "service_healthy"
            assert how["condition"] == wanted, f"{name} on {needed}"


def test_ports_are_open_to_this_machine_alone():
    ports = [port for service in SERVICES.values() for port in service.get("ports", [])]
    assert ports
    assert all(port.startswith("127.0.0.1:") for port in ports)
    assert not any("network_mode" in service for service in SERVICES.values())


@pytest.mark.parametrize("name", SERVICES)
def test_a_container_is_unprivileged_and_can_write_to_its_volumes_alone(name):
    service = SERVICES[name]
    assert service["user"] not in ("root", "0", "0:0")
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert "no-new-privileges:true" in service["security_opt"]
    assert "privileged" not in service


def test_images_are_pinned_and_run_as_the_user_of_compose_and_helm():
    tags = [inside(service["image"]).rpartition(":")[2] for service in SERVICES.values()]
    base = re.search(r"^ARG PYTHON=(.*)$", DOCKERFILE, re.MULTILINE)[1]
    assert all(re.match(r"\d+\.\d+", tag) for tag in (*tags, base)), (tags, base)
    assert all(
        image["tag"] == inside(OURS["api-server"]["image"]).split(":")[1] for image in HELM["images"].values()
    )
    for target in ("pipeline", "serving", "airflow", "mlflow"):
        assert re.search(r"^USER (.*)$", stage(target), re.MULTILINE)[1] == "10001:0"
    assert {service["user"] for service in OURS.values()} == {"10001:0"}
    assert (HELM["uid"], HELM["gid"]) == (10001, 0)


def stage(name):
    """The lines of a stage of the Dockerfile."""
    found = re.search(rf"^FROM \S+ AS {name}\n(.*?)(?=^FROM |\Z)", DOCKERFILE, re.MULTILINE | re.DOTALL)
    assert found, f"the Dockerfile has no stage {name}"
    return found[1]


def test_compose_builds_stages_that_exist():
    for service in OURS.values():
        assert (DOCKER / service["build"]["context"] / service["build"]["dockerfile"]).samefile(
            DOCKER / "Dockerfile"
        )
        assert stage(service["build"]["target"])
    assert stage(f"pipeline-{SERVICES['worker-gpu']['build']['args']['DEVICE']}")


def test_every_file_that_an_image_is_made_of_exists_and_is_let_into_the_build():
    sources = re.findall(r"^COPY (?!.*--from)(.*) \S+$", DOCKERFILE, re.MULTILINE)
    files = [file for source in sources for file in source.split()]
    allowed = [
        line[1:] for line in (DOCKER / "Dockerfile.dockerignore").read_text().splitlines() if line[:1] == "!"
    ]
    assert files
    for file in files:
        assert (ROOT / file).is_file()
        assert any(Path(file).match(pattern) for pattern in allowed), file
    assert all(any(ROOT.glob(pattern)) for pattern in allowed)


def test_packages_are_installed_by_hash_only():
    installs = re.findall(r"pip install (.*)", DOCKERFILE)
    ours = [install for install in installs if "/source" in install]
    assert len(ours) == 2
    assert all("--no-deps" in install for install in ours)
    assert all(re.search(r"--require-hashes +-r", install) for install in installs if install not in ours)


def test_the_image_that_serves_has_the_environment_of_make_serve():
    (made,) = re.findall(r"uv pip install (.*/serving\.lock)", stage("serving-environment"))
    options = re.search(r"uv pip install (.*)requirements/serving\.lock", (ROOT / "Makefile").read_text())[1]
    assert made == f"{options}/requirements/serving.lock"


def test_serving_is_asked_for_its_health_where_nobody_needs_a_token():
    checks = [stage("serving"), " ".join(SERVICES["serving"]["healthcheck"]["test"])]
    assert all(re.search(r"8000(/[\w/]+)", check)[1] == "/v2/health/live" for check in checks)
    assert "/v2/health/live" in middleware.OPEN


def test_serving_sees_the_experiments_and_keeps_its_requests():
    service = SERVICES["serving"]
    targets = {volume.split(":")[1]: volume for volume in service["volumes"]}
    folder = Path(service["working_dir"])
    for needed in (params.FILE, folders.DATASETS, folders.EXPERIMENTS):
        assert targets[str(folder / needed)].endswith(":ro")
    assert str(folder / server.STATE.parts[0]) in targets
    assert f"-m 0770 {folder / server.STATE.parts[0]}" in stage("serving"), "or its user could not write"


def test_cuda_is_in_the_image_for_gpus_alone():
    for name in ("numbers", "pipeline"):
        assert "nvidia-" not in (ROOT / f"requirements/{name}.lock").read_text()
    assert "nvidia-cudnn" in (ROOT / "requirements/gpu.lock").read_text()
    assert [name for name, service in OURS.items() if "args" in service["build"]] == ["worker-gpu"]


def test_locks_that_share_a_package_agree_on_its_version():
    ours = pinned("numbers") | pinned("pipeline")
    for name in ("gpu", "jax", "jax-gpu", "serving", "mlflow"):
        for package, versions in pinned(name).items():
            assert ours.get(package, versions) >= versions, f"{package} in {name}.lock"


def pinned(name):
    """The versions of each package in a lock file; some have two, for two versions of Python."""
    found: dict[str, set[str]] = {}
    lock = (ROOT / f"requirements/{name}.lock").read_text()
    for package, version in re.findall(r"^([\w.-]+)==(\S+)", lock, re.MULTILINE):
        found.setdefault(package, set()).add(version)
    return found


def test_no_secret_is_written_down():
    environments = [service.get("environment", {}) for service in SERVICES.values()]
    for environment in (*environments, HELM_ENVIRONMENT):
        for name, value in environment.items():
            if SECRET.search(name) and not name.startswith("GIT_CONFIG_KEY"):
                assert name.endswith(("_CMD", "_FILE")), f"{name} is given as it is"
                assert "/run/secrets/" in value
            assert not re.search(r"://[^/@\s]*:(?!\$)[^/@\s]+@", value), f"{name} has a password in it"
    assert all(set(secret) == {"file"} for secret in COMPOSE["secrets"].values())


def test_each_service_is_given_the_secrets_that_it_reads_and_no_others():
    for name, service in SERVICES.items():
        told = json.dumps([service.get(part) for part in ("command", "environment", "healthcheck")])
        told += (DOCKER / "postgres.sh").read_text() if name == "postgres" else ""
        given = {
            secret if isinstance(secret, str) else secret["target"] for secret in service.get("secrets", [])
        }
        read = set(re.findall(r"/run/secrets/(\w+)", told.replace("${name}_database", "airflow_database")))
        assert read <= given, name
        if name != "postgres":
            assert given - read <= {"redis_password"}, name
        sources = {
            secret if isinstance(secret, str) else secret["source"] for secret in service.get("secrets", [])
        }
        assert sources <= COMPOSE["secrets"].keys()


def test_secrets_are_made_once_for_this_user_and_ignored_by_git(tmp_path):
    made = tmp_path / "made"

    def make():
        command, environment = [DOCKER / "secrets.sh"], os.environ | {"EVERMODEL_SECRETS": str(made)}
        done = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
        return done.stdout, {file.name: file.read_text() for file in made.iterdir()}

    told, found = make()
    assert make() == (told, found)
    assert set(found) == set(COMPOSE["secrets"])
    assert stat.S_IMODE(made.stat().st_mode) == 0o700
    assert all(len(text) >= 44 for name, text in found.items() if not name.startswith("git_"))
    assert not any(text in told for text in found.values() if text)
    ignored = subprocess.run(["git", "check-ignore", "docker/secrets/jwt_secret"], cwd=ROOT, check=False)
    assert ignored.returncode == 0


def pools(text):
    """What a command makes room for, by pool."""
    return {name: int(slots) for name, slots in re.findall(r"airflow pools set (\w+) (\d+) ", inside(text))}


def test_before_anything_runs_there_is_a_pool_for_each_kind_of_worker_and_one_slot_for_the_gpu():
    for text in (SERVICES["airflow-init"]["command"][-1], HELM["migrateDatabaseJob"]["args"][-1]):
        made = pools(text)
        assert set(made) == QUEUES
        assert made["gpu"] == 1
        assert text.index("airflow db migrate") < text.index("airflow pools set")


def test_a_worker_has_room_for_what_is_short_beside_all_trainings_that_the_pool_lets_in():
    shell = SERVICES["worker-default"]["command"]
    told = subprocess.run(
        ["sh", "-c", inside(shell[-1]).replace("exec", "echo")], capture_output=True, text=True, check=True
    )
    trainings = pools(SERVICES["airflow-init"]["command"][-1])["cpu"]
    assert int(option(told.stdout.split(), "--concurrency")) > trainings


def test_the_workers_listen_to_every_queue_that_tasks_can_have_and_the_gpu_has_its_own():
    listening = {name: option(worded(worker), "--queues").split(",") for name, worker in WORKERS.items()}
    asked = {"default"} | QUEUES
    assert asked == {queue for queues in listening.values() for queue in queues}
    assert listening["worker-gpu"] == ["gpu"]
    (device,) = SERVICES["worker-gpu"]["deploy"]["resources"]["reservations"]["devices"]
    assert device["capabilities"] == ["gpu"]


def test_dag_files_find_the_experiments_beside_their_own_folder():
    folder = Path(SERVICES["dag-processor"]["environment"]["AIRFLOW__CORE__DAGS_FOLDER"])
    for name in ("dag-processor", "scheduler", *WORKERS):
        targets = {volume.split(":")[1] for volume in SERVICES[name]["volumes"]}
        assert {str(folder), str(folder.with_name("experiments"))} <= targets
    assert HELM["dags"]["gitSync"]["subPath"] == "dags", "the whole repository lies around it"


def test_workers_share_no_folder_but_the_remote_the_logs_and_what_they_only_read():
    first, second = (set(worker["volumes"]) for worker in WORKERS.values())
    shared = {volume.split(":")[1] for volume in first & second if not volume.endswith(":ro")}
    assert shared == {"/remote", "/opt/airflow/logs"}
    assert all(volume.endswith(":ro") for volume in first & second if volume.startswith(".."))
    named = {volume.split(":")[0] for service in SERVICES.values() for volume in service["volumes"]}
    assert {volume for volume in named if not volume.startswith(".")} == set(COMPOSE["volumes"])


def test_only_the_worker_that_publishes_may_push():
    logins = {name: worker["secrets"][-1]["source"] for name, worker in WORKERS.items()}
    assert logins == {"worker-default": "git_push", "worker-gpu": "git_fetch"}


def test_workers_are_told_all_that_tasks_ask_for():
    code = "".join(file.read_text() for file in (ROOT / "src/evermodel/scheduling").glob("*.py"))
    asked = {"MLFLOW_TRACKING_URI", *re.findall(r'"(EVERMODEL_(?:REPOSITORY|REMOTE|WORK))"', code)}
    assert len(asked) == 4
    for environment in (*(worker["environment"] for worker in WORKERS.values()), HELM_ENVIRONMENT):
        assert asked <= environment.keys()


def test_what_long_trainings_need_is_the_same_in_compose_and_helm():
    compose = SERVICES["scheduler"]["environment"]
    shared = airflow_settings(HELM_ENVIRONMENT)
    assert {name: compose[name] for name in shared} == shared
    files = ROOT.glob("experiments/*/params.yaml")
    schedules = [yaml.safe_load(file.read_text()).get("schedule", {}) for file in files]
    longest = max(schedule.get("timeout", 24) for schedule in schedules) * 3600
    for name in ("EXECUTION_API__JWT_EXPIRATION_TIME", "SCHEDULER__TASK_QUEUED_TIMEOUT"):
        assert int(shared[f"AIRFLOW__{name}"]) > longest
    assert int(compose["AIRFLOW__CELERY_BROKER_TRANSPORT_OPTIONS__VISIBILITY_TIMEOUT"]) > longest


@pytest.mark.all
def test_airflow_knows_every_setting(airflow):
    listed = airflow("airflow", "config", "list", "--defaults")
    known = set(re.findall(r"Variable: (AIRFLOW__\w+)", listed))
    assert len(known) > 200
    documented = re.findall(r"^(AIRFLOW__\w+)=", (ROOT / "docs/deploy.md").read_text(), re.MULTILINE)
    used = {
        name for service in SERVICES.values() for name in airflow_settings(service.get("environment", {}))
    }
    used |= {*airflow_settings(HELM_ENVIRONMENT), *documented}
    assert {name.removesuffix("_CMD") for name in used} <= known


@pytest.mark.all
def test_airflow_reads_its_secrets_from_files(airflow, tmp_path):
    for name in COMPOSE["secrets"]:
        (tmp_path / name).write_text(f"the-{name}")
    environment = {
        name: inside(value).replace("/run/secrets", str(tmp_path))
        for name, value in airflow_settings(SERVICES["scheduler"]["environment"]).items()
    }
    asked = [name.removesuffix("_CMD") for name in environment if name.endswith("_CMD")]
    sections = [tuple(name.lower().split("__")[1:]) for name in asked]
    code = f"""
from airflow.configuration import conf
for entry in {sections!r}:
    print(conf.get(*entry))
"""
    values = dict(
        zip(asked, airflow("python", "-c", code, **environment).splitlines()[-len(asked) :], strict=True)
    )
    assert values == {
        "AIRFLOW__CORE__FERNET_KEY": "the-fernet_key",
        "AIRFLOW__API__SECRET_KEY": "the-api_secret_key",
        "AIRFLOW__API_AUTH__JWT_SECRET": "the-jwt_secret",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": "postgresql+psycopg2://airflow:the-airflow_database_password@postgres:5432/airflow",
        "AIRFLOW__CELERY__RESULT_BACKEND": "db+postgresql+psycopg2://airflow:the-airflow_database_password@postgres:5432/airflow",
        "AIRFLOW__CELERY__BROKER_URL": "redis://:the-redis_password@redis:6379/0",
    }


@pytest.mark.all
def test_airflow_knows_every_command_and_option(airflow):
    told = [worded(SERVICES[name]) for name in OURS]
    alone = [one for one in told if "airflow" in one and ("exec" in one or "&&" not in one)]
    commands = [found[found.index("airflow") :] for found in alone]
    text = (ROOT / "docs/deploy.md").read_text().replace("\\\n", "")
    commands += [shlex.split(found) for found in re.findall(r"(airflow edge worker .*)", text)]
    assert len(commands) == 7
    for command in commands:
        words = [word for word in command if not word.startswith("-")][:3]
        words = words if words[1] in ("celery", "edge") else words[:2]
        shown = airflow(*words, "--help")
        assert all(word in shown for word in command if word.startswith("--")), command


@pytest.mark.all
def test_on_kubernetes_a_training_gets_what_its_worker_asks_for(airflow, tmp_path):
    (tmp_path / "policy.py").write_text(HELM["airflowLocalSettings"])
    code = """
import json
from types import SimpleNamespace
from kubernetes.client import ApiClient
from policy import task_policy
import pods
import repository
from airflow.providers.cncf.kubernetes.pod_generator import PodGenerator
made = []
much = {"gpus": "2", "gpu": "NVIDIA-A100-SXM4-80GB", "memory": "32Gi", "cpus": "8"}
for said in (None, "cpu", "gpu", much):
    worker = repository.Worker.from_texts(said) if said else None
    task = SimpleNamespace(queue="default", dag_id="retrain.x", task_id="x.train", executor_config={})
    if worker:
        task.queue, task.executor_config = worker.queue, {"worker": pods.asked(worker)}
    task_policy(task)
    pod = PodGenerator.from_obj(task.executor_config)  # as KubernetesExecutor takes it
    told = ApiClient().sanitize_for_serialization(pod)
    again = told and PodGenerator.deserialize_model_dict(told)
    assert pod == again, "nothing in it that Kubernetes' models do not have"
    made.append(told)
print(json.dumps(made))
"""
    path = os.pathsep.join([str(tmp_path), str(ROOT / "dags")])
    default, cpu, gpu, much = json.loads(airflow("python", "-c", code, PYTHONPATH=path).splitlines()[-1])
    assert default is None
    assert not cpu["spec"].get("nodeSelector")
    assert "image" not in cpu["spec"]["containers"][0], "that of all tasks"
    assert gpu["spec"]["nodeSelector"] == {"nvidia.com/gpu.present": "true"}
    assert much["spec"]["nodeSelector"] == {"nvidia.com/gpu.product": "NVIDIA-A100-SXM4-80GB"}
    taint = {"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"}
    assert gpu["spec"]["tolerations"] == much["spec"]["tolerations"] == [taint]
    needed = {"nvidia.com/gpu": "2", "memory": "32Gi", "cpu": "8"}
    assert much["spec"]["containers"][0]["resources"] == {"requests": needed, "limits": needed}
    (container,) = gpu["spec"]["containers"]
    assert container["resources"]["limits"] == {"nvidia.com/gpu": "1"}
    assert container["image"].endswith(f"/worker-gpu:{HELM['images']['pod_template']['tag']}")
    volumes = {volume["name"] for volume in HELM["workers"]["extraVolumes"]}
    for pod in (cpu, gpu, much):
        (mount,) = pod["spec"]["containers"][0]["volumeMounts"]
        assert mount == {"name": "state", "mountPath": "/work/state", "subPath": "retrain.x/x.train"}
        assert mount["name"] in volumes
