"""Evaluation of the probabilities of several labels, each of which may or may not apply."""

import textwrap

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from sklearn import metrics as measures

from evermodel.core.data import Array, Predictions, Spec, Split
from evermodel.core.errors import EvermodelError
from evermodel.evaluation import figures as plots
from evermodel.evaluation.predictions import check
from evermodel.evaluation.probabilities import SMALLEST
from evermodel.evaluation.statistics import Statistic, macro, mean

HEADLINES: dict[str, str] = {
    "average_precision": "higher",
    "f1": "higher",
    "hamming_loss": "lower",
    "log_loss": "lower",
}
COUNTED: tuple[str, ...] = ("f1",)  # of answers that are right or wrong, unevenly weighed
OF_EACH = ("precision", "recall", "f1", "average_precision")
LETTERS = 22  # of the labels of one row, in a figure


def score(test: Split, prediction: Array, spec: Spec) -> pd.DataFrame:
    """One row per example: of each label target_<label> and predicted_<label> (0 or 1) and p_<label>;
    hamming_loss, the share of labels that are wrong; and log_loss, the mean of the labels' (nats).

    test.y: (n, k) 0 or 1; prediction: (n, k) probabilities. Raises EvermodelError if it is of another shape,
    not finite, or no probability, or if a target is neither 0 nor 1.
    """
    check(prediction, test.y.shape, "a probability of each label; end the model in a sigmoid", (0, 1))
    truth, p = np.asarray(test.y), prediction.astype(float)
    if odd := int((~np.isin(truth, (0, 1))).any(axis=1).sum()):
        raise EvermodelError(
            f"was to be evaluated on {odd} test rows with a label that is neither 0 nor 1: correct them at "
            f"the source of data/{spec.dataset}/params.yaml, or choose the task multiregression"
        )
    applies, predicted, likely = truth == 1, p > 0.5, p.clip(SMALLEST, 1 - SMALLEST)
    values = {"target": applies.astype(np.int64), "predicted": predicted.astype(np.int64), "p": p}
    columns = {name: pd.DataFrame(each, columns=_columns(name, spec)) for name, each in values.items()}
    return pd.concat([*columns.values()], axis=1).assign(
        hamming_loss=(applies != predicted).mean(axis=1),
        log_loss=-np.log(np.where(applies, likely, 1 - likely)).mean(axis=1),
    )


def metrics(scores: pd.DataFrame, spec: Spec) -> dict[str, float]:
    """All metrics of a table of scores; OF_EACH, then <metric>_<label> of each label that some row has.

    average_precision and f1 are the means of these ("macro"); micro_f1 counts all answers together, and
    exact_match the rows of which every label is right.
    """
    truth, predicted = (scores[_columns(name, spec)].to_numpy() for name in ("target", "predicted"))
    of_each = _of_each(scores, spec)
    return {
        **{name: of_each[name].mean() for name in ("average_precision", "f1")},
        "exact_match": measures.accuracy_score(truth, predicted),
        "hamming_loss": measures.hamming_loss(truth, predicted),
        "log_loss": scores["log_loss"].mean(),
        "micro_f1": measures.f1_score(truth, predicted, average="micro", zero_division=0),
        **{f"{name}_{label}": value for name in OF_EACH for label, value in of_each[name].items()},
    }


def statistics(spec: Spec) -> dict[str, Statistic]:
    """How each headline follows from the scores."""
    answered = zip(_columns("target", spec), _columns("predicted", spec), strict=True)
    scored = zip(_columns("target", spec), _columns("p", spec), strict=True)
    return {
        "average_precision": macro(Statistic(kind="average_precision", columns=pair) for pair in scored),
        "f1": macro(Statistic(kind="f1", columns=pair) for pair in answered),
        "hamming_loss": mean("hamming_loss"),
        "log_loss": mean("log_loss"),
    }


def worst(scores: pd.DataFrame, spec: Spec, count: int) -> pd.DataFrame:
    """The examples with the largest loss, largest first, as a reader wants them; the index is the row."""
    rows = scores.nlargest(count, "log_loss")
    told = {
        word: [_listed(row, spec) for row in rows[_columns(name, spec)].to_numpy()]
        for word, name in {"true": "target", "predicted": "predicted"}.items()
    }
    return pd.DataFrame(told | {"log loss": rows["log_loss"]}, index=rows.index)


def figures(scores: pd.DataFrame, spec: Spec, predictions: Predictions) -> dict[str, Figure]:
    """calibration (of all labels together) and labels (precision, recall, F1 and average precision)."""
    truth, p = (scores[_columns(name, spec)].to_numpy().ravel() for name in ("target", "p"))
    return {"calibration": plots.calibration(truth, p, "true"), "labels": _labels(scores, spec)}


def _columns(name: str, spec: Spec) -> list[str]:
    return [f"{name}_{label}" for label in spec.targets]


def _of_each(scores: pd.DataFrame, spec: Spec) -> pd.DataFrame:
    """OF_EACH and the number of rows, of each label that some row has."""
    told = {}
    for label in spec.targets:
        truth, predicted, p = (scores[f"{name}_{label}"] for name in ("target", "predicted", "p"))
        if truth.any():
            told[label] = {
                "precision": measures.precision_score(truth, predicted, zero_division=0),
                "recall": measures.recall_score(truth, predicted),
                "f1": measures.f1_score(truth, predicted),
                "average_precision": measures.average_precision_score(truth, p),
                "rows": int(truth.sum()),
            }
    return pd.DataFrame.from_dict(told, orient="index", columns=[*OF_EACH, "rows"])


def _labels(scores: pd.DataFrame, spec: Spec) -> Figure:
    of_each = _of_each(scores, spec)
    shares = of_each[list(OF_EACH)].to_numpy(float)
    figure = plots.page("per label", 6, 1.9 + 0.3 * len(of_each))
    axes = figure.subplots()
    names = [f"{label} ({count})" for label, count in of_each["rows"].items()]
    columns = ("precision", "recall", "F1", "average\nprecision")
    plots.heat(axes, 1 - shares, np.char.mod("%.3f", shares), names, columns)
    axes.set(ylabel="label (test rows)", xlabel="shade: how far from 1")
    axes.xaxis.tick_top()
    return figure


def _listed(applies: Array, spec: Spec) -> str:
    names = [label for label, one in zip(spec.targets, applies, strict=True) if one]
    return textwrap.shorten(", ".join(names), LETTERS, placeholder=" …") or "none"
