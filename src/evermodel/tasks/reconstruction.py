"""Evaluation of an image that was squeezed through few numbers and drawn again."""

import pandas as pd
from matplotlib.figure import Figure

from evermodel.core.data import Predictions, Spec
from evermodel.evaluation import reconstruction

HEADLINES: dict[str, str] = {"mse": "lower", "psnr": "higher", "ssim": "higher"}

score = reconstruction.score
metrics = reconstruction.metrics
statistics = reconstruction.statistics
worst = reconstruction.worst


def figures(scores: pd.DataFrame, spec: Spec, predictions: Predictions) -> dict[str, Figure]:
    """images (input, baseline and ours, side by side) and errors."""
    columns = {"input": predictions.test.x, "baseline": predictions.baseline, "ours": predictions.model}
    baseline = reconstruction.squared_errors(predictions.test.x, predictions.baseline)
    return {
        "errors": reconstruction.errors({"ours": scores["mse"].to_numpy(), "baseline": baseline}),
        "images": reconstruction.rows(scores, columns),
    }
