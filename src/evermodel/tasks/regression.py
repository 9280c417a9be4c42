"""Evaluation of a predicted number."""

import pandas as pd
from matplotlib.figure import Figure
from sklearn import metrics as measures

from evermodel.core.data import Predictions, Spec
from evermodel.evaluation import figures as plots
from evermodel.evaluation import quantities
from evermodel.evaluation.statistics import Statistic, mean

HEADLINES: dict[str, str] = {"mae": "lower", "mse": "lower", "r2": "higher", "rmse": "lower"}

score = quantities.score
worst = quantities.worst


def metrics(scores: pd.DataFrame, spec: Spec) -> dict[str, float]:
    """All metrics of a table of scores."""
    pair = scores["target"], scores["prediction"]
    return {
        "mae": measures.mean_absolute_error(*pair),
        "max_error": measures.max_error(*pair),
        "median_absolute_error": measures.median_absolute_error(*pair),
        "mse": measures.mean_squared_error(*pair),
        "r2": measures.r2_score(*pair),
        "rmse": measures.root_mean_squared_error(*pair),
    }


def statistics(spec: Spec) -> dict[str, Statistic]:
    """How each headline follows from the scores."""
    squares = ("squared_error",)
    return {
        "mae": mean("absolute_error"),
        "mse": mean(*squares),
        "r2": Statistic(kind="r2", columns=(*squares, "target")),
        "rmse": Statistic(kind="root_mean", columns=squares),
    }


def figures(scores: pd.DataFrame, spec: Spec, predictions: Predictions) -> dict[str, Figure]:
    """predicted_true and residuals, both in units of the target."""
    return {
        "predicted_true": quantities.predicted_true(scores, spec.target),
        "residuals": _residuals(scores, spec),
    }


def _residuals(scores: pd.DataFrame, spec: Spec) -> Figure:
    figure = plots.page("residuals", 7, 3.8)
    points, counts = figure.subplots(1, 2, sharey=True, width_ratios=(3, 1))
    residuals = scores["prediction"] - scores["target"]
    for axes in (points, counts):
        axes.axhline(0, color=plots.QUIET, linestyle="--", linewidth=1)
    points.scatter(scores["prediction"], residuals, s=14, alpha=0.5, color=plots.MODEL, linewidths=0)
    points.set(xlabel=f"predicted {spec.target}", ylabel=f"predicted − true {spec.target}")
    counts.hist(residuals, bins=30, orientation="horizontal", color=plots.MODEL)
    counts.set(xlabel="test rows")
    return figure
