"""Judging a predicted number."""

import math
from typing import Literal

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from sklearn import metrics as measures

from evermodel import figures as pictures
from evermodel import intervals as bootstrap
from evermodel.data import Array, Spec
from evermodel.errors import EvermodelError

HEADLINES: dict[str, Literal["lower", "higher"]] = {"mae": "lower", "mse": "lower", "rmse": "lower"}
MEANS = {"mae": "absolute_error", "mse": "squared_error"}


def score(y: Array, prediction: Array, spec: Spec) -> pd.DataFrame:
    """One row per example: target, prediction, absolute_error, squared_error (units of the target).

    y: (n,); prediction: (n,) or (n, 1). Raises EvermodelError if it is of another shape or not finite.
    """
    if prediction.shape not in ((len(y),), (len(y), 1)):
        raise EvermodelError(
            f"predicted an array of shape {prediction.shape}, but {len(y)} test rows need ({len(y)}, 1): "
            f"one number for {spec.target}; give the model one output"
        )
    target, predicted = np.asarray(y, dtype=float), prediction.reshape(-1).astype(float)
    if broken := int((~np.isfinite(predicted)).sum()):
        raise EvermodelError(
            f"predicted no finite number for {broken} of {len(y)} test rows; the training has diverged: "
            "lower train.learning_rate and train again"
        )
    error = predicted - target
    return pd.DataFrame(
        {
            "target": target,
            "prediction": predicted,
            "absolute_error": np.abs(error),
            "squared_error": error**2,
        }
    )


def metrics(scores: pd.DataFrame, spec: Spec) -> dict[str, float]:
    """All metrics of a table of scores."""
    pair = scores["target"], scores["prediction"]
    values = {
        "mae": measures.mean_absolute_error(*pair),
        "max_error": measures.max_error(*pair),
        "median_absolute_error": measures.median_absolute_error(*pair),
        "mse": measures.mean_squared_error(*pair),
        "r2": measures.r2_score(*pair),
        "rmse": measures.root_mean_squared_error(*pair),
    }
    return {name: float(value) for name, value in values.items()}


def intervals(scores: pd.DataFrame, spec: Spec, seed: int) -> dict[str, bootstrap.Interval]:
    """The 95 % interval of each headline."""
    mae = bootstrap.mean(scores["absolute_error"].to_numpy(), seed)
    mse = bootstrap.mean(scores["squared_error"].to_numpy(), seed)
    return {"mae": mae, "mse": mse, "rmse": (math.sqrt(mse[0]), math.sqrt(mse[1]))}


def worst(scores: pd.DataFrame, spec: Spec, count: int) -> pd.DataFrame:
    """The examples with the largest error, largest first, as a reader wants them; the index is the row."""
    rows = scores.nlargest(count, "absolute_error")
    named = {"target": "true", "prediction": "predicted", "absolute_error": "off by"}
    return rows[list(named)].rename(columns=named)


def figures(scores: pd.DataFrame, spec: Spec) -> dict[str, Figure]:
    """predicted_true and residuals, both in units of the target."""
    return {"predicted_true": _predicted_true(scores, spec), "residuals": _residuals(scores, spec)}


def _predicted_true(scores: pd.DataFrame, spec: Spec) -> Figure:
    figure = pictures.page("predicted and true values", 5, 5)
    axes = figure.subplots()
    axes.axline((0, 0), slope=1, color=pictures.QUIET, linestyle="--", linewidth=1, label="predicted = true")
    axes.scatter(scores["target"], scores["prediction"], s=14, alpha=0.5, color=pictures.MODEL, linewidths=0)
    ends = scores[["target", "prediction"]].agg(["min", "max"]).to_numpy()
    room = 0.05 * (ends.max() - ends.min())
    limits = ends.min() - room, ends.max() + room
    axes.set(xlim=limits, ylim=limits, aspect="equal")
    axes.set(xlabel=f"true {spec.target}", ylabel=f"predicted {spec.target}")
    axes.legend(loc="upper left")
    return figure


def _residuals(scores: pd.DataFrame, spec: Spec) -> Figure:
    figure = pictures.page("residuals", 7, 3.8)
    points, counts = figure.subplots(1, 2, sharey=True, width_ratios=(3, 1))
    residuals = scores["prediction"] - scores["target"]
    for axes in (points, counts):
        axes.axhline(0, color=pictures.QUIET, linestyle="--", linewidth=1)
    points.scatter(scores["prediction"], residuals, s=14, alpha=0.5, color=pictures.MODEL, linewidths=0)
    points.set(xlabel=f"predicted {spec.target}", ylabel=f"predicted − true {spec.target}")
    counts.hist(residuals, bins=30, orientation="horizontal", color=pictures.MODEL)
    counts.set(xlabel="test rows")
    return figure
