"""Metrics and images of one class out of several, for every kind of task that predicts it."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from sklearn import metrics as measures

from evermodel.core.data import Predictions, Spec
from evermodel.evaluation import figures as plots
from evermodel.evaluation import probabilities
from evermodel.evaluation.detection import Measure
from evermodel.evaluation.statistics import Statistic, macro, mean

BINS = 15


def metrics(scores: pd.DataFrame, spec: Spec) -> dict[str, float]:
    """All metrics of a table of scores; top3_accuracy from five classes on.

    average_precision, balanced_accuracy and f1: the mean over the classes that the rows are of ("macro").
    """
    pair = scores["target"], scores["predicted"]
    p, labels = scores[probabilities.columns(spec)], range(len(spec.classes))
    present = np.unique(scores["target"])
    of_each = scores["target"].to_numpy()[:, None] == present
    values = {
        "accuracy": measures.accuracy_score(*pair),
        "average_precision": measures.average_precision_score(of_each, p.to_numpy()[:, present]),
        "balanced_accuracy": measures.recall_score(*pair, labels=present, average="macro"),
        "expected_calibration_error": calibration_error(scores["correct"], p.max(axis=1)),
        "f1": measures.f1_score(*pair, labels=present, average="macro", zero_division=0),
        "log_loss": measures.log_loss(scores["target"], p, labels=labels),
    }
    if len(spec.classes) > 4:
        values["top3_accuracy"] = measures.top_k_accuracy_score(scores["target"], p, k=3, labels=labels)
    return values


def calibration_error(correct: pd.Series, confidence: pd.Series) -> float:
    """Expected calibration error, equation 3 of Guo et al. 2017, over BINS bins of equal width."""
    bins = np.ceil(confidence * BINS).astype(int)
    return float((correct - confidence).groupby(bins).sum().abs().sum() / len(confidence))


def statistics(spec: Spec) -> dict[str, Statistic]:
    """How each headline follows from the scores."""
    answered, scored = [("target", "predicted")] * len(spec.classes), _scored(spec)
    return {
        "accuracy": mean("correct"),
        "average_precision": _over_classes("average_precision", scored),
        "balanced_accuracy": _over_classes("recall", answered),
        "f1": _over_classes("f1", answered),
        "log_loss": mean("log_loss"),
    }


def _scored(spec: Spec) -> list[tuple[str, str]]:
    return [("target", column) for column in probabilities.columns(spec)]


def _over_classes(kind: Measure, columns: Sequence[tuple[str, str]]) -> Statistic:
    parts = enumerate(columns)
    return macro(Statistic(kind=kind, columns=pair, positive=number) for number, pair in parts)


def figures(scores: pd.DataFrame, spec: Spec, predictions: Predictions) -> dict[str, Figure]:
    """confusion_matrix, classes (precision, recall and F1 of each) and calibration."""
    confidence = scores[probabilities.columns(spec)].max(axis=1)
    return {
        "calibration": plots.calibration(scores["correct"].to_numpy(), confidence.to_numpy(), "correct"),
        "classes": _classes(scores, spec),
        "confusion_matrix": probabilities.confusion_matrix(scores, spec),
    }


def _classes(scores: pd.DataFrame, spec: Spec) -> Figure:
    *values, rows = measures.precision_recall_fscore_support(
        scores["target"], scores["predicted"], labels=range(len(spec.classes)), zero_division=0
    )
    shares = np.array(values).T
    figure = plots.page("per class", 5, 1.4 + 0.3 * len(spec.classes))
    names = [f"{name} ({count})" for name, count in zip(spec.classes, rows, strict=True)]
    axes = figure.subplots()
    plots.heat(axes, 1 - shares, np.char.mod("%.3f", shares), names, ("precision", "recall", "F1"))
    axes.set(ylabel="true class (test rows)", xlabel="shade: how far from 1")
    axes.xaxis.tick_top()
    return figure
