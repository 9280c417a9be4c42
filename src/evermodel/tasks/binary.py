"""Evaluation of the probability of the second of two classes."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from sklearn import metrics as measures

from evermodel.core.data import Array, Predictions, Spec, Split
from evermodel.evaluation import figures as plots
from evermodel.evaluation import probabilities
from evermodel.evaluation.statistics import Statistic, macro, mean

HEADLINES: dict[str, str] = {
    "accuracy": "higher",
    "average_precision": "higher",
    "balanced_accuracy": "higher",
    "f1": "higher",
    "log_loss": "lower",
    "roc_auc": "higher",
}
ACROSS: tuple[str, ...] = ("average_precision", "roc_auc")  # compare rows of several targets
COUNTED: tuple[str, ...] = ("balanced_accuracy", "f1")  # of answers that are right or wrong, unevenly weighed

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
        "balanced_accuracy": measures.balanced_accuracy_score(*pair),
        "brier": measures.brier_score_loss(*ranked),
        "f1": measures.f1_score(*pair, zero_division=0),
        "log_loss": measures.log_loss(*ranked, labels=(0, 1)),
        "precision": measures.precision_score(*pair, zero_division=0),
        "recall": measures.recall_score(*pair, zero_division=0),
        "roc_auc": measures.roc_auc_score(*ranked),
    }


def statistics(spec: Spec) -> dict[str, Statistic]:
    """How each headline follows from the scores."""
    answered, ranked = ("target", "predicted"), ("target", probabilities.columns(spec)[1])
    return {
        "accuracy": mean("correct"),
        "average_precision": Statistic(kind="average_precision", columns=ranked),
        "balanced_accuracy": macro(
            Statistic(kind="recall", columns=answered, positive=number) for number in (0, 1)
        ),
        "f1": Statistic(kind="f1", columns=answered),
        "log_loss": mean("log_loss"),
        "roc_auc": Statistic(kind="roc_auc", columns=ranked),
    }


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
