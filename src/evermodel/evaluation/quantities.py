"""Scores and images of predicted numbers, for every kind of task that predicts them."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from evermodel.core.data import Array, Spec, Split
from evermodel.core.errors import EvermodelError
from evermodel.evaluation import figures, predictions


def score(test: Split, prediction: Array, spec: Spec) -> pd.DataFrame:
    """One row per example: target, prediction, absolute_error, squared_error (units of the target).

    test.y: (n,); prediction: (n,) or (n, 1). Raises EvermodelError if it is of another shape or not finite.
    """
    if prediction.shape not in ((len(test),), (len(test), 1)):
        raise EvermodelError(
            f"predicted an array of shape {prediction.shape}, but {len(test)} test rows need "
            f"({len(test)}, 1): one number for {spec.target}; give the model one output"
        )
    target, predicted = np.asarray(test.y, dtype=float), prediction.reshape(-1).astype(float)
    predictions.check_finite(predicted)
    error = predicted - target
    return pd.DataFrame(
        {
            "target": target,
            "prediction": predicted,
            "absolute_error": np.abs(error),
            "squared_error": error**2,
        }
    )


def worst(scores: pd.DataFrame, spec: Spec, count: int) -> pd.DataFrame:
    """The examples with the largest error, largest first, as a reader wants them; the index is the row."""
    rows = scores.nlargest(count, "absolute_error")
    named = {"target": "true", "prediction": "predicted", "absolute_error": "off by"}
    return rows[list(named)].rename(columns=named)


def predicted_true(scores: pd.DataFrame, unit: str) -> Figure:
    """Each example as a point; unit: what the numbers are, as a reader wants it."""
    figure = figures.page("predicted and true values", 5, 5)
    axes = figure.subplots()
    axes.axline((0, 0), slope=1, color=figures.QUIET, linestyle="--", linewidth=1, label="predicted = true")
    axes.scatter(scores["target"], scores["prediction"], s=14, alpha=0.5, color=figures.MODEL, linewidths=0)
    ends = scores[["target", "prediction"]].agg(["min", "max"]).to_numpy()
    room = 0.05 * (ends.max() - ends.min())
    limits = ends.min() - room, ends.max() + room
    axes.set(xlim=limits, ylim=limits, aspect="equal")
    axes.set(xlabel=f"true {unit}", ylabel=f"predicted {unit}")
    axes.legend(loc="upper left")
    return figure
