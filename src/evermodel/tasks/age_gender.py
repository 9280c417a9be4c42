"""Evaluation of two predictions about one face: its age in years, and the probability of gender 1."""

from collections.abc import Iterator

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from sklearn import metrics as measures

from evermodel.core.data import Array, Predictions, Spec, Split
from evermodel.core.errors import EvermodelError
from evermodel.evaluation import figures as plots
from evermodel.evaluation import probabilities, quantities
from evermodel.evaluation.predictions import check
from evermodel.evaluation.statistics import Statistic, mean

HEADLINES: dict[str, str] = {"gender_accuracy": "higher", "age_mae": "lower"}
COLUMNS = {"gender_accuracy": "correct", "age_mae": "absolute_error"}
TARGETS = ("age", "gender")
BANDS = {"0_12": 13, "13_25": 26, "26_45": 46, "46_65": 66, "66_plus": np.inf}  # years; each ends before
GENDERS = {"gender_0": 0, "gender_1": 1}


def score(test: Split, prediction: Array, spec: Spec) -> pd.DataFrame:
    """One row per example: target and prediction (years), absolute_error (years), gender (0 or 1),
    probability (of gender 1), correct (0 or 1) and log_loss of the true gender (nats).

    test.y and prediction: (n, 2), age and then gender. Raises EvermodelError if the data have other
    targets or a gender that is neither 0 nor 1, or if the prediction is of another shape, not finite, or no
    probability.
    """
    if spec.targets != TARGETS:
        raise EvermodelError(
            f"was to be evaluated on the targets {', '.join(spec.targets) or 'none'}, but the task "
            f"age_gender needs {' and '.join(TARGETS)}, in this order: set targets in "
            f"data/{spec.dataset}/params.yaml"
        )
    advice = "an age and the probability of gender 1; give the model these two heads"
    check(prediction, test.y.shape, advice)
    if odd := int((~np.isin(test.y[:, 1], list(GENDERS.values()))).sum()):
        raise EvermodelError(
            f"was to be evaluated on {odd} test rows whose gender is neither 0 nor 1: correct them at the "
            f"source of data/{spec.dataset}/params.yaml, or take a column that is"
        )
    years = quantities.score(Split(test.x, test.y[:, 0]), prediction[:, 0], spec)
    gender = probabilities.score(
        Split(test.x, test.y[:, 1].astype(int)),
        np.stack([1 - prediction[:, 1], prediction[:, 1]], axis=1),
        spec.model_copy(update={"classes": tuple(GENDERS)}),
    )
    named = {"target": "gender", "p_gender_1": "probability"}
    return years[["target", "prediction", "absolute_error"]].join(
        gender[["target", "p_gender_1", "correct", "log_loss"]].rename(columns=named)
    )


def metrics(scores: pd.DataFrame, spec: Spec) -> dict[str, float]:
    """All metrics of a table of scores; those of an age band or a gender only where it has rows."""
    values = {
        "age_rmse": measures.root_mean_squared_error(scores["target"], scores["prediction"]),
        "gender_log_loss": scores["log_loss"].mean(),
        "gender_roc_auc": measures.roc_auc_score(scores["gender"], scores["probability"]),
    }
    for metric, column in COLUMNS.items():
        values[metric] = scores[column].mean()
        values |= {f"{metric}_{group}": part[column].mean() for group, part in _groups(scores)}
    return values


def statistics(spec: Spec) -> dict[str, Statistic]:
    """How each headline follows from the scores."""
    return {name: mean(column) for name, column in COLUMNS.items()}


def worst(scores: pd.DataFrame, spec: Spec, count: int) -> pd.DataFrame:
    """The examples whose age is furthest off, as a reader wants them; the index is the row."""
    named = {"target": "age", "prediction": "predicted", "gender": "gender", "probability": "p(gender 1)"}
    return scores.nlargest(count, "absolute_error")[list(named)].rename(columns=named)


def figures(scores: pd.DataFrame, spec: Spec, predictions: Predictions) -> dict[str, Figure]:
    """predicted_true (age), groups (errors by age band and gender) and calibration (gender)."""
    gender, probability = scores["gender"].to_numpy(), scores["probability"].to_numpy()
    return {
        "calibration": plots.calibration(gender, probability, "gender 1"),
        "groups": _group_bars(scores),
        "predicted_true": quantities.predicted_true(scores, "age in years"),
    }


def _groups(scores: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
    """The rows of each age band and each gender that has any, by its name in a metric."""
    band = np.searchsorted(list(BANDS.values()), scores["target"], side="right")
    places = {name: band == place for place, name in enumerate(BANDS)}
    genders = {name: scores["gender"] == gender for name, gender in GENDERS.items()}
    return ((name, scores[rows]) for name, rows in (places | genders).items() if rows.any())


def _group_bars(scores: pd.DataFrame) -> Figure:
    figure = plots.page("errors by age and gender", 9, 4)
    years, shares = figure.subplots(1, 2, sharey=True)
    groups = dict(_groups(scores))
    _bars(years, {name: part["absolute_error"] for name, part in groups.items()}, "%.1f")
    _bars(shares, {name: 1 - part["correct"] for name, part in groups.items()}, "%.3f")
    years.set(xlabel="mean absolute error of the age in years", ylabel="true group (test rows)")
    years.invert_yaxis()
    shares.set(xlabel="share of wrong genders")
    return figure


def _bars(axes: Axes, groups: dict[str, pd.Series], digits: str) -> None:
    """The mean of each group as a bar, and a line at that of both genders together, which is everyone."""
    names = [f"{_words(name)} ({len(values)})" for name, values in groups.items()]
    bars = axes.barh(names, [values.mean() for values in groups.values()], color=plots.MODEL, height=0.6)
    paper = {"facecolor": "white", "edgecolor": "none", "pad": 1}  # over the line
    axes.bar_label(bars, fmt=digits, padding=4, fontsize="small", bbox=paper)
    everyone = pd.concat([values for name, values in groups.items() if name in GENDERS]).mean()
    axes.axvline(everyone, color=plots.QUIET, linestyle="--", linewidth=1, label="all test rows")
    axes.legend(loc="lower left", bbox_to_anchor=(0, 1))
    axes.margins(x=0.15)
    axes.grid(visible=False, axis="y")


def _words(group: str) -> str:
    if group in GENDERS:
        return group.replace("_", " ")
    return "66 and older" if group == "66_plus" else group.replace("_", "–")
