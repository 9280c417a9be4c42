"""MLflow as a view of what DVC keeps: any run can be written, or completed, from the files of its stages."""

import json
import logging
import math
import os
import re
import sys
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import mlflow
import pandas as pd
from filelock import FileLock
from mlflow.entities import Dataset, DatasetInput, InputTag, Metric, Param, Run, RunTag
from mlflow.exceptions import MlflowException
from mlflow.tracking import MlflowClient
from mlflow.utils.mlflow_tags import MLFLOW_DATASET_CONTEXT, MLFLOW_RUN_NOTE
from requests import RequestException
from sqlalchemy.exc import SQLAlchemyError

from evermodel.core import catalog, data, folders, project
from evermodel.core.data import Spec
from evermodel.core.errors import EvermodelError
from evermodel.core.project import Runtime
from evermodel.publishing import cost, record, relocation
from evermodel.runs import journal, recipe, saved
from evermodel.runs.recipe import Recipe

STORE = "sqlite:///mlflow.db"
ARTIFACTS = Path("mlartifacts")
NUMBERS = Path("requirements/numbers.lock")  # the versions of what computes numbers
KEY = "evermodel.key"
COMMIT = "evermodel.commit"
ENVIRONMENT = "evermodel.environment"
TEST_ROWS = "evermodel.data.test_hash"
MACHINE = "evermodel.machine."
REPORT = "evermodel.report"
EVALUATION = "evaluation"  # where the report lies among a run's artifacts
MOST = 50_000  # runs that MLflow gives at a time
RETRY = 3.0  # seconds between two tries while the server is away
SETTINGS = {
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "30",
    # What timed out may have been done: whoever tries again looks first what is there.
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    # A connection that stays open reads on in a file that was deleted, or replaced by another.
    "MLFLOW_SQLALCHEMYSTORE_POOLCLASS": "NullPool",
}


def uri() -> str:
    """Where MLflow's store is: MLFLOW_TRACKING_URI, or a SQLite file in this folder."""
    return os.environ.get("MLFLOW_TRACKING_URI", STORE)


@contextmanager
def answering() -> Iterator[None]:
    """Raise what goes wrong between here and MLflow's store as an EvermodelError of one plain sentence."""
    try:
        yield
    except (MlflowException, RequestException, SQLAlchemyError) as error:
        raise EvermodelError(
            f"MLflow at {re.sub('//[^/@]+@', '//', uri())} failed: {_reason(error)}; start or mend it, or "
            "let MLFLOW_TRACKING_URI name another, then run the same again: what is trained and evaluated "
            "is kept"
        ) from None


@answering()
def connect() -> MlflowClient:
    """A client that fails in seconds, by an EvermodelError, where MLflow's defaults try for minutes."""
    for name, value in SETTINGS.items():
        os.environ.setdefault(name, value)
    mlflow.set_tracking_uri(uri())
    return opened(uri())


def opened(address: str) -> MlflowClient:
    """A client of the store at an address, whose tables are made if it is new.

    The one in this folder names its files here, wherever the folder was before. MLflow's stores would tell of
    tables that they make and of artifacts that they do not find.
    """
    logging.getLogger("mlflow.store").setLevel(logging.WARNING)
    # Two processes that meet an empty database would both create its tables.
    alone = FileLock(_made(folders.STATE) / "mlflow.lock") if address.startswith("sqlite") else nullcontext()
    with alone:
        client = MlflowClient(address)
        client.search_experiments(max_results=1)
        if _is_here(address):
            relocation.relocate(address, Path.cwd())
    return client


def _is_here(address: str) -> bool:
    return address in (STORE, f"sqlite:///{Path.cwd() / 'mlflow.db'}")


def is_whole(commit: str) -> bool:
    """Whether what stands for a commit (see journal.py) is one, and nothing beside it."""
    return re.fullmatch(r"[0-9a-f]{40}([0-9a-f]{24})?", commit) is not None


def sync(client: MlflowClient, name: str, key: str, evaluated: bool = True) -> str:
    """Bring the run with that key up to what its files say, and return its id.

    Writes only what is missing, so that it may be called any number of times. evaluated: whether
    the report in experiments/<name>/ is of this very model, and the run thereby complete.
    """
    run = _run(client, name, key)
    events = journal.read(key)
    spent = [*_seconds(run, events), *cost.points(events, _histories(client, run, cost.UNITS.values()))]
    log(client, run, [*missing(client, run, _curves(name, key, events)), *spent])
    if evaluated:
        _log_report(client, run, folders.experiment(name))
    _end(client, run, evaluated, events)
    return str(run.info.run_id)


