"""Judging the probabilities of several classes, one of which is right."""

from typing import Literal

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from sklearn import metrics as measures

from evermodel import figures as pictures
from evermodel import intervals as bootstrap
from evermodel.data import Array, Spec
from evermodel.errors import EvermodelError

HEADLINES: dict[str, Literal["lower", "higher"]] = {"accuracy": "higher", "log_loss": "lower"}
MEANS = {"accuracy": "correct", "log_loss": "log_loss"}
# Keras predicts in float32: a finer floor would punish only those who predict in float64.
SMALLEST = float(np.finfo(np.float32).eps)
BINS = 15


def score(y: Array, prediction: Array, spec: Spec) -> pd.DataFrame:
    """One row per example: target and predicted class number, correct (0 or 1), probability and log_loss of
    the true class (nats), and p_<class> for every class.

    y: (n,) class numbers; prediction: (n, k) probabilities. Raises EvermodelError if it is of another
    shape, not finite, or no distribution.
    """
    target, p = np.asarray(y), _distribution(prediction, len(y), len(spec.classes))
    predicted, probability = p.argmax(axis=1), p[np.arange(len(p)), target]
    scores = {
        "target": target,
        "predicted": predicted,
        "correct": (predicted == target).astype(np.int64),
        "probability": probability,
        "log_loss": -np.log(probability),
    }
    return pd.DataFrame(scores | dict(zip(columns(spec), p.T, strict=True)))


def columns(spec: Spec) -> list[str]:
    """The names of the probabilities' columns, in the order of the classes."""
    return [f"p_{name}" for name in spec.classes]


def metrics(scores: pd.DataFrame, spec: Spec) -> dict[str, float]:
    """All metrics of a table of scores; top3_accuracy from five classes on."""
    pair, p, labels = (scores["target"], scores["predicted"]), scores[columns(spec)], range(len(spec.classes))
    values = {
        "accuracy": measures.accuracy_score(*pair),
        "balanced_accuracy": measures.balanced_accuracy_score(*pair),
        "expected_calibration_error": calibration_error(scores["correct"], p.max(axis=1)),
        "log_loss": measures.log_loss(scores["target"], p, labels=labels),
        "macro_f1": measures.f1_score(*pair, average="macro", zero_division=0),
    }
    if len(spec.classes) > 4:
        values["top3_accuracy"] = measures.top_k_accuracy_score(scores["target"], p, k=3, labels=labels)
    return {name: float(value) for name, value in values.items()}


def calibration_error(correct: pd.Series, confidence: pd.Series) -> float:
    """Expected calibration error, equation 3 of Guo et al. 2017, over BINS bins of equal width."""
    bins = np.ceil(confidence * BINS).astype(int)
    return float((correct - confidence).groupby(bins).sum().abs().sum() / len(confidence))


def intervals(scores: pd.DataFrame, spec: Spec, seed: int) -> dict[str, bootstrap.Interval]:
    """The 95 % interval of each headline that is a mean over examples."""
    return {name: bootstrap.mean(scores[column].to_numpy(), seed) for name, column in MEANS.items()}


def worst(scores: pd.DataFrame, spec: Spec, count: int) -> pd.DataFrame:
    """The examples with the largest loss, largest first, as a reader wants them; the index is the row."""
    rows, names = scores.nlargest(count, "log_loss"), np.array(spec.classes)
    named = {
        "true": names[rows["target"]],
        "predicted": names[rows["predicted"]],
        "log loss": rows["log_loss"],
    }
    return pd.DataFrame(named, index=rows.index)


def figures(scores: pd.DataFrame, spec: Spec) -> dict[str, Figure]:
    """confusion_matrix, classes (precision, recall and F1 of each) and calibration."""
    confidence = scores[columns(spec)].max(axis=1)
    return {
        "calibration": pictures.calibration(scores["correct"].to_numpy(), confidence.to_numpy(), "correct"),
        "classes": _classes(scores, spec),
        "confusion_matrix": confusion_matrix(scores, spec),
    }


def confusion_matrix(scores: pd.DataFrame, spec: Spec) -> Figure:
    """Which class was taken for which."""
    labels = range(len(spec.classes))
    counts = measures.confusion_matrix(scores["target"], scores["predicted"], labels=labels)
    return pictures.confusion(counts, spec.classes)


def _classes(scores: pd.DataFrame, spec: Spec) -> Figure:
    *values, rows = measures.precision_recall_fscore_support(
        scores["target"], scores["predicted"], labels=range(len(spec.classes)), zero_division=0
    )
    shares = np.array(values).T
    figure = pictures.page("per class", 5, 1.4 + 0.3 * len(spec.classes))
    names = [f"{name} ({count})" for name, count in zip(spec.classes, rows, strict=True)]
    axes = figure.subplots()
    pictures.heat(axes, 1 - shares, np.char.mod("%.3f", shares), names, ("precision", "recall", "F1"))
    axes.set(ylabel="true class (test rows)", xlabel="shade: how far from 1")
    axes.xaxis.tick_top()
    return figure


def _distribution(prediction: Array, rows: int, classes: int) -> Array:
    """The prediction as probabilities (rows, classes), none smaller than SMALLEST."""
    if prediction.shape != (rows, classes):
        raise EvermodelError(
            f"predicted an array of shape {prediction.shape}, but {rows} test rows of {classes} classes need "
            f"({rows}, {classes}); give the model one output for each class"
        )
    p = prediction.astype(float)
    if broken := int((~np.isfinite(p)).any(axis=1).sum()):
        raise EvermodelError(
            f"predicted no finite number for {broken} of {rows} test rows; the training has diverged: lower "
            "train.learning_rate and train again"
        )
    if (p < 0).any() or (np.abs(p.sum(axis=1) - 1) > 0.01).any():
        raise EvermodelError(
            "predicted rows that are not probabilities, which are positive and sum to 1; end the model in a "
            "softmax (a sigmoid for the task binary)"
        )
    p = np.maximum(p / p.sum(axis=1, keepdims=True), SMALLEST)
    return np.asarray(p / p.sum(axis=1, keepdims=True))
