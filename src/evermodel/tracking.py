"""MLflow as a view of what DVC keeps: any run can be written, or completed, from the files of its stages.

Run as `python -m evermodel.tracking NAME KEY` it is the sidecar of a stage (see journal.py).
"""

import json
import math
import os
import queue
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import mlflow
import pandas as pd
from filelock import FileLock
from mlflow.entities import Dataset, DatasetInput, InputTag, Metric, Param, RunTag
from mlflow.exceptions import MlflowException
from mlflow.tracking import MlflowClient
from mlflow.utils.mlflow_tags import MLFLOW_DATASET_CONTEXT, MLFLOW_RUN_NOTE

from evermodel import data, journal, params, saved
from evermodel.data import Spec
from evermodel.errors import EvermodelError
from evermodel.params import Params

STORE = "sqlite:///mlflow.db"
ARTIFACTS = Path("mlartifacts")
KEY = "evermodel.key"
REPORT = "evermodel.report"
RETRY = 3.0  # seconds between two tries while the server is away


def uri() -> str:
    """Where MLflow's store is: MLFLOW_TRACKING_URI, or a SQLite file in this folder."""
    return os.environ.get("MLFLOW_TRACKING_URI", STORE)


def connect() -> MlflowClient:
    """A client that gives up in seconds, where MLflow's own defaults would try for minutes.

    Raises EvermodelError if the store does not answer.
    """
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "10")
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")
    os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    mlflow.set_tracking_uri(uri())
    client = MlflowClient()
    try:
        # Two processes that meet an empty database would both create its tables.
        with FileLock(_made(journal.FOLDER) / "mlflow.lock"):
            client.search_experiments(max_results=1)
    except MlflowException as error:
        raise EvermodelError(
            f"MLflow at {uri()} does not answer ({_first_line(error)}); start it or unset "
            "MLFLOW_TRACKING_URI, then run `dvc repro` again: what is trained and evaluated is kept"
        ) from None
    return client


def sync(client: MlflowClient, name: str, key: str) -> str:
    """Bring the run with that key up to what its files say, and return its id.

    Writes only what is missing, so that it may be called any number of times.
    """
    values = params.load()
    spec = data.load_spec(data.PREPARED / values.experiment(name).dataset)
    run_id = _run(client, name, key, values, spec)
    folder = saved.MODELS / name
    trained = (folder / saved.FACTS).exists() and saved.facts(folder).key == key
    events = journal.read(key)
    _log_curves(client, run_id, _curves(folder, events, trained))
    _log_seconds(client, run_id, events)
    if trained:
        _log_report(client, run_id, data.REPORTS / name)
    client.set_terminated(run_id, _status(events, trained))
    return run_id


def find(client: MlflowClient, name: str, key: str) -> str | None:
    """The id of the run with that key, if MLflow knows one."""
    if (experiment := client.get_experiment_by_name(name)) is None:
        return None
    runs = client.search_runs([experiment.experiment_id], f"tags.`{KEY}` = '{key}'", max_results=1)
    return runs[0].info.run_id if runs else None


def follow(name: str, key: str) -> None:
    """Send events as they come in on standard input, and the rest when it ends.

    Raises EvermodelError if the server was away to the end.
    """
    lines: queue.Queue[str | None] = queue.Queue()
    threading.Thread(target=_pump, args=(lines,), daemon=True).start()
    with FileLock(_made(journal.FOLDER / "runs") / f"{key}.lock"):
        while None not in _waiting(lines):
            try:
                _send(name, key)
            except (MlflowException, EvermodelError) as error:
                print(f"{name}: {error}", flush=True)
                time.sleep(RETRY)
        sync(connect(), name, key)


def flat(values: Mapping[str, Any], prefix: str = "") -> dict[str, str]:
    """Nested values under dotted names, as MLflow's parameters want them."""
    result: dict[str, str] = {}
    for name, value in values.items():
        if isinstance(value, Mapping):
            result |= flat(value, f"{prefix}{name}.")
        elif value is not None:
            result[prefix + name] = str(value)
    return result


def _send(name: str, key: str) -> None:
    """Write what the journal holds now into a run that is going on."""
    client = connect()
    values = params.load()
    spec = data.load_spec(data.PREPARED / values.experiment(name).dataset)
    run_id = _run(client, name, key, values, spec)
    client.update_run(run_id, status="RUNNING")
    _log_curves(client, run_id, _curves(saved.MODELS / name, journal.read(key), trained=False))


def _waiting(lines: "queue.Queue[str | None]") -> list[str | None]:
    """The next line and all that came with it; None stands for the end."""
    taken = [lines.get()]
    while not lines.empty():
        taken.append(lines.get())
    return taken


def _pump(lines: "queue.Queue[str | None]") -> None:
    for line in sys.stdin:
        lines.put(line)
    lines.put(None)


def _run(client: MlflowClient, name: str, key: str, values: Params, spec: Spec) -> str:
    """The run with that key, made if there is none."""
    if run_id := find(client, name, key):
        return run_id
    tags = _tags(name, key, values, spec)
    run = client.create_run(_experiment(client, name), run_name=f"{name}-{key[:8]}", tags=tags)
    chosen = values.experiment(name).model_dump(mode="json", exclude={"promotion"})
    logged = flat(chosen) | flat(values.runtime.model_dump(), "runtime.")
    client.log_batch(run.info.run_id, params=[Param(*pair) for pair in sorted(logged.items())])
    client.log_inputs(run.info.run_id, [_dataset(spec)])
    return str(run.info.run_id)


