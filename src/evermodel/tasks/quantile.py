"""Evaluation of a predicted quantile: what the number does not exceed in so large a share of such rows."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from sklearn import metrics as measures

from evermodel.core.data import Array, Predictions, Spec, Split
from evermodel.evaluation import figures as plots
from evermodel.evaluation import quantities
from evermodel.evaluation.statistics import Statistic, mean

HEADLINES: dict[str, str] = {"pinball": "lower"}
PARTS = 10  # of the test rows, from the smallest prediction to the largest

worst = quantities.worst


def score(test: Split, prediction: Array, spec: Spec, *, quantile: float) -> pd.DataFrame:
    """One row per example: what quantities.score gives, pinball (the loss of the quantile, in units of the
    target; Koenker & Bassett 1978) and covered (0 or 1: the target is no larger than the prediction).

    quantile: the share of rows that should be covered. Raises EvermodelError as quantities.score does.
    """
    scores = quantities.score(test, prediction, spec)
    above = scores["target"] - scores["prediction"]
    return scores.assign(
        pinball=np.maximum(quantile * above, (quantile - 1) * above), covered=(above <= 0).astype(np.int64)
    )


def metrics(scores: pd.DataFrame, spec: Spec) -> dict[str, float]:
    """pinball; coverage, the share of rows that are covered; and the errors as if it were a mean."""
    pair = scores["target"], scores["prediction"]
    return {
        "coverage": scores["covered"].mean(),
        "mae": measures.mean_absolute_error(*pair),
        "pinball": scores["pinball"].mean(),
        "rmse": measures.root_mean_squared_error(*pair),
    }


def statistics(spec: Spec) -> dict[str, Statistic]:
    """How each headline follows from the scores."""
    return {"pinball": mean("pinball")}


def figures(scores: pd.DataFrame, spec: Spec, predictions: Predictions) -> dict[str, Figure]:
    """coverage (the share covered, from small predictions to large) and predicted_true."""
    return {
        "coverage": _coverage(scores, spec),
        "predicted_true": quantities.predicted_true(scores, spec.target),
    }


def _coverage(scores: pd.DataFrame, spec: Spec) -> Figure:
    figure = plots.page("coverage", 6, 3.8)
    axes = figure.subplots()
    covered = scores.sort_values("prediction", kind="stable")["covered"].to_numpy()
    parts = np.array_split(covered, min(PARTS, len(covered)))
    axes.bar(range(1, len(parts) + 1), [part.mean() for part in parts], color=plots.MODEL)
    everyone = scores["covered"].mean()
    axes.axhline(everyone, color=plots.QUIET, linestyle="--", linewidth=1, label=f"all: {everyone:.3f}")
    axes.set(xlabel=f"parts of the test rows, by predicted {spec.target}", ylabel="share covered")
    axes.set_ylim(0, 1.05)
    axes.legend(loc="lower right")
    return figure
