"""Evaluation of how well the error of a reconstruction tells what is not normal."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from sklearn import metrics as measures

from evermodel.core.data import Array, Predictions, Spec, Split
from evermodel.evaluation import figures as plots
from evermodel.evaluation import reconstruction
from evermodel.evaluation.statistics import Statistic

HEADLINES: dict[str, str] = {"roc_auc": "higher"}
ACROSS: tuple[str, ...] = ("roc_auc",)  # compare rows of several targets
SHOWN = 6


def score(test: Split, prediction: Array, spec: Spec) -> pd.DataFrame:
    """One row per example: target (0 normal, 1 anomaly) and error, the mean squared error of the image on
    the scale 0 to 1, which is large where a model that has seen normal images only can't draw one.

    test.x: (n, height, width, channels) uint8; prediction: its reconstruction, the same shape, 0 to 1.
    Raises EvermodelError if it is of another shape, not finite, or outside of 0 to 1.
    """
    return pd.DataFrame(
        {"target": np.asarray(test.y), "error": reconstruction.squared_errors(test.x, prediction)}
    )


def metrics(scores: pd.DataFrame, spec: Spec) -> dict[str, float]:
    """roc_auc and average_precision of the error as the score of class 1."""
    pair = scores["target"], scores["error"]
    return {
        "average_precision": measures.average_precision_score(*pair),
        "roc_auc": measures.roc_auc_score(*pair),
    }


def statistics(spec: Spec) -> dict[str, Statistic]:
    """How each headline follows from the scores."""
    return {"roc_auc": Statistic(kind="roc_auc", columns=("target", "error"))}


def worst(scores: pd.DataFrame, spec: Spec, count: int) -> pd.DataFrame:
    """The examples ranked farthest from where their class belongs, farthest first; the index is the row.

    An anomaly belongs among the largest errors and a normal image among the smallest.
    """
    suspicion = scores["error"].rank(pct=True)
    rows = scores.assign(suspicion=suspicion, off=(scores["target"] - suspicion).abs()).nlargest(count, "off")
    names = np.array(spec.classes)[rows["target"]]
    return pd.DataFrame({"true": names, "error": rows["error"], "suspicion": rows["suspicion"]})


def figures(scores: pd.DataFrame, spec: Spec, predictions: Predictions) -> dict[str, Figure]:
    """roc (ours and the baseline's), errors of both classes, and suspects, the images at both ends."""
    target, error = scores["target"].to_numpy(), scores["error"].to_numpy()
    baseline = reconstruction.squared_errors(predictions.test.x, predictions.baseline)
    of_each = {name: error[target == number] for number, name in enumerate(spec.classes)}
    return {
        "errors": plots.histograms("errors", of_each, "reconstruction error", "share of the class"),
        "roc": plots.roc(target, {"ours": error, "baseline": baseline}, spec.classes),
        "suspects": _suspects(scores, spec, predictions.test.x),
    }


def _suspects(scores: pd.DataFrame, spec: Spec, x: Array) -> Figure:
    order = scores["error"].argsort(kind="stable").to_numpy()
    picked = [order[: -SHOWN - 1 : -1], order[:SHOWN]]
    shown = [[x[row] for row in rows] for rows in picked]
    ends = ["most\nsuspicious", "least\nsuspicious"]
    figure = plots.gallery("suspects", shown, [""] * len(shown[0]), ends)
    for axes, row in zip(figure.axes, np.concatenate(picked), strict=True):
        axes.set_title(spec.classes[scores["target"].iloc[row]], fontsize="small")
    return figure
