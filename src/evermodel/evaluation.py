"""One evaluation: from a model's and its baseline's predictions of the test rows to numbers and pictures."""

import importlib
import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from evermodel import figures
from evermodel.data import Array, Spec
from evermodel.errors import EvermodelError

REPORTS = Path("reports")
WORST = 12
DIGITS = 6  # significant; what lies behind them differs between processors


@dataclass(frozen=True)
class Judged:
    """Per-example scores of the test rows and the metrics that follow from them."""

    scores: pd.DataFrame
    metrics: dict[str, float]


def task_module(task: str) -> Any:
    """The file of tasks/ that judges this kind of task."""
    return importlib.import_module(f"evermodel.tasks.{task}")


def judge(task: Any, who: str, prediction: Array, y: Array, spec: Spec) -> Judged:
    """Score the prediction `who` made of the test rows.

    Raises EvermodelError if the prediction does not fit the rows, or a metric is not a finite number.
    """
    try:
        scores = task.score(y, prediction, spec)
    except EvermodelError as error:
        raise EvermodelError(f"{who} {error}") from None
    metrics = task.metrics(scores, spec)
    if broken := [name for name, value in metrics.items() if not math.isfinite(value)]:
        raise EvermodelError(
            f"{', '.join(broken)} of {who} can't be computed: the {len(y)} test rows of {spec.dataset} are too "
            "few or all of one class, or the prediction is huge; look at the split in params.yaml"
        )
    return Judged(scores, metrics)


def numbers(
    task: Any, model: Judged, baseline: Judged, spec: Spec, seed: int, parameters: int
) -> dict[str, float]:
    """What metrics.json holds: metrics of model and baseline, 95 % intervals of the headlines, and sizes."""
    intervals = task.intervals(model.scores, spec, seed)
    return {
        **model.metrics,
        **{f"{name}_low": low for name, (low, _) in intervals.items()},
        **{f"{name}_high": high for name, (_, high) in intervals.items()},
        **{f"baseline_{name}": value for name, value in baseline.metrics.items()},
        "test_rows": len(model.scores),
        "parameters": parameters,
    }


def pictures(
    task: Any, name: str, scores: pd.DataFrame, x: Array, history: pd.DataFrame, spec: Spec
) -> dict[str, bytes]:
    """The files of figures/: the task's own figures, the learning curve, and the worst examples."""
    worst = task.worst(scores, spec, WORST)
    examples = np.asarray(x[worst.index.to_numpy()])
    with figures.look():
        drawn = task.figures(scores, spec)
        if len(history) > 1:
            drawn["learning_curve"] = figures.learning_curve(history)
        match spec.kind:
            case "images":
                drawn["worst"] = figures.worst_images(examples, worst)
            case "table":
                drawn["worst"] = figures.worst_rows(examples, spec.columns, worst)
        files = {f"{title}.png": figures.png(figure, name, spec) for title, figure in drawn.items()}
    if spec.kind == "text":
        files["worst.md"] = figures.worst_texts(examples, worst, name, spec).encode()
    return files


def write(
    folder: Path,
    values: dict[str, float],
    model: Judged,
    baseline: Judged,
    files: dict[str, bytes],
    spec: Spec,
) -> None:
    """Write metrics.json, scores.parquet and figures/; the same values give the same bytes.

    scores.parquet has the model's columns, those of the baseline as baseline_<column>, and the hash of
    the test rows as `test_hash` in its schema's metadata.
    """
    rounded = {name: round_to(value) for name, value in values.items()}
    text = json.dumps(rounded, indent=1, sort_keys=True, allow_nan=False)
    (folder / "metrics.json").write_text(text + "\n", encoding="utf-8")
    pq.write_table(table(model.scores, baseline.scores, spec), folder / "scores.parquet")
    (folder / "figures").mkdir()
    for name, content in files.items():
        (folder / "figures" / name).write_bytes(content)


def table(model: pd.DataFrame, baseline: pd.DataFrame, spec: Spec) -> pa.Table:
    """Scores of the model beside those of the baseline, row by row, for paired tests."""
    paired = model.join(baseline.drop(columns="target").add_prefix("baseline_"))
    # Without pandas' own metadata, which names the versions of the libraries.
    metadata = {"test_hash": spec.test_hash}
    return pa.Table.from_pandas(paired, preserve_index=False).replace_schema_metadata(metadata)


def round_to(value: float) -> float:
    """The value to DIGITS significant digits; whole numbers as they are."""
    return value if isinstance(value, int) else float(f"{value:.{DIGITS}g}")
