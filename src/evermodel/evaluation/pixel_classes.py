"""Evaluation of masks that say of each pixel which of more than two classes it belongs to."""

import re
from typing import Any

import numpy as np
import pandas as pd
from matplotlib import colormaps
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

from evermodel.core.data import Array, Spec, Split
from evermodel.evaluation import figures as plots
from evermodel.evaluation.predictions import check
from evermodel.evaluation.probabilities import SMALLEST

COUNTS = ("true_positive", "false_positive", "false_negative")  # columns, with the number of the class
COLOURS = ("#e69f00", "#56b4e9", "#009e73", "#f0e442", "#0072b2", "#d55e00", "#cc79a7")  # Okabe & Ito 2008
UNNAMED = re.compile(r"[^\w./: -]")  # what MLflow does not take in the name of a metric


def score(test: Split, prediction: Array, spec: Spec) -> pd.DataFrame:
    """One row per example: dice, iou, pixel_accuracy, log_loss (nats, mean over pixels) and COUNTS.

    test.y: (n, height, width, 1) uint8 class numbers; prediction: (n, height, width, k) probabilities, of
    which the largest counts. dice and iou are means over the classes that an example has or is said to have.
    Raises EvermodelError if the prediction is of another shape, not finite, or outside of 0 to 1.
    """
    count = len(spec.classes)
    ends = f"the probability of each of {count} classes at each pixel; end the model in so many channels"
    check(prediction, (*test.y.shape[:3], count), f"{ends} and a softmax", (0, 1))
    pairs = zip(test.y, prediction, strict=True)
    return pd.DataFrame([_row(truth.ravel(), p.reshape(-1, count)) for truth, p in pairs])


def metrics(scores: pd.DataFrame, spec: Spec) -> dict[str, float]:
    """Means over images; dice_… and iou_… of each class in all test pixels as one image, and their means."""
    means = scores[["dice", "iou", "log_loss", "pixel_accuracy"]].mean()
    pooled, labels = _pooled(scores, spec), [UNNAMED.sub("_", label) for label in spec.classes]
    each = {
        f"{name}_{label}": value
        for name in ("dice", "iou")
        for label, value in zip(labels, pooled[name], strict=True)
    }
    return {**means, **pooled[["dice", "iou"]].mean().add_prefix("pooled_"), **each}


def figure(scores: pd.DataFrame, spec: Spec) -> Figure:
    """Precision, recall, dice and iou of each class."""
    pooled = _pooled(scores, spec)
    shares = pooled.to_numpy()
    drawn = plots.page("per class", 6, 1.4 + 0.3 * len(pooled))
    axes = drawn.subplots()
    plots.heat(axes, 1 - shares, np.char.mod("%.3f", shares), spec.classes, [*map(str, pooled)])
    axes.set(ylabel="true class", xlabel="all test pixels; shade: how far from 1")
    axes.xaxis.tick_top()
    return drawn


def palette(count: int) -> list[tuple[float, float, float]]:
    """A colour for each of several classes, red, green and blue in 0 to 1; that of the first is black."""
    many = colormaps["turbo"](np.linspace(0, 1, max(1, count - 1)))
    colours: list[Any] = list(COLOURS if count <= len(COLOURS) + 1 else many)
    return [(0.0, 0.0, 0.0), *map(to_rgb, colours)][:count]


def coloured(answer: Array) -> Array:
    """The most probable class of each pixel (height, width, k) by its colour, (height, width, 3) uint8."""
    colours = np.array(palette(answer.shape[-1])) * 255
    return np.asarray(colours.round().astype(np.uint8)[answer.argmax(axis=-1)])


def _row(truth: Array, p: Array) -> dict[str, float]:
    """The scores of one example: truth (pixels,) class numbers, p (pixels, k)."""
    count = p.shape[1]
    cells = np.bincount(truth.astype(np.int64) * count + p.argmax(axis=1), minlength=count**2)
    cells = cells.reshape(count, count)
    right = np.diag(cells)
    counts = np.array([right, cells.sum(axis=0) - right, cells.sum(axis=1) - right])
    overlap = _overlap(*counts[:, counts.any(axis=0)]).mean()
    probable = p[np.arange(len(p)), truth].astype(float) / p.sum(axis=1, dtype=float).clip(SMALLEST)
    named = {
        f"{kind}_{n}": int(v) for kind, row in zip(COUNTS, counts, strict=True) for n, v in enumerate(row)
    }
    return {
        "dice": overlap["dice"],
        "iou": overlap["iou"],
        "pixel_accuracy": right.sum() / cells.sum(),
        "log_loss": -np.log(probable.clip(SMALLEST)).mean(),
        **named,
    }


def _pooled(scores: pd.DataFrame, spec: Spec) -> pd.DataFrame:
    """precision, recall, dice and iou of each class in all pixels."""
    counts = [scores[[f"{kind}_{n}" for n in range(len(spec.classes))]].sum().to_numpy() for kind in COUNTS]
    return _overlap(*counts).set_axis(list(spec.classes))


def _overlap(right: Array, wrong: Array, missed: Array) -> pd.DataFrame:
    """The measures of each class by its true positives, false positives and false negatives; 1 of nothing."""
    marked, there = right + wrong, right + missed
    with np.errstate(invalid="ignore"):
        measured = {
            "precision": right / marked,
            "recall": right / there,
            "dice": 2 * right / (marked + there),
            "iou": right / (marked + missed),
        }
    return pd.DataFrame(measured).fillna(1.0)
