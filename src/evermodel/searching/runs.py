"""Searches in MLflow: a run of each study, and below it one of each trial, in an experiment of their own."""

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mlflow.entities import Metric, Param, Run
from mlflow.tracking import MlflowClient
from mlflow.utils.mlflow_tags import MLFLOW_PARENT_RUN_ID

from evermodel.publishing import choice, tracking
from evermodel.publishing.choice import Choice

STUDY, TRIAL = "evermodel.study", "evermodel.trial"


@dataclass(frozen=True)
class Tried:
    """A trial that ended: its score, None if it was given up; began and ended: in milliseconds."""

    number: int
    values: Mapping[str, Any]
    score: float | None
    began: int
    ended: int


def experiment(name: str) -> str:
    """The MLflow experiment of the searches of one of ours, whose own holds what was trained to be used."""
    return f"search.{name}"


def tell(
    client: MlflowClient,
    name: str,
    study: str,
    asked: Mapping[str, str],
    metric: str,
    tried: Sequence[Tried],
    chosen: Choice,
    files: Mapping[str, bytes],
) -> None:
    """Write what is missing of a study that has ended: its run, those of its trials, and what came of it.

    asked: what was searched, as parameters. files: pictures, by name.
    """
    where = tracking.experiment(client, experiment(name), f"searches of {name}")
    parent = _run(client, where, f"tags.`{STUDY}` = '{study}'")
    if parent is None:
        parent = client.create_run(where, run_name=study, tags={STUDY: study})
        client.log_batch(parent.info.run_id, params=[Param(*pair) for pair in asked.items()])
    run_id = parent.info.run_id
    children = client.search_runs(
        [where], f"tags.`{MLFLOW_PARENT_RUN_ID}` = '{run_id}'", max_results=tracking.MOST
    )
    known = {run.data.tags[TRIAL]: run for run in children}
    for one in tried:
        child = known.get(str(one.number))
        if child is None or child.info.status == "RUNNING":  # whoever made it was killed
            _log(client, where, run_id, child, metric, one)
    figures = {f"{metric}_before": chosen.score_before, metric: chosen.score, "chance": chosen.chance}
    points = [Metric(key, value, tried[-1].ended, 0) for key, value in figures.items() if value is not None]
    client.log_batch(run_id, metrics=[one for one in points if parent.data.metrics.get(one.key) != one.value])
    with tempfile.TemporaryDirectory() as folder:
        for file, content in {choice.FILE: choice.text(chosen).encode(), **files}.items():
            Path(folder, file).write_bytes(content)
            client.log_artifact(run_id, str(Path(folder, file)))
    client.set_terminated(run_id, end_time=tried[-1].ended)


def _log(client: MlflowClient, where: str, parent: str, run: Run | None, metric: str, one: Tried) -> None:
    if run is None:
        tags = {MLFLOW_PARENT_RUN_ID: parent, TRIAL: str(one.number)}
        run = client.create_run(where, start_time=one.began, run_name=f"trial {one.number}", tags=tags)
    params = [Param(path, str(value)) for path, value in one.values.items()]
    metrics = [] if one.score is None else [Metric(metric, one.score, one.ended, 0)]
    client.log_batch(run.info.run_id, params=params, metrics=metrics)
    client.set_terminated(run.info.run_id, "KILLED" if one.score is None else "FINISHED", one.ended)


def _run(client: MlflowClient, where: str, asked: str) -> Run | None:
    return next(iter(client.search_runs([where], asked, max_results=1)), None)
