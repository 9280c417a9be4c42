"""A whole Airflow on this machine, with MLflow beside it: for one person, reachable from here only."""

import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import psutil

from evermodel import workers
from evermodel.core import folders
from evermodel.core.errors import EvermodelError
from evermodel.publishing import tracking
from evermodel.scheduling.checkout import REMOTE, REPOSITORY, WORK, git

HOME = Path(".airflow")  # also of the keys that Airflow makes for itself, and of the password
PASSWORDS = HOME / "passwords.json"
AIRFLOW = Path(".venv-airflow/bin/airflow")
COMPONENTS = ("api-server", "dag-processor", "triggerer", "scheduler")
USER = "admin"
TICK = 0.5  # seconds between two looks at what runs
POOLS = HOME / "pools.json"
LONGEST = 7 * 24 * 3600  # seconds for which a task may talk to Airflow: more than any training takes


def run(port: int, mlflow_port: int, jobs: int) -> None:
    """Start everything, say where it is and how to log in, and end everything when told to.

    Raises EvermodelError if Airflow is not installed, a port is taken, or a component ends by itself.
    """
    if not AIRFLOW.exists():
        raise EvermodelError(f"{AIRFLOW} is not here; `make airflow` installs it and runs this command")
    for wanted in (port, mlflow_port):
        try:
            socket.create_server(("127.0.0.1", wanted)).close()
        except OSError:
            raise EvermodelError(
                f"port {wanted} is taken; name others with --port and --mlflow-port"
            ) from None
    HOME.mkdir(exist_ok=True)
    HOME.chmod(0o700)
    if "MLFLOW_TRACKING_URI" not in os.environ and Path("mlflow.db").exists():
        tracking.opened(tracking.STORE)  # so that it names its files here, wherever this folder was before
    environment = os.environ | variables(Path.cwd(), port, mlflow_port, jobs)
    running: dict[str, psutil.Popen] = {}
    with workers.told_to_stop() as told:
        try:
            _prepare(environment, jobs)
            for name, command in _commands(mlflow_port).items():
                if name == "scheduler":  # what is due starts at once, and fails if nobody answers it
                    _wait(lambda: _healthy(port), running, told)
                running[name] = _start(name, command, environment)
            _wait(lambda: _healthy(port, "scheduler", "dag_processor"), running, told)
            if not told:
                print(_welcome(port, mlflow_port), flush=True)
            _wait(lambda: False, running, told)
        finally:
            print("stopping", flush=True)
            mlflow = running.pop("mlflow", None)  # of use to all others until their end
            _stop(running.values())
            _stop([mlflow] if mlflow else [])


def variables(root: Path, port: int, mlflow_port: int, jobs: int) -> dict[str, str]:
    """The environment of all processes. root: the repository, which is also what tasks clone."""
    home = root / HOME
    here = {
        REPOSITORY: str(root),
        REMOTE: str(home / "remote"),
        WORK: str(home / "work"),
        "EVERMODEL_STUDIES": f"sqlite:///{home / 'studies.db'}",
        folders.LEDGER: str(root / folders.STATE / "ledger"),  # where `evermodel history` looks here
        "MLFLOW_TRACKING_URI": f"http://127.0.0.1:{mlflow_port}",
        # Eight processes that wait for jobs of a kind that nobody here has.
        "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
    }
    airflow = {
        "CORE__DAGS_FOLDER": str(root / "dags"),
        "CORE__LOAD_EXAMPLES": "False",
        "CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
        "CORE__EXECUTOR": "LocalExecutor",
        "CORE__PARALLELISM": str(sum(slots(jobs).values())),
        "CORE__EXECUTION_API_SERVER_URL": f"http://127.0.0.1:{port}/execution/",
        "CORE__SIMPLE_AUTH_MANAGER_USERS": f"{USER}:admin",
        "CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(root / PASSWORDS),
        # SQLite lets one process write at a time; the others wait as long, in seconds.
        "DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home / 'airflow.db'}?timeout=60",
        "API__HOST": "127.0.0.1",
        "API__PORT": str(port),
        "API__BASE_URL": f"http://127.0.0.1:{port}",
        "API__WORKERS": "1",
        "EXECUTION_API__JWT_EXPIRATION_TIME": str(LONGEST),
        "LOGGING__WORKER_LOG_SERVER_HOST": "127.0.0.1",
        # Airflow's own airflow.cfg holds absolute paths, which a folder that is moved leaves behind.
        "CORE__PLUGINS_FOLDER": str(home / "plugins"),
        "LOGGING__BASE_LOG_FOLDER": str(home / "logs"),
        "LOGGING__DAG_PROCESSOR_CHILD_PROCESS_LOG_DIRECTORY": str(home / "logs/dag_processor"),
    }
    # Tasks find the `evermodel` command, and Airflow's components the `airflow` command, by PATH.
    places = (Path(sys.executable).parent, root / AIRFLOW.parent, os.environ.get("PATH", os.defpath))
    return {name: os.environ.get(name, value) for name, value in here.items()} | {
        "AIRFLOW_HOME": str(home),
        "PATH": os.pathsep.join(str(place) for place in places),
        **{f"AIRFLOW__{name}": value for name, value in airflow.items()},
    }


