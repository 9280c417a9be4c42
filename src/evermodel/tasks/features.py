"""Evaluation of a classifier that also draws its features on a plane."""

import pandas as pd
from matplotlib.figure import Figure

from evermodel.core.data import Array, Predictions, Spec, Split
from evermodel.evaluation import classification, probabilities
from evermodel.evaluation import figures as plots
from evermodel.evaluation.predictions import check

HEADLINES: dict[str, str] = {
    "accuracy": "higher",
    "average_precision": "higher",
    "balanced_accuracy": "higher",
    "f1": "higher",
    "log_loss": "lower",
}
ACROSS: tuple[str, ...] = ("average_precision",)  # compares rows of several targets
COUNTED: tuple[str, ...] = ("balanced_accuracy", "f1")  # of answers that are right or wrong, unevenly weighed

metrics = classification.metrics
statistics = classification.statistics
worst = probabilities.worst


def score(test: Split, prediction: Array, spec: Spec) -> pd.DataFrame:
    """One row per example: the columns of probabilities.score, then map_x and map_y where there is a map.

    prediction: (n, k + 2), probabilities of the k classes and the two coordinates of the map; or (n, k), as
    a baseline gives, which draws none. Raises EvermodelError as probabilities.score does.
    """
    classes = len(spec.classes)
    if prediction.shape[1:] != (classes + 2,):
        return probabilities.score(test, prediction, spec)
    scores = probabilities.score(test, prediction[:, :classes], spec)
    places = prediction[:, classes:].astype(float)
    check(places, (len(test), 2), "two coordinates of a map")
    return scores.assign(map_x=places[:, 0], map_y=places[:, 1])


def figures(scores: pd.DataFrame, spec: Spec, predictions: Predictions) -> dict[str, Figure]:
    """Those of a classification, and map: where each test row lies by its features."""
    return classification.figures(scores, spec, predictions) | {
        "map": plots.plane(
            "features on a plane (their two main directions)",
            scores[["map_x", "map_y"]].to_numpy(),
            scores["target"].to_numpy(),
            spec.classes,
        )
    }
