"""Evaluation of a classifier that also draws its features on a plane."""

import pandas as pd
from matplotlib import colormaps
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
MARKERS = "os^D"

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
    return classification.figures(scores, spec, predictions) | {"map": _map(scores, spec)}


def _map(scores: pd.DataFrame, spec: Spec) -> Figure:
    """Ten colours times four markers tell forty classes apart; each row's true class is shown."""
    figure = plots.page("features on a plane (their two main directions)", 9, 6)
    axes = figure.subplots()
    colours = colormaps["tab10"].colors  # type: ignore[attr-defined]
    for label, name in enumerate(spec.classes):
        rows = scores[scores["target"] == label]
        axes.scatter(
            rows["map_x"],
            rows["map_y"],
            s=22,
            color=colours[label % len(colours)],
            marker=MARKERS[label // len(colours) % len(MARKERS)],
            linewidths=0,
            alpha=0.8,
            label=f"{name} ({len(rows)})",
        )
    axes.set(xlabel="first principal component", ylabel="second principal component")
    axes.legend(title="true class (test rows)", loc="upper left", bbox_to_anchor=(1.01, 1))
    return figure
