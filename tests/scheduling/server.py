"""A real Airflow over a repository of its own, as the tests talk to it."""

import json
import re
import signal
import subprocess
import time
import urllib.request
from pathlib import Path
from urllib.parse import quote

import psutil

from tests.project import Project
from tests.server import free_port

PATIENCE = 1200  # seconds that a run may take on a busy machine before it counts as lost


class Client:
    """Whoever is logged in at an Airflow; `address` is where it answers."""

    project: Project
    address, token = "", ""

    def log_in(self, username, password):
        self.token = self.call("POST", "/auth/token", username=username, password=password)["access_token"]

    def call(self, method, path, **body):
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {self.token}"}
        sent = json.dumps(body).encode() if body else None
        request = urllib.request.Request(self.address + path, sent, headers, method=method)
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)

    def run(self, dag, **conf):
        """Trigger a run, wait for its end, and return its id, its state, and those of its tasks."""
        return self.ended(dag, self.trigger(dag, **conf))

    def trigger(self, dag, **conf):
        """Start a run and return its id."""
        return self.call("POST", f"/api/v2/dags/{dag}/dagRuns", logical_date=None, conf=conf)["dag_run_id"]

    def state(self, dag, run_id):
        return self.call("GET", f"/api/v2/dags/{dag}/dagRuns/{quote(run_id)}")["state"]

    def ended(self, dag, run_id):
        """Wait for the end of a run, and return its id, its state, and those of its tasks."""
        wait(lambda: self.state(dag, run_id) in ("success", "failed"), every=2)  # to ask costs Airflow 30 ms
        states = {task["task_id"]: task["state"] for task in self.tasks(dag, run_id)}
        return run_id, self.state(dag, run_id), states

    def tasks(self, dag, run_id):
        here = f"/api/v2/dags/{dag}/dagRuns/{quote(run_id)}/taskInstances"
        pages = [self.call("GET", f"{here}?limit=100&offset={start}") for start in (0, 100)]
        return [task for page in pages for task in page["task_instances"]]

    def events(self, name):
        """The hashes of an asset's events, the oldest first."""
        events = self.call("GET", "/api/v2/assets/events?limit=100")["asset_events"]
        return [event["extra"]["sha256"] for event in events if event["name"] == name]

    def branches(self):
        """The branches that runs have published."""
        listed = self.project.run("git", "for-each-ref", "--format=%(refname:short)", "refs/heads/runs")
        return listed.stdout.split()


class Airflow(Client):
    """`evermodel airflow` over a repository of its own."""

    def __init__(self, project: Project, commands: Path, **settings: str) -> None:
        self.project, folder = project, project.folder
        (folder / ".venv-airflow").symlink_to(commands.parent)
        self.ports = free_port(), free_port()
        self.address, self.mlflow = (f"http://127.0.0.1:{port}" for port in self.ports)
        # As an installed copy would be found from any folder.
        environment = self.project.environment(PYTHONPATH=str(folder / "src"), **settings)
        with (folder.parent / "airflow.log").open("wb") as log:
            self.process = psutil.Popen(
                ["evermodel", "airflow", "--port", f"{self.ports[0]}", "--mlflow-port", f"{self.ports[1]}"],
                cwd=folder,
                env=environment,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
            )
        self.log = folder.parent / "airflow.log"
        wait(lambda: "Ctrl-C stops" in self.said() or self.process.poll() is not None)
        assert self.process.poll() is None, self.said()
        self.login = re.search(r"user (\S+), password (\S+)", self.said()).groups()
        self.log_in(*self.login)
        for dag in ("approve", "retrain_all", "score", "watch"):  # each of another file
            wait(lambda dag=dag: self.call("GET", f"/api/v2/dags?dag_id_pattern={dag}")["total_entries"])

    def said(self) -> str:
        return self.log.read_text()

    def started(self, dag, *states):
        """How many runs new data has started, or those of them that are in one of these states."""
        runs = self.call("GET", f"/api/v2/dags/{dag}/dagRuns?run_type=asset_triggered")["dag_runs"]
        return sum(not states or run["state"] in states for run in runs)

    def logs(self, run_id):
        files = (self.project.folder / ".airflow/logs").rglob(f"run_id={run_id}/**/*.log")
        return "\n".join(file.read_text() for file in files)


def pack(project):
    """Do what Git does by itself with a repository of some age: each task clones it."""
    project.run("git", "gc", "--quiet")


def wait(what, every=1.0):
    """Look again and again, with so many seconds between, until it is so."""
    deadline = time.monotonic() + PATIENCE
    while not what():
        assert time.monotonic() < deadline
        time.sleep(every)
