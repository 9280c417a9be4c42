"""Evaluation of the forecast of a series' next value against "tomorrow is as today"."""

import math

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from sklearn import metrics as measures

from evermodel.core.data import Array, Predictions, Spec, Split
from evermodel.evaluation import figures as plots
from evermodel.evaluation import quantities
from evermodel.evaluation.statistics import Statistic

HEADLINES: dict[str, str] = {"skill": "higher", "rmse": "lower", "mae": "lower"}

worst = quantities.worst


def score(test: Split, prediction: Array, spec: Spec) -> pd.DataFrame:
    """One row per test window, in order of time: the columns of quantities.score, persistence (the value of
    the window's last step), persistence_squared_error, and direction: 1 if the forecast moves as the truth
    does, 0 if against it, a half if either of them stands still.

    test: x (n, window, columns), of which column 0 is the series that y (n,) goes on with, in one unit;
    prediction: (n,) or (n, 1). Raises EvermodelError if it is of another shape or not finite.
    """
    scores, today = quantities.score(test, prediction, spec), np.asarray(test.x[:, -1, 0], dtype=float)
    truth, forecast = scores["target"] - today, scores["prediction"] - today
    return scores.assign(
        persistence=today,
        persistence_squared_error=truth**2,
        direction=(1 + np.sign(truth) * np.sign(forecast)) / 2,
    )


def metrics(scores: pd.DataFrame, spec: Spec) -> dict[str, float]:
    """All metrics of a table of scores.

    skill: 1 - MSE / MSE of persistence (Murphy 1988); 0 is as good as persistence, 1 without error, and it
    is NaN where persistence has no error. direction: the share of moves up and down that are right.
    """
    persistence = scores["persistence_squared_error"].mean()
    return {
        "direction": scores["direction"].mean(),
        "mae": scores["absolute_error"].mean(),
        "persistence_rmse": math.sqrt(persistence),
        "r2": measures.r2_score(scores["target"], scores["prediction"]),
        "rmse": math.sqrt(scores["squared_error"].mean()),
        "skill": 1 - scores["squared_error"].mean() / persistence if persistence else math.nan,
    }


def statistics(spec: Spec) -> dict[str, Statistic]:
    """How each headline follows from the scores, which are in order of time."""
    both = ("squared_error", "persistence_squared_error")
    return {
        "skill": Statistic(kind="skill", columns=both, in_time=True),
        "rmse": Statistic(kind="root_mean", columns=both[:1], in_time=True),
        "mae": Statistic(kind="mean", columns=("absolute_error",), in_time=True),
    }


def figures(scores: pd.DataFrame, spec: Spec, predictions: Predictions) -> dict[str, Figure]:
    """forecast (with truth and persistence) and errors, over the test rows in order of time."""
    return {"errors": _errors(scores, spec), "forecast": _forecast(scores, spec)}


def _forecast(scores: pd.DataFrame, spec: Spec) -> Figure:
    figure = plots.page("forecast of the next step", 9, 4)
    axes = figure.subplots()
    axes.plot(scores["target"], color="#333333", linewidth=1.5, label="truth")
    axes.plot(scores["persistence"], color=plots.OTHER, linewidth=1, linestyle=":", label="persistence")
    axes.plot(scores["prediction"], color=plots.MODEL, linewidth=1.5, label="forecast")
    axes.set(xlabel="test row, in order of time", ylabel=spec.target)
    axes.legend(ncols=3, loc="lower left", bbox_to_anchor=(0, 1))
    return figure


def _errors(scores: pd.DataFrame, spec: Spec) -> Figure:
    figure = plots.page("errors", 9, 4)
    days, counts = figure.subplots(1, 2, sharey=True, width_ratios=(3, 1))
    errors = {
        "persistence": (scores["persistence"] - scores["target"], plots.OTHER),
        "forecast": (scores["prediction"] - scores["target"], plots.MODEL),
    }
    bins = np.histogram_bin_edges(np.concatenate([error for error, _ in errors.values()]), 25)
    for name, (error, colour) in errors.items():
        days.plot(error, color=colour, marker=".", linewidth=1, label=name)
        counts.hist(error, bins, orientation="horizontal", histtype="step", color=colour, linewidth=1.5)
    days.set(xlabel="test row, in order of time", ylabel=f"predicted − true {spec.target}")
    days.legend(ncols=2, loc="lower left", bbox_to_anchor=(0, 1))
    counts.set(xlabel="test rows")
    return figure
