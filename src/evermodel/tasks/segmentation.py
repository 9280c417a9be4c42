"""Evaluation of masks: which pixels of an image belong to what is looked for, or which to which class."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from skimage.color import label2rgb
from skimage.util import img_as_ubyte
from sklearn import metrics as measures

from evermodel.core.data import Array, Predictions, Spec, Split
from evermodel.evaluation import figures as plots
from evermodel.evaluation import pixel_classes
from evermodel.evaluation.predictions import check
from evermodel.evaluation.probabilities import SMALLEST
from evermodel.evaluation.statistics import Statistic, mean

HEADLINES: dict[str, str] = {"dice": "higher", "iou": "higher"}
THRESHOLD = 0.5
COUNTS = ["true_negative", "false_positive", "false_negative", "true_positive"]
# What a pixel can be, by its number in an overlay; 0 is background on which both agree.
COLOURS = {"found": plots.MODEL, "missed": "#f0e442", "wrongly marked": plots.OTHER}


def score(test: Split, prediction: Array, spec: Spec) -> pd.DataFrame:
    """One row per example: dice, iou and pixel_accuracy of the mask above THRESHOLD, log_loss (nats, mean
    over pixels), and the pixels of each kind. Where truth and prediction are both empty, dice and iou are 1.

    test.y: (n, height, width, 1) uint8, 0 or 255; prediction: the same shape, probabilities. Raises
    EvermodelError if it is of another shape, not finite, or outside of 0 to 1. Dice 1945; Jaccard 1912.
    Of more than two classes as pixel_classes.score tells.
    """
    if spec.classes:
        return pixel_classes.score(test, prediction, spec)
    ends = "the probability of each pixel; end the model in one channel and a sigmoid"
    check(prediction, test.y.shape, ends, (0, 1))
    truth, p = test.y.reshape(len(test), -1) > 0, prediction.reshape(len(test), -1)
    cells = measures.multilabel_confusion_matrix(truth, p > THRESHOLD, samplewise=True).reshape(-1, 4)
    loss = [_log_loss(*pair) for pair in zip(truth, p, strict=True)]
    agreement = pd.DataFrame([_agreement(counts) for counts in cells])
    return agreement.assign(log_loss=loss, **dict(zip(COUNTS, cells.T, strict=True)))


def metrics(scores: pd.DataFrame, spec: Spec) -> dict[str, float]:
    """Means over images; pooled_dice and pooled_iou are those of all test pixels as one image.

    Of more than two classes as pixel_classes.metrics tells.
    """
    if spec.classes:
        return pixel_classes.metrics(scores, spec)
    means = scores[["dice", "iou", "log_loss", "pixel_accuracy"]].mean()
    pooled = _agreement(scores[COUNTS].sum().to_numpy())
    return {**means, **{f"pooled_{name}": pooled[name] for name in ("dice", "iou")}}


def statistics(spec: Spec) -> dict[str, Statistic]:
    """How each headline follows from the scores."""
    return {name: mean(name) for name in HEADLINES}


def worst(scores: pd.DataFrame, spec: Spec, count: int) -> pd.DataFrame:
    """The examples with the smallest dice, smallest first, as a reader wants them; the index is the row."""
    named = {"dice": "dice", "false_negative": "pixels missed", "false_positive": "pixels too many"}
    if spec.classes:
        named = {"dice": "dice", "pixel_accuracy": "share of pixels right"}
    return scores.nsmallest(count, "dice")[list(named)].rename(columns=named)


def figures(scores: pd.DataFrame, spec: Spec, predictions: Predictions) -> dict[str, Figure]:
    """overlays (image, truth and ours, with its errors coloured) and dice, ours and the baseline's.

    Of more than two classes overlays show those, and classes what each is worth.
    """
    baseline = score(predictions.test, predictions.baseline, spec)
    values = {"ours": scores["dice"].to_numpy(), "baseline": baseline["dice"].to_numpy()}
    return {
        "dice": plots.histograms("dice", values, "dice of an image", "share of test rows"),
        "overlays": _overlays(scores, spec, predictions),
        **({"classes": pixel_classes.figure(scores, spec)} if spec.classes else {}),
    }


def _log_loss(truth: Array, p: Array) -> float:
    bounded = p.astype(float).clip(SMALLEST, 1 - SMALLEST)
    return float(measures.log_loss(truth, bounded, labels=(False, True)))


def _agreement(counts: Array) -> dict[str, float]:
    """dice, iou and pixel_accuracy of pixels that were counted in the order of COUNTS."""
    truth, marked = [0, 0, 1, 1], [0, 1, 0, 1]
    return {
        "dice": measures.f1_score(truth, marked, sample_weight=counts, zero_division=1.0),
        "iou": measures.jaccard_score(truth, marked, sample_weight=counts, zero_division=1.0),
        "pixel_accuracy": measures.accuracy_score(truth, marked, sample_weight=counts),
    }


def _overlays(scores: pd.DataFrame, spec: Spec, predictions: Predictions) -> Figure:
    """The best, the median and the worst image, and what its colours mean."""
    of_classes = dict(zip(spec.classes[1:], pixel_classes.palette(len(spec.classes))[1:], strict=True))
    colours, row = (of_classes, _row_of_classes) if spec.classes else (COLOURS, _row)
    picked, test = plots.spread(-scores["dice"].to_numpy(), 3), predictions.test
    shown = [
        [np.asarray(image), *(_overlay(image, kinds, list(colours.values())) for kinds in row(truth, p))]
        for image, truth, p in ((test.x[one], test.y[one], predictions.model[one]) for one in picked)
    ]
    captions = [f"dice {dice:.3f}" for dice in scores["dice"].iloc[picked]]
    figure = plots.gallery("best, median and worst", shown, ["image", "truth", "ours"], captions)
    patches = [Patch(color=colour, label=name) for name, colour in colours.items()]
    figure.legend(handles=patches, loc="outside lower right", ncols=min(4, len(patches)), fontsize="small")
    return figure


def _row(truth: Array, p: Array) -> list[Array]:
    """What the pixels of truth and ours are by COLOURS: masks and probabilities (height, width, 1)."""
    true, marked = truth[..., 0] > 0, p[..., 0] > THRESHOLD
    return [true.astype(int), np.select([true & marked, true, marked], [1, 2, 3])]


def _row_of_classes(truth: Array, p: Array) -> list[Array]:
    """The classes of the pixels of truth (height, width, 1) and ours (height, width, k)."""
    return [truth[..., 0].astype(int), p.argmax(axis=-1)]


def _overlay(image: Array, kinds: Array, colours: Sequence[Any]) -> Array:
    """The image in gray under the colours of the pixels' kinds (height, width), from 1 on."""
    here = [to_rgb(colour) for kind, colour in enumerate(colours, start=1) if (kinds == kind).any()]
    rgb = np.broadcast_to(image, (*kinds.shape, 3))
    return np.asarray(img_as_ubyte(label2rgb(kinds, rgb, here or None, alpha=0.6, bg_label=0)))