def _commands(mlflow_port: int) -> dict[str, list[str]]:
    mlflow = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(mlflow_port)]
    own = {"mlflow": [*mlflow, "--backend-store-uri", tracking.STORE, "--workers", "1"]}
    return (own if "MLFLOW_TRACKING_URI" not in os.environ else {}) | {
        name: [str(AIRFLOW), name] for name in COMPONENTS
    }


def slots(jobs: int) -> dict[str, int]:
    """Airflow's pools: trainings on each kind of worker, and what is short, which never waits for them."""
    return {"cpu": jobs, "gpu": 1, "default_pool": jobs + 1}


def _prepare(environment: Mapping[str, str], jobs: int) -> None:
    """The database, and the pools: a task waits without a word for a pool that there is not."""
    pools = {
        name: {"slots": number, "description": "", "include_deferred": False}
        for name, number in slots(jobs).items()
    }
    POOLS.write_text(json.dumps(pools), encoding="utf-8")
    for command in (("db", "migrate"), ("pools", "import", str(POOLS))):
        done = subprocess.run(
            [AIRFLOW, *command], env=environment, capture_output=True, text=True, check=False
        )
        if done.returncode != 0:
            (said,) = done.stderr.strip().splitlines()[-1:] or ["it does not say why"]
            raise EvermodelError(f"`airflow {' '.join(command[:2])}` failed: {said}")


def _start(name: str, command: Sequence[str], environment: Mapping[str, str]) -> psutil.Popen:
    """A component in a session of its own: Ctrl-C is told to this process alone."""
    with (HOME / f"{name}.log").open("ab") as log:
        return psutil.Popen(command, env=environment, stdout=log, stderr=log, start_new_session=True)


def _wait(ready: Callable[[], bool], running: Mapping[str, psutil.Popen], told: Sequence[int]) -> None:
    """Until it is ready or this process is told to stop; EvermodelError if a component ends meanwhile."""
    while not told and not ready():
        for name, process in running.items():
            if process.poll() is not None:
                raise EvermodelError(f"{name} ended by itself; {HOME / name}.log says why")
        time.sleep(TICK)


def _healthy(port: int, *components: str) -> bool:
    """Whether Airflow's pages answer, and say that these components are well."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/v2/monitor/health", timeout=5) as answer:
            states = json.load(answer)
    except (OSError, ValueError):
        return False
    return all(states[component]["status"] == "healthy" for component in components)


def _welcome(port: int, mlflow_port: int) -> str:
    password = json.loads(PASSWORDS.read_text(encoding="utf-8"))[USER]
    changed = git("status", "--porcelain", "--untracked-files=no")
    unseen = ["Runs start from the last commit: what is changed and not committed they do not see."]
    lines = [
        f"Airflow  http://127.0.0.1:{port}  user {USER}, password {password}",
        f"MLflow   {os.environ.get('MLFLOW_TRACKING_URI', f'http://127.0.0.1:{mlflow_port}')}",
        f"Logs     {HOME}/*.log",
        *(unseen if changed else []),
        "Ctrl-C stops everything; the same command goes on from there.",
    ]
    return "\n".join(lines)


def _stop(processes: Iterable[psutil.Process]) -> None:
    """End processes with all that they started; what does not listen is killed."""
    told: set[psutil.Process] = set()
    deadline = time.monotonic() + workers.PATIENCE
    while alive := _family({*processes, *told}):
        late = time.monotonic() > deadline
        for process in alive if late else alive - told:
            with suppress(psutil.NoSuchProcess):
                process.kill() if late else process.terminate()
        told |= alive
        time.sleep(TICK)


def _family(processes: Iterable[psutil.Process]) -> set[psutil.Process]:
    """Those that run, and all that they started; a zombie waits for whoever is process 1 here."""
    family: set[psutil.Process] = set()
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            for one in (process, *process.children(recursive=True)):
                if one.is_running() and one.status() != psutil.STATUS_ZOMBIE:
                    family.add(one)
    return family