def find(client: MlflowClient, name: str, key: str) -> Run | None:
    """The run with that key, if MLflow knows one."""
    if (known := client.get_experiment_by_name(name)) is None:
        return None
    runs = client.search_runs([known.experiment_id], f"tags.`{KEY}` = '{key}'", max_results=1)
    return runs[0] if runs else None


def trainings(client: MlflowClient, name: str) -> list[Run]:
    """All runs of an experiment."""
    known = client.get_experiment_by_name(name)
    return list(client.search_runs([known.experiment_id], max_results=MOST)) if known else []


def follow(name: str, key: str) -> None:
    """Send what happens as lines come in on standard input; EvermodelError if MLflow is away to the end."""
    news, end = threading.Event(), threading.Event()
    threading.Thread(target=_listen, args=(news, end), daemon=True).start()
    with FileLock(_made(folders.STATE / "runs") / f"{key}.lock"):
        while news.wait() and not end.is_set():
            news.clear()
            try:
                _send(name, key)
            except EvermodelError as error:
                print(f"{name}: {error}", flush=True)
                time.sleep(RETRY)
        last = journal.read(key)[-1]
        with answering():
            client = connect()
            done = (last["stage"], last["event"]) == ("evaluate", "end")
            record.write(client, sync(client, name, key, evaluated=done))


def parameters(chosen: Recipe, runtime: Runtime) -> dict[str, str]:
    """What a training is made of, as MLflow's parameters."""
    return flat(chosen.model_dump(mode="json")) | flat(runtime.model_dump(), "runtime.")


def flat(values: Mapping[str, Any], prefix: str = "") -> dict[str, str]:
    """Nested values under dotted names, as MLflow's parameters want them."""
    (row,) = pd.json_normalize(dict(values)).to_dict("records")
    return {f"{prefix}{name}": str(value) for name, value in row.items() if value is not None}


@answering()
def _send(name: str, key: str) -> None:
    """Write what the journal holds now into a run that is going on."""
    client = connect()
    run = _run(client, name, key)
    if run.info.status != "RUNNING":
        client.update_run(run.info.run_id, status="RUNNING")
    log(client, run, missing(client, run, _curves(name, key, journal.read(key))))


def _listen(news: threading.Event, end: threading.Event) -> None:
    for _ in sys.stdin:
        news.set()
    end.set()
    news.set()


def _run(client: MlflowClient, name: str, key: str) -> Run:
    """The run with that key; made, or completed where its making was cut short."""
    shared = project.load()
    chosen = recipe.load(name, shared.profile)
    spec = data.load_spec(folders.prepared(chosen.dataset), catalog.target(chosen.task))
    run = find(client, name, key)
    if run is None:
        started = next((event for event in journal.read(key) if event["event"] == "start"), {})
        run = client.create_run(
            experiment(client, name, f"{chosen.dataset} ({chosen.task})"),
            start_time=started.get("time"),
            run_name=f"{name}-{key[:8]}",
            tags=_tags(key, started, shared.profile, chosen.dataset, spec),
        )
    if not run.inputs.dataset_inputs:  # they are written last
        logged = sorted(parameters(chosen, shared.runtime).items())
        client.log_batch(run.info.run_id, params=[Param(*pair) for pair in logged])
        client.log_inputs(run.info.run_id, [_dataset(chosen.dataset, spec)])
    return run


def experiment(client: MlflowClient, name: str, note: str) -> str:
    """The id of the MLflow experiment of that name, made if there is none."""
    if found := client.get_experiment_by_name(name):
        return str(found.experiment_id)
    local = (Path.cwd() / ARTIFACTS / name).as_uri() if uri().startswith("sqlite") else None
    try:
        tags = {MLFLOW_RUN_NOTE: note}
        return str(client.create_experiment(name, artifact_location=local, tags=tags))
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise
        return experiment(client, name, note)  # another process was faster


def _tags(key: str, started: Mapping[str, Any], profile: str, dataset: str, spec: Spec) -> dict[str, str]:
    warning = "Trained on **synthetic data**: the numbers say nothing about the real data set."
    return {
        KEY: key,
        COMMIT: started.get("commit", "unknown: restored from the cache"),
        "evermodel.profile": profile,
        "evermodel.data": dataset,
        "evermodel.data.edition": spec.edition,
        "evermodel.data.synthetic": str(spec.synthetic).lower(),
        TEST_ROWS: spec.test_hash,
        ENVIRONMENT: data.file_hash(NUMBERS) if NUMBERS.exists() else "unknown",
        MLFLOW_RUN_NOTE: warning if spec.synthetic else "",
        **{MACHINE + k: str(v) for k, v in started.get("machine", {}).items()},
    }


