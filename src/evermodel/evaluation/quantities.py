"""Scores and images of predicted numbers, for every kind of task that predicts them."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from evermodel.core.data import Array, Spec, Split
from evermodel.evaluation import figures, predictions


def score(test: Split, prediction: Array, spec: Spec) -> pd.DataFrame:
    """One row per example: target, prediction, absolute_error, squared_error (units of the target).

    test.y: (n,); prediction: (n,) or (n, 1). Raises EvermodelError if it is of another shape or not finite.
    """
    column = prediction[:, None] if prediction.shape == (len(test),) else prediction
    predictions.check(column, (len(test), 1), f"one number for {spec.target}; give the model one output")
    target, predicted = np.asarray(test.y, dtype=float), column[:, 0].astype(float)
    error = predicted - target
    scores = {"target": target, "prediction": predicted}
    return pd.DataFrame(scores | {"absolute_error": np.abs(error), "squared_error": error**2})


def worst(scores: pd.DataFrame, spec: Spec, count: int) -> pd.DataFrame:
    """The examples with the largest error, largest first, as a reader wants them; the index is the row."""
    named = {"target": "true", "prediction": "predicted", "absolute_error": "off by"}
    return scores.nlargest(count, "absolute_error")[list(named)].rename(columns=named)


def predicted_true(scores: pd.DataFrame, unit: str) -> Figure:
    """Each example as a point; unit: what the numbers are, as a reader wants it."""
    figure = figures.page("predicted and true values", 5, 5)
    axes = figure.subplots()
    draw_pairs(axes, scores["target"], scores["prediction"], unit)
    axes.legend(loc="upper left")
    return figure


def draw_pairs(axes: Axes, target: pd.Series, prediction: pd.Series, unit: str) -> None:
    """Each example as a point, at its true and its predicted number, which are of that unit."""
    axes.axline((0, 0), slope=1, color=figures.QUIET, linestyle="--", linewidth=1, label="predicted = true")
    axes.scatter(target, prediction, s=14, alpha=0.5, color=figures.MODEL, linewidths=0)
    low, high = min(target.min(), prediction.min()), max(target.max(), prediction.max())
    room = 0.05 * (high - low)
    limits = low - room, high + room
    axes.set(xlim=limits, ylim=limits, aspect="equal")
    axes.set(xlabel=f"true {unit}", ylabel=f"predicted {unit}")
