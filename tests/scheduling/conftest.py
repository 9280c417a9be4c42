"""One real Airflow for all tests, and somebody whom it tells of failures."""

import json
import shutil
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tests.browser import browser  # noqa: F401  (fixture)
from tests.project import commit, copy_repository
from tests.scheduling.server import Airflow, pack

MANUAL = """\
name: {name}
dataset: boston_housing
task: regression
model: linear
options: {{}}
baseline: constant
train: {{}}
promotion: {{metric: mae, ceiling: 6.0, approval: manual}}
"""
ASKED = ("boston_yes", "boston_no")
LATE = "late_linear"  # hears of new data when all others have
# Its penalty is far too large, and it may be searched for a better one.
SEARCHED = """\
search: {{metric: mae, trials: 4, folds: 3, space: {{options.alpha: {{log: [0.01, 1000.0]}}}}}}
"""
FEW = (*ASKED, LATE, "boston_linear", "imdb_linear")
# DAG files, which never change here, are read once and not twice a minute.
READ_ONCE = {"AIRFLOW__DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": "3600"}


class Webhook(BaseHTTPRequestHandler):
    """Takes what a webhook is sent."""

    def do_POST(self):
        self.server.told.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_):
        pass


@pytest.fixture(scope="session")
def webhook():
    """A server that keeps what it is told."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Webhook) as server:
        server.told = []
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture(scope="session")
def airflow(airflow_bin, webhook, tmp_path_factory):
    """`evermodel airflow` over a copy of this repository with a few experiments, in which nothing ever ran.

    boston_linear is tried once only; boston_yes and boston_no wait for somebody's word.
    """
    folder = tmp_path_factory.mktemp("airflow") / "project"
    project = copy_repository(folder)
    for name in ASKED:
        project.add(name, MANUAL.format(name=name))
    late = MANUAL.replace(", approval: manual", "").replace("options: {{}}", "options: {{alpha: 1000.0}}")
    project.add(LATE, (late.replace("6.0", "9.0") + SEARCHED).format(name=LATE))
    project.keep(*FEW)
    with project.params("boston_linear").open("a") as file:
        file.write("schedule: {retries: 0}\n")
    commit(project, "One try")
    pack(project)
    address = f"http://127.0.0.1:{webhook.server_address[1]}/hook"
    told = json.dumps({"conn_type": "http", "host": address})
    made = Airflow(project, airflow_bin, AIRFLOW_CONN_EVERMODEL_FAILURES=told, **READ_ONCE)
    yield made
    if made.process.poll() is None:
        made.process.terminate()
        made.process.wait(120)
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def first(airflow):
    """The first run of boston_linear."""
    return airflow.run("retrain.boston_linear")


@pytest.fixture(scope="session")
def mixed(airflow, first):
    """The id of a run of three experiments, of which one can't be trained; nobody waits for its end here."""
    broken = "experiments.boston_linear.model=rbm"  # which knows classes, and no prices
    return airflow.trigger("retrain_all", experiments=["boston_linear", *ASKED], overrides=[broken])
