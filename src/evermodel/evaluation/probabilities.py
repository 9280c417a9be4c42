"""Scores of predicted class probabilities, for every kind of task that predicts them."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from sklearn import metrics as measures

from evermodel.core.data import Array, Spec, Split
from evermodel.core.errors import EvermodelError
from evermodel.evaluation import figures, predictions

# Keras predicts in float32: a finer floor would punish only those who predict in float64.
SMALLEST = float(np.finfo(np.float32).eps)


def score(test: Split, prediction: Array, spec: Spec) -> pd.DataFrame:
    """One row per example: target and predicted class number, correct (0 or 1), probability and log_loss of
    the true class (nats), and p_<class> for every class.

    test.y: (n,) class numbers; prediction: (n, k) probabilities. Raises EvermodelError if it is of another
    shape, not finite, or no distribution.
    """
    target, p = np.asarray(test.y), _distribution(prediction, len(test), len(spec.classes))
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


def worst(scores: pd.DataFrame, spec: Spec, count: int) -> pd.DataFrame:
    """The examples with the largest loss, largest first, as a reader wants them; the index is the row."""
    rows, names = scores.nlargest(count, "log_loss"), np.array(spec.classes)
    named = {
        "true": names[rows["target"]],
        "predicted": names[rows["predicted"]],
        "log loss": rows["log_loss"],
    }
    return pd.DataFrame(named, index=rows.index)


def confusion_matrix(scores: pd.DataFrame, spec: Spec) -> Figure:
    """Which class was taken for which."""
    labels = range(len(spec.classes))
    counts = measures.confusion_matrix(scores["target"], scores["predicted"], labels=labels)
    return figures.confusion(counts, spec.classes)


def _distribution(prediction: Array, rows: int, classes: int) -> Array:
    """The prediction as probabilities (rows, classes), none smaller than SMALLEST."""
    predictions.check(prediction, (rows, classes), f"give the model one output for each of {classes} classes")
    p = prediction.astype(float)
    if (p < 0).any() or (np.abs(p.sum(axis=1) - 1) > 0.01).any():
        raise EvermodelError(
            "predicted rows that are not probabilities, which are positive and sum to 1; end the model in a "
            "softmax (a sigmoid for the task binary)"
        )
    p = np.maximum(p / p.sum(axis=1, keepdims=True), SMALLEST)
    return np.asarray(p / p.sum(axis=1, keepdims=True))