def _experiment(client: MlflowClient, name: str) -> str:
    if experiment := client.get_experiment_by_name(name):
        return str(experiment.experiment_id)
    local = (Path.cwd() / ARTIFACTS / name).as_uri() if uri().startswith("sqlite") else None
    try:
        return str(client.create_experiment(name, artifact_location=local))
    except MlflowException:  # another process was faster
        return str(client.get_experiment_by_name(name).experiment_id)


def _tags(name: str, key: str, values: Params, spec: Spec) -> dict[str, str]:
    started = next((event for event in journal.read(key) if event["event"] == "start"), {})
    lock = Path("requirements/pipeline.lock")
    note = "Trained on **made data**: the numbers say nothing about the real data set." if spec.made else ""
    return {
        KEY: key,
        "evermodel.commit": started.get("commit", "unknown: restored from the cache"),
        "evermodel.profile": values.profile,
        "evermodel.data": spec.dataset,
        "evermodel.data.edition": spec.edition,
        "evermodel.data.made": str(spec.made).lower(),
        "evermodel.data.test_hash": spec.test_hash,
        "evermodel.environment": data.file_hash(lock) if lock.exists() else "unknown",
        MLFLOW_RUN_NOTE: note,
        **{f"evermodel.machine.{k}": str(v) for k, v in started.get("machine", {}).items()},
    }


def _dataset(spec: Spec) -> DatasetInput:
    dataset = Dataset(
        name=spec.dataset,
        digest=spec.test_hash[:16],
        source_type="local",
        source=json.dumps({"uri": str(data.PREPARED / spec.dataset)}),
        profile=json.dumps({"rows": spec.rows, "made": spec.made, "edition": spec.edition}),
    )
    return DatasetInput(dataset, [InputTag(MLFLOW_DATASET_CONTEXT, "training")])


def _curves(folder: Path, events: list[dict[str, Any]], trained: bool) -> list[Metric]:
    """Every finite figure of every epoch, at the time when it was reached if the journal knows it."""
    known = {event["figures"]["epoch"]: event for event in events if event["event"] == "epoch"}
    rows = [event["figures"] for event in known.values()]
    if trained:
        rows = pd.read_csv(folder / "history.csv").to_dict("records")
    now = time.time_ns() // 1_000_000
    return [
        Metric(_curve_name(name), value, known.get(row["epoch"], {}).get("time", now), int(row["epoch"]))
        for row in rows
        for name, value in row.items()
        if name != "epoch" and math.isfinite(value)
    ]


def _curve_name(name: str) -> str:
    return f"validation/{name[4:]}" if name.startswith("val_") else f"train/{name}"


def _log_curves(client: MlflowClient, run_id: str, curves: list[Metric]) -> None:
    """Log the points that the run lacks; MLflow itself would keep a second copy of each."""
    names = {metric.key for metric in curves}
    there = {(name, point.step) for name in names for point in client.get_metric_history(run_id, name)}
    missing = [metric for metric in curves if (metric.key, metric.step) not in there]
    for start in range(0, len(missing), 1000):  # MLflow's limit for one batch
        client.log_batch(run_id, metrics=missing[start : start + 1000])


def _log_seconds(client: MlflowClient, run_id: str, events: list[dict[str, Any]]) -> None:
    logged = client.get_run(run_id).data.metrics
    for event in events:
        if event["event"] == "end" and f"{event['stage']}/seconds" not in logged:
            client.log_metric(run_id, f"{event['stage']}/seconds", event["seconds"], event["time"])


def _log_report(client: MlflowClient, run_id: str, report: Path) -> None:
    """Log the evaluation once; after another evaluation of the same model, the new one."""
    if not (report / "metrics.json").exists():
        return
    files = [report / "metrics.json", *sorted((report / "figures").glob("*"))]
    identity = str(hash_of(files))
    run = client.get_run(run_id)
    if run.data.tags.get(REPORT) == identity:
        return
    figures = json.loads(files[0].read_text(encoding="utf-8"))
    now = time.time_ns() // 1_000_000
    points = {_test_name(name): value for name, value in figures.items() if math.isfinite(value)}
    changed = {name: value for name, value in points.items() if run.data.metrics.get(name) != value}
    client.log_batch(run_id, metrics=[Metric(name, value, now, 0) for name, value in changed.items()])
    for file in files:
        client.log_artifact(run_id, str(file), "evaluation")
    client.log_batch(run_id, tags=[RunTag(REPORT, identity)])


def _test_name(name: str) -> str:
    return name.replace("_", "/", 1) if name.startswith("baseline_") else f"test/{name}"


def hash_of(files: list[Path]) -> str:
    """One hash for several files."""
    return "-".join(data.file_hash(file)[:8] for file in files)


def _status(events: list[dict[str, Any]], trained: bool) -> str:
    """MLflow's word for how the run ended; a stage that could not even tell was killed."""
    last = events[-1] if events else {"event": "end"}
    if last["event"] == "failed":
        return "FAILED"
    return "FINISHED" if last["event"] == "end" or (trained and last["stage"] != "train") else "KILLED"


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0][:200]


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder


if __name__ == "__main__":
    try:
        follow(*sys.argv[1:])
    except (MlflowException, EvermodelError) as error:
        sys.exit(f"{sys.argv[1]}: {error}")
