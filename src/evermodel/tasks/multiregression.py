"""Evaluation of several predicted numbers, each judged in its own unit and all together in deviations."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from sklearn import metrics as measures

from evermodel.core.data import Array, Predictions, Spec, Split
from evermodel.evaluation import figures as plots
from evermodel.evaluation import quantities
from evermodel.evaluation.predictions import check
from evermodel.evaluation.statistics import Statistic, mean

HEADLINES: dict[str, str] = {"scaled_mae": "lower", "scaled_rmse": "lower"}
PANELS = 3  # side by side


def score(test: Split, prediction: Array, spec: Spec) -> pd.DataFrame:
    """One row per example: target_<name> and prediction_<name> of each number, in its unit; and
    scaled_error and scaled_squared_error, the means over the numbers of their errors in standard deviations
    of the training rows.

    test.y, prediction: (n, k). Raises EvermodelError if it is of another shape or not finite.
    """
    names = ", ".join(spec.targets)
    check(prediction, test.y.shape, f"one number for each of {names}; give the model as many outputs")
    target, predicted = np.asarray(test.y, dtype=float), prediction.astype(float)
    scaled = (predicted - target) / spec.target_sd
    columns = {"target": target, "prediction": predicted}
    tables = [pd.DataFrame(values, columns=_columns(name, spec)) for name, values in columns.items()]
    return pd.concat(tables, axis=1).assign(
        scaled_error=np.abs(scaled).mean(axis=1), scaled_squared_error=(scaled**2).mean(axis=1)
    )


def metrics(scores: pd.DataFrame, spec: Spec) -> dict[str, float]:
    """scaled_mae and scaled_rmse, of all numbers in deviations; mae_, rmse_ and r2_<name> of each."""
    values = {
        "scaled_mae": scores["scaled_error"].mean(),
        "scaled_rmse": scores["scaled_squared_error"].mean() ** 0.5,
    }
    for name in spec.targets:
        pair = scores[f"target_{name}"], scores[f"prediction_{name}"]
        values[f"mae_{name}"] = measures.mean_absolute_error(*pair)
        values[f"r2_{name}"] = measures.r2_score(*pair)
        values[f"rmse_{name}"] = measures.root_mean_squared_error(*pair)
    return values


def statistics(spec: Spec) -> dict[str, Statistic]:
    """How each headline follows from the scores."""
    return {
        "scaled_mae": mean("scaled_error"),
        "scaled_rmse": Statistic(kind="root_mean", columns=("scaled_squared_error",)),
    }


def worst(scores: pd.DataFrame, spec: Spec, count: int) -> pd.DataFrame:
    """The examples that are furthest off, in deviations, as a reader wants them; the index is the row."""
    rows = scores.nlargest(count, "scaled_error")
    told = {
        f"{word}{name}": rows[f"{column}_{name}"]
        for name in spec.targets[:PANELS]
        for word, column in {"": "target", "predicted ": "prediction"}.items()
    }
    return pd.DataFrame(told | {"off by (sd)": rows["scaled_error"]})


def figures(scores: pd.DataFrame, spec: Spec, predictions: Predictions) -> dict[str, Figure]:
    """errors (of each number, in deviations) and predicted_true (a panel for each number)."""
    return {"errors": _errors(scores, spec), "predicted_true": _predicted_true(scores, spec)}


def _columns(name: str, spec: Spec) -> list[str]:
    return [f"{name}_{target}" for target in spec.targets]


def _errors(scores: pd.DataFrame, spec: Spec) -> Figure:
    target, predicted = (scores[_columns(name, spec)].to_numpy() for name in ("target", "prediction"))
    figure = plots.page("errors of each number", 7, 1.4 + 0.4 * len(spec.targets))
    axes = figure.subplots()
    scaled = (predicted - target) / spec.target_sd
    axes.boxplot(scaled, orientation="horizontal", tick_labels=list(spec.targets), whis=(5, 95))
    axes.axvline(0, color=plots.QUIET, linestyle="--", linewidth=1)
    axes.invert_yaxis()
    axes.set(xlabel="predicted − true, in standard deviations (whiskers: 5 and 95 % of the test rows)")
    return figure


def _predicted_true(scores: pd.DataFrame, spec: Spec) -> Figure:
    lines = -(-len(spec.targets) // PANELS)
    columns = min(PANELS, len(spec.targets))
    figure = plots.page("predicted and true values", 4 * columns, 0.6 + 3.8 * lines)
    panels = figure.subplots(lines, columns, squeeze=False).ravel()
    for axes in panels[len(spec.targets) :]:
        axes.set_axis_off()
    for axes, name in zip(panels, spec.targets, strict=False):
        quantities.draw_pairs(axes, scores[f"target_{name}"], scores[f"prediction_{name}"], name)
    return figure
