"""Evaluation of the probability of the second of two classes."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from sklearn import metrics as measures

from evermodel.core.data import Array, Predictions, Spec, Split
from evermodel.evaluation import figures as plots
from evermodel.evaluation import probabilities
from evermodel.evaluation.statistics import Statistic, mean

HEADLINES: dict[str, str] = {"accuracy": "higher", "log_loss": "lower", "roc_auc": "higher"}
ACROSS: tuple[str, ...] = ("roc_auc",)  # compare rows of several targets

worst = probabilities.worst


def score(test: Split, prediction: Array, spec: Spec) -> pd.DataFrame:
    """One row per example, with the columns that probabilities.score gives.

    test.y: (n,) 0 or 1; prediction: (n,) or (n, 1) probabilities of class 1, or (n, 2) of both. Raises
    EvermodelError if it is of another shape, not finite, or no probability.
    """
    if prediction.ndim == 1 or prediction.shape[1:] == (1,):
        positive = prediction.reshape(-1).astype(float)
        prediction = np.stack([1 - positive, positive], axis=1)
    return probabilities.score(test, prediction, spec)


def metrics(scores: pd.DataFrame, spec: Spec) -> dict[str, float]:
    """All metrics of a table of scores; precision, recall and F1 are those of class 1."""
    pair, ranked = (scores["target"], scores["predicted"]), (scores["target"], _positive(scores, spec))
    return {
        "accuracy": measures.accuracy_score(*pair),
        "average_precision": measures.average_precision_score(*ranked),
        "brier": measures.brier_score_loss(*ranked),
        "f1": measures.f1_score(*pair, zero_division=0),
        "log_loss": measures.log_loss(*ranked, labels=(0, 1)),
        "precision": measures.precision_score(*pair, zero_division=0),
        "recall": measures.recall_score(*pair, zero_division=0),
        "roc_auc": measures.roc_auc_score(*ranked),
    }


def statistics(spec: Spec) -> dict[str, Statistic]:
    """How each headline follows from the scores."""
    ranked = Statistic(kind="roc_auc", columns=("target", probabilities.columns(spec)[1]))
    return {"accuracy": mean("correct"), "log_loss": mean("log_loss"), "roc_auc": ranked}


def figures(scores: pd.DataFrame, spec: Spec, predictions: Predictions) -> dict[str, Figure]:
    """calibration, confusion_matrix and roc."""
    target, positive = scores["target"].to_numpy(), _positive(scores, spec).to_numpy()
    return {
        "calibration": plots.calibration(target, positive, spec.classes[1]),
        "confusion_matrix": probabilities.confusion_matrix(scores, spec),
        "roc": plots.roc(target, {"model": positive}, spec.classes),
    }


def _positive(scores: pd.DataFrame, spec: Spec) -> pd.Series:
    return scores[probabilities.columns(spec)[1]]
