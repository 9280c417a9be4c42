"""One evaluation: from predictions of the test rows to the files of a report."""

import hashlib
import importlib
import inspect
import io
import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from evermodel.core import data
from evermodel.core.data import Array, Predictions, Prepared, Spec, Split
from evermodel.core.errors import EvermodelError
from evermodel.evaluation import figures
from evermodel.evaluation.statistics import GROUP, Interval, Statistic

WORST = 12


@dataclass(frozen=True)
class Evaluated:
    """Scores of the test rows, one each, and the metrics that follow from them.

    scores: what the task gives of each row, and its group as the column GROUP (int64) where rows belong
    together.
    """

    scores: pd.DataFrame
    metrics: dict[str, float]


def task_module(task: str) -> Any:
    """The file of tasks/ that evaluates this kind of task."""
    return importlib.import_module(f"evermodel.tasks.{task}")


def inputs(task: Any, x: Array, options: Mapping[str, Any], seed: int) -> Array:
    """What model and baseline are shown of the test rows: x, or what the task makes of it (noise, say).

    options: of the experiment. Raises EvermodelError if the task needs one that is missing.
    """
    return task.inputs(x, options, seed) if hasattr(task, "inputs") else x


def told(task: Any, options: Mapping[str, Any], prepared: Prepared) -> Mapping[str, Any]:
    """What scores are told of beside the rows: the options of the experiment, and what the task needs more.

    prepared: with the training rows. Raises EvermodelError if they lack that.
    """
    return {**options, **(task.told(prepared) if hasattr(task, "told") else {})}


def answer(task: Any, predict: Callable[[Any], Array], shown: Array, told: Mapping[str, Any]) -> Array:
    """What a model, or a baseline, answers for what it is shown, asked as the task asks; told: see `told`."""
    if not hasattr(task, "answer"):
        return np.asarray(predict(shown))
    return np.asarray(task.answer(predict, shown, **_taken(task.answer, told)))


def asked(spec: Spec, test: Split, shown: Array, told: Mapping[str, Any]) -> str:
    """The identity of what was asked: that of the test rows, or of what the task made of them; and the judge.

    told: see `told`.
    """
    rows = spec.test_hash if shown is test.x else data.split_hash(shown, test.y)
    if (judge := told.get("judge")) is None:
        return rows
    return hashlib.sha256(f"{rows} {judge.sha256}".encode()).hexdigest()


def evaluate(
    task: Any, who: str, prediction: Array, test: Split, spec: Spec, told: Mapping[str, Any]
) -> Evaluated:
    """Score what `who` predicted for the test rows; told: see `told`.

    All rows count alike, whatever weights they have in training. Raises EvermodelError if the prediction does
    not fit the rows, or a metric is not a finite number.
    """
    try:
        scores = score(task, test, prediction, spec, told)
    except EvermodelError as error:
        raise EvermodelError(f"{who} {error}") from None
    metrics = {name: float(value) for name, value in task.metrics(scores, spec).items()}
    if broken := [name for name, value in metrics.items() if not math.isfinite(value)]:
        raise EvermodelError(
            f"{', '.join(broken)} of {who} is no finite number on the {len(test)} test rows of "
            f"{spec.dataset}: all rows are of one class (change split in data/{spec.dataset}/params.yaml), "
            "or the prediction is huge"
        )
    # After the metrics, which may be of every column.
    return Evaluated(scores if test.group is None else scores.assign(**{GROUP: test.group}), metrics)


def score(task: Any, test: Split, prediction: Array, spec: Spec, told: Mapping[str, Any]) -> pd.DataFrame:
    """The task's scores, by what it takes of `told`; EvermodelError if the prediction does not fit."""
    scores: pd.DataFrame = task.score(test, prediction, spec, **_taken(task.score, told))
    return scores


def _taken(function: Callable[..., Any], told: Mapping[str, Any]) -> dict[str, Any]:
    """What a task's function takes of `told`, by its keyword arguments."""
    parameters = inspect.signature(function).parameters.values()
    return {one.name: told[one.name] for one in parameters if one.kind is one.KEYWORD_ONLY}


def metrics_json(
    model: Evaluated, baseline: Evaluated, intervals: Mapping[str, Interval], parameters: int
) -> bytes:
    """Metrics of model and baseline and the bounds of the headlines' intervals, as flat JSON.

    Six significant digits: what lies behind them is another on another processor.
    """
    values = {
        **model.metrics,
        **{f"{name}_low": low for name, (low, _) in intervals.items()},
        **{f"{name}_high": high for name, (_, high) in intervals.items()},
        **{f"baseline_{name}": value for name, value in baseline.metrics.items()},
    }
    rounded = {name: float(f"{value:.6g}") for name, value in values.items()}
    sizes = {"parameters": parameters, "test_rows": len(model.scores)}
    return (json.dumps(rounded | sizes, indent=1, sort_keys=True) + "\n").encode()


def scores_parquet(
    model: pd.DataFrame, baseline: pd.DataFrame | None, test_hash: str, statistics: Mapping[str, Statistic]
) -> bytes:
    """The model's scores beside the baseline's as baseline_<column>, row by row, for paired tests.

    The schema's metadata says as `test_hash` what was asked (see `asked`), and as `statistics` how each
    headline follows from the scores.
    """
    paired = model
    if baseline is not None:
        shared = ["target", GROUP]
        beside = baseline.drop(columns=shared, errors="ignore").add_prefix("baseline_")
        paired = pd.concat([model, beside], axis=1)  # which copies nothing
    # Replaces pandas' own metadata, which would put the versions of libraries into the bytes.
    how = {name: statistic.model_dump(exclude_defaults=True) for name, statistic in statistics.items()}
    metadata = {"test_hash": test_hash, "statistics": json.dumps(how, sort_keys=True)}
    table = pa.Table.from_pandas(paired, preserve_index=False).replace_schema_metadata(metadata)
    stream = io.BytesIO()
    pq.write_table(table, stream)
    return stream.getvalue()


def images(
    task: Any, name: str, spec: Spec, scores: pd.DataFrame, predictions: Predictions, history: pd.DataFrame
) -> dict[str, bytes]:
    """Files by name: the task's figures, the learning curve if there is one, and the worst examples.

    predictions: of the test rows that the scores are of; history: columns epoch, loss, val_loss and more
    pairs.
    """
    worst = task.worst(scores, spec, WORST)
    shown = task.examples(predictions) if hasattr(task, "examples") else predictions.inputs
    examples = shown[worst.index.to_numpy()]
    with figures.look():
        drawn = task.figures(scores, spec, predictions)
        if len(history) > 1:
            drawn["learning_curve"] = figures.learning_curve(history)
        if spec.kind == "images":
            drawn["worst"] = figures.worst_images(examples, worst)
        if spec.kind == "table":
            drawn["worst"] = figures.worst_rows(examples.frame(), spec.columns, worst)
        files = {f"{title}.png": figures.png(figure, name, spec) for title, figure in drawn.items()}
    for figure in drawn.values():  # else they hold points of all rows until Python looks for circles
        figure.clear()
    if spec.kind == "text":
        files["worst.md"] = figures.worst_texts(examples, name, spec, worst).encode()
    return files
