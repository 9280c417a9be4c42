"""The record of a run: what MLflow's database knows of it and of its versions, in a file among its artifacts.

So the database is a view of files here, too, and can be lost (see rebuilding/restoring.py).
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from google.protobuf.json_format import MessageToDict, ParseDict, ParseError
from mlflow.entities import Experiment, Metric, Run
from mlflow.entities.model_registry import ModelVersion
from mlflow.protos import model_registry_pb2, service_pb2
from mlflow.tracking import MlflowClient

from evermodel.core.errors import EvermodelError

FILE = "run.json"


@dataclass(frozen=True)
class Record:
    """A run with its experiment, all points of its curves, and the versions of its model."""

    experiment: Experiment
    run: Run
    points: list[Metric]
    versions: list[ModelVersion]


def write(client: MlflowClient, run_id: str) -> None:
    """Write what is known now of a run among its artifacts."""
    run = client.get_run(run_id)
    told = {
        "experiment": client.get_experiment(run.info.experiment_id),
        "run": run,
        "points": [point for name in run.data.metrics for point in client.get_metric_history(run_id, name)],
        "versions": list(client.search_model_versions(f"run_id = '{run_id}'")),
    }
    client.log_text(run_id, json.dumps(told, default=_written), FILE)


def read(file: Path) -> Record:
    """A record; EvermodelError if the file is none."""
    try:
        told = json.loads(file.read_text(encoding="utf-8"))
        return Record(
            _read(Experiment, service_pb2.Experiment(), told["experiment"]),
            _read(Run, service_pb2.Run(), told["run"]),
            [_read(Metric, service_pb2.Metric(), point) for point in told["points"]],
            [_read(ModelVersion, model_registry_pb2.ModelVersion(), one) for one in told["versions"]],
        )
    except (KeyError, TypeError, ValueError, ParseError):
        raise EvermodelError(
            f"{file} is no record of a run; restore it from a copy, or delete it to go on without that run"
        ) from None


def _written(entity: Any) -> Any:
    """An entity of MLflow's as JSON, in the form of MLflow's own interface."""
    return MessageToDict(entity.to_proto(), preserving_proto_field_name=True)


def _read(entity: Any, message: Any, told: Any) -> Any:
    return entity.from_proto(ParseDict(told, message, ignore_unknown_fields=True))
