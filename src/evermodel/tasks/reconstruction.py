"""Evaluation of an image that was squeezed through few numbers and drawn again."""

from typing import Literal

import pandas as pd
from matplotlib.figure import Figure

from evermodel.core.data import Predictions, Spec
from evermodel.evaluation import reconstruction

HEADLINES: dict[str, Literal["lower", "higher"]] = {"mse": "lower", "psnr": "higher", "ssim": "higher"}

score = reconstruction.score
statistics = reconstruction.statistics
worst = reconstruction.worst


def metrics(scores: pd.DataFrame, spec: Spec) -> dict[str, float]:
    """The means of mse, psnr and ssim."""
    return reconstruction.means(scores)


def figures(scores: pd.DataFrame, spec: Spec, predictions: Predictions) -> dict[str, Figure]:
    """images (input, baseline and ours, side by side) and errors."""
    columns = {"input": predictions.test.x, "baseline": predictions.baseline, "ours": predictions.model}
    baseline = reconstruction.squared_errors(predictions.test.x, predictions.baseline)
    return {
        "errors": reconstruction.errors({"ours": scores["mse"].to_numpy(), "baseline": baseline}),
        "images": reconstruction.rows(scores, columns),
    }