def _dataset(name: str, spec: Spec) -> DatasetInput:
    dataset = Dataset(
        name=name,
        digest=spec.test_hash[:16],
        source_type="local",
        source=json.dumps({"uri": str(folders.prepared(name))}),
        profile=json.dumps({"rows": spec.rows, "synthetic": spec.synthetic, "edition": spec.edition}),
    )
    return DatasetInput(dataset, [InputTag(MLFLOW_DATASET_CONTEXT, "training")])


def _curves(name: str, key: str, events: list[dict[str, Any]]) -> list[Metric]:
    """Every finite figure of every epoch, at the time when it was reached if the journal knows it."""
    known = {event["figures"]["epoch"]: event for event in events if event["event"] == "epoch"}
    rows = [event["figures"] for event in known.values()]
    folder = folders.model(name)
    if (folder / saved.METADATA).exists() and saved.metadata(folder).key == key:
        rows = pd.read_csv(folder / "history.csv").to_dict("records")
    now = time.time_ns() // 1_000_000
    return [
        Metric(_curve_name(figure), value, known.get(row["epoch"], {}).get("time", now), int(row["epoch"]))
        for row in rows
        for figure, value in row.items()
        if figure != "epoch" and math.isfinite(value)
    ]


def _curve_name(name: str) -> str:
    return f"validation/{name[4:]}" if name.startswith("val_") else f"train/{name}"


def missing(client: MlflowClient, run: Run, curves: list[Metric]) -> list[Metric]:
    """The points that the run lacks; MLflow itself would keep a second copy of each."""
    histories = _histories(client, run, {metric.key for metric in curves}).values()
    there = {(point.key, point.step) for history in histories for point in history}
    return [metric for metric in curves if (metric.key, metric.step) not in there]


def _histories(client: MlflowClient, run: Run, names: Iterable[str]) -> dict[str, list[Metric]]:
    """All points of those metrics that the run has."""
    there = [name for name in names if name in run.data.metrics]
    return {name: client.get_metric_history(run.info.run_id, name) for name in there}


def _seconds(run: Run, events: list[dict[str, Any]]) -> list[Metric]:
    """How long each stage took when it first came to its end, where the run does not say it yet."""
    ends = {f"{event['stage']}/seconds": event for event in reversed(events) if event["event"] == "end"}
    return [
        Metric(name, event["seconds"], event["time"], 0)
        for name, event in ends.items()
        if name not in run.data.metrics
    ]


def log(client: MlflowClient, run: Run, metrics: list[Metric]) -> None:
    """Write points into a run, whatever it has."""
    for start in range(0, len(metrics), 1000):  # MLflow's limit for one batch
        client.log_batch(run.info.run_id, metrics=metrics[start : start + 1000])


def _log_report(client: MlflowClient, run: Run, report: Path) -> None:
    """Log the evaluation once; after another evaluation of the same model, the new one."""
    files = [report / "metrics.json", report / "scores.parquet", *sorted((report / "figures").glob("*"))]
    identity = "-".join(data.file_hash(file)[:8] for file in files)
    if run.data.tags.get(REPORT) == identity:
        return
    figures = json.loads(files[0].read_text(encoding="utf-8"))
    now = time.time_ns() // 1_000_000
    points = {_test_name(name): value for name, value in figures.items() if math.isfinite(value)}
    changed = [Metric(*point, now, 0) for point in points.items() if point not in run.data.metrics.items()]
    client.log_batch(run.info.run_id, metrics=changed)
    for file in files:
        client.log_artifact(run.info.run_id, str(file), EVALUATION)
    client.log_batch(run.info.run_id, tags=[RunTag(REPORT, identity)])


def _test_name(name: str) -> str:
    return name.replace("_", "/", 1) if name.startswith("baseline_") else f"test/{name}"


def _end(client: MlflowClient, run: Run, evaluated: bool, events: list[dict[str, Any]]) -> None:
    """Close the run as and when its last event tells; one that is closed so already is left alone."""
    # A stage that could not even tell how it ended was killed.
    told = {"end": "FINISHED", "failed": "FAILED"}
    status = "FINISHED" if evaluated else told.get(events[-1]["event"], "KILLED")
    end = events[-1]["time"] if events else run.info.end_time
    if (run.info.status, run.info.end_time) != (status, end):
        client.set_terminated(run.info.run_id, status, end)


def _reason(error: BaseException) -> str:
    """The first line of an error; of one that came over the network, of what lies at its bottom."""
    if isinstance(error.__context__, RequestException):
        while error.__context__ is not None:
            error = error.__context__
    return str(error).splitlines()[0][:200]


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder
