"""docker/compose.yaml as plain processes of this machine, by its very commands and environment."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from graphlib import TopologicalSorter
from pathlib import Path

import psutil
import pytest

from tests.compose import COMPOSE, SERVICES, inside
from tests.project import copy_repository
from tests.scheduling.server import Client, wait
from tests.server import free_port

DEBIANS = Path("/usr/lib/postgresql")  # PostgreSQL's server, which Debian has in no PATH
# What stands in compose.yaml and is different without containers: their names, ports and folders.
HOSTS = ("postgres", "redis", "mlflow", "api-server")
PORTS = ("5432", "6379", "5000", "8000", "8080", "8974")
FOLDERS = ("/run/secrets", "/opt/airflow", "/remote", "/work", "/artifacts", "/data", "/tmp")
EVERYWHERE = "0.0.0.0"
# PostgreSQL refuses to run as root.
AS_POSTGRES = ("setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups") if os.getuid() == 0 else ()
GRACE = 120  # seconds that a process has to end when it is told to


def require_programs() -> None:
    """Skip the test if PostgreSQL or Redis is not here, and fail where CI is set."""
    if not postgresql() or not shutil.which("redis-server"):
        (pytest.fail if os.environ.get("CI") else pytest.skip)(
            "no PostgreSQL or no Redis: bash tests/debian.sh installs them"
        )


def postgresql() -> list[Path]:
    """The folder of its commands, the newest first."""
    return sorted(DEBIANS.glob("*/bin"), key=lambda folder: int(folder.parent.name), reverse=True)


def translated(text: str, root: Path, ports: dict[str, int]) -> str:
    """A text of a container as this machine needs it; root: the folder that stands for its `/`."""
    text = re.sub(rf"\b({'|'.join(HOSTS)}):(?=\d)", "127.0.0.1:", text)
    text = re.sub(rf"\b({'|'.join(PORTS)})\b", lambda found: str(ports[found[0]]), text)
    text = text.replace(EVERYWHERE, "127.0.0.1")
    return re.sub(rf"(?<![\w./])(?=({'|'.join(FOLDERS)})\b)", str(root), text)


class Stack(Client):
    """`docker compose up` over a repository of its own; settings: what a test wants otherwise in Airflow."""

    def __init__(self, airflow: Path, **settings: str) -> None:
        # A short path, for PostgreSQL's socket, which another user can reach: pytest's own are closed.
        self.folder = Path(tempfile.mkdtemp(prefix="compose-"))
        self.folder.chmod(0o711)
        (self.folder / "project").mkdir()
        self.project = copy_repository(self.folder / "project")
        self.airflow, self.settings = airflow, settings
        self.ports = {port: free_port() for port in PORTS}
        self.address, self.mlflow = (f"http://127.0.0.1:{self.ports[port]}" for port in ("8080", "5000"))
        self.running: dict[str, psutil.Popen] = {}
        self.variables = {
            "EVERMODEL_SECRETS": str(self.folder / "secrets"),
            "EVERMODEL_REPOSITORY": str(self.project.folder),
        }
        self.project.run("docker/secrets.sh", **self.variables)

    def up(self) -> None:
        """Start each service when those that it depends on are ready, and wait until all are healthy."""
        needs = {name: service.get("depends_on", {}) for name, service in SERVICES.items()}
        at_once = [
            name for name in TopologicalSorter(needs).static_order() if "profiles" not in SERVICES[name]
        ]
        for name in at_once:
            for needed in needs[name]:
                self.wait_for(needed)
            self.start(name)
        for name in at_once:
            self.wait_for(name)
        self.log_in("admin", (self.folder / "secrets/admin_password").read_text())

    def start(self, name: str) -> None:
        """Start a service in a fresh container: what is not on a volume is gone."""
        self._mount(name)
        environment, log = self.environment(name), self.folder / f"{name}.log"
        command = self.command(name) if "command" in SERVICES[name] else self._postgres(environment)
        with log.open("ab") as stream:
            self.running[name] = psutil.Popen(
                command,
                cwd=f"{self.root(name)}{SERVICES[name].get('working_dir', '/tmp')}",
                env=environment,
                stdout=stream,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def stop(self, name: str) -> None:
        """What `docker compose stop` does."""
        self.running[name].terminate()
        self.running[name].wait(GRACE)

    def kill(self, name: str) -> None:
        """What happens to a machine without power."""
        _kill([self.running[name], *self.running[name].children(recursive=True)])

    def down(self) -> list[psutil.Process]:
        """Stop everything, those first that need others; returns what runs on."""
        for name in reversed(list(self.running)):
            if self.running[name].is_running():
                self.stop(name)
        return list(self.processes())

    def close(self) -> None:
        """Leave neither a process nor a file behind."""
        while alive := list(self.processes()):
            _kill(alive)
        shutil.rmtree(self.folder, ignore_errors=True)

    def processes(self) -> Iterator[psutil.Process]:
        """All that was started here and still runs: whose current folder is in a container or a volume."""
        for process in psutil.process_iter():
            try:
                if process.status() != psutil.STATUS_ZOMBIE and process.cwd().startswith(f"{self.folder}/"):
                    yield process
            except (psutil.AccessDenied, psutil.NoSuchProcess):
                continue

    def wait_for(self, name: str) -> None:
        """Wait until a service has done what it runs once for, or its own health check is content."""
        process, once = self.running[name], SERVICES[name]["restart"] == "no"

        def ready() -> bool:
            code = process.poll()
            assert code is None or (once and code == 0), f"{name} ended: {self.said(name)}"
            return code == 0 if once else self.healthy(name)

        wait(ready)

    def healthy(self, name: str) -> bool:
        kind, *words = SERVICES[name]["healthcheck"]["test"]
        command = self._words(name, words)
        done = subprocess.run(
            ["sh", "-c", *command] if kind == "CMD-SHELL" else command,
            cwd=self.root(name) / "tmp",
            env=self.environment(name),
            capture_output=True,
            check=False,
        )
        return done.returncode == 0

    def said(self, name: str) -> str:
        return (self.folder / f"{name}.log").read_text()[-4000:]

    def logs(self, run_id: str, task: str = "*") -> str:
        """What the tasks of a run have logged, in all their tries."""
        files = (self.folder / "volumes/logs").rglob(f"run_id={run_id}/task_id={task}/*.log")
        return "\n".join(file.read_text() for file in files)

    def root(self, name: str) -> Path:
        """The folder that stands for `/` of a container."""
        return self.folder / name

    def command(self, name: str) -> list[str]:
        return self._words(name, SERVICES[name]["command"])

    def environment(self, name: str) -> dict[str, str]:
        """What the service sets, what its image does, and what keeps apart those that share a machine."""
        values = SERVICES[name].get("environment", {}) | self.settings
        root, airflow, pipeline = self.root(name), self.airflow, Path(sys.executable).parent
        folders = {"mlflow": [pipeline], "serving": [pipeline], "postgres": postgresql(), "redis": []}.get(
            name, [airflow]
        )
        folders += [pipeline] if name.startswith("worker") else []
        return {
            "PATH": os.pathsep.join([*map(str, folders), os.defpath]),
            "HOME": str(root / "tmp"),
            "TMPDIR": str(root / "tmp"),
            "LANG": "C.UTF-8",
            "AIRFLOW_HOME": str(root / "opt/airflow"),
            "DO_NOT_TRACK": "true",
            "MLFLOW_DISABLE_TELEMETRY": "true",
            "GX_ANALYTICS_ENABLED": "false",
            "HOSTNAME": name,
            "PYTHONPATH": f"{Path(__file__).parent / 'container'}:{self.project.folder / 'src'}",
            **self._network(),
            **{key: self._words(name, [value])[0] for key, value in values.items()},
        }

    def _network(self) -> dict[str, str]:
        """Where Airflow listens: a container has all ports to itself."""
        settings = {
            "API__HOST": "127.0.0.1",
            "API__PORT": self.ports["8080"],
            "SCHEDULER__SCHEDULER_HEALTH_CHECK_SERVER_HOST": "127.0.0.1",
            "SCHEDULER__SCHEDULER_HEALTH_CHECK_SERVER_PORT": self.ports["8974"],
            "LOGGING__WORKER_LOG_SERVER_HOST": "127.0.0.1",
            "LOGGING__WORKER_LOG_SERVER_PORT": free_port(),
            "LOGGING__TRIGGER_LOG_SERVER_PORT": free_port(),
        }
        return {f"AIRFLOW__{key}": str(value) for key, value in settings.items()}

    def _words(self, name: str, words: list[str]) -> list[str]:
        # Variables last: their values are of this machine already.
        return [inside(translated(word, self.root(name), self.ports), self.variables) for word in words]

    def _mount(self, name: str) -> None:
        service, root = SERVICES[name], self.root(name)
        shutil.rmtree(root, ignore_errors=True)
        (root / "tmp").mkdir(parents=True)
        for volume in service.get("volumes", []):
            source, target = volume.split(":")[:2]
            named = source in COMPOSE["volumes"]
            kept = self.folder / "volumes" / source if named else self.project.folder / "docker" / source
            if named:
                kept.mkdir(parents=True, exist_ok=True)
            _link(root, target, kept)
        for secret in service.get("secrets", []):
            source, target = (secret, secret) if isinstance(secret, str) else secret.values()
            file = inside(COMPOSE["secrets"][source]["file"], self.variables)
            _link(root, f"/run/secrets/{target}", Path(file))

    def _postgres(self, environment: dict[str, str]) -> list[str]:
        """What PostgreSQL's image does: make a database on an empty volume, run the scripts, and serve."""
        root, port = self.root("postgres"), str(self.ports["5432"])
        data, socket = root / "var/lib/postgresql/data", root / "tmp"
        if AS_POSTGRES:
            for folder in (data.resolve(), socket):
                shutil.chown(folder, "postgres", "postgres")

        def run(*command: str) -> None:
            told = environment | {"PGHOST": str(socket), "PGPORT": port}
            subprocess.run(command, env=told, cwd=socket, check=True, capture_output=True, text=True)

        control = (*AS_POSTGRES, "pg_ctl", "-D", str(data), "--wait", "--log", str(socket / "log"))
        run(*control, "-o", "-U postgres --auth-local=trust --auth-host=scram-sha-256", "initdb")
        run(*control, "-o", f"-k {socket} -p {port} -h ''", "start")
        for script in sorted((root / "docker-entrypoint-initdb.d").iterdir()):
            run("sh", "-c", translated(script.read_text(), root, self.ports))
        run(*control, "stop")
        return [*AS_POSTGRES, "postgres", "-D", str(data), "-k", str(socket), "-p", port, "-h", "127.0.0.1"]


def _kill(processes: list[psutil.Process]) -> None:
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(processes, GRACE)


def _link(root: Path, target: str, source: Path) -> None:
    link = root / target.lstrip("/")
    link.parent.mkdir(parents=True, exist_ok=True)
    link.symlink_to(source.resolve())
