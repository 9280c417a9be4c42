"""Evaluation of how well noise was taken out of images."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from evermodel import noise
from evermodel.core.data import Predictions, Spec
from evermodel.evaluation import reconstruction

HEADLINES: dict[str, str] = {"mse": "lower", "psnr": "higher", "ssim": "higher"}

score = reconstruction.score
metrics = reconstruction.metrics
statistics = reconstruction.statistics
worst = reconstruction.worst
inputs = noise.noisy


def figures(scores: pd.DataFrame, spec: Spec, predictions: Predictions) -> dict[str, Figure]:
    """images (noisy, baseline, ours and clean, side by side) and errors, those of the noise included."""
    clean, noisy = predictions.test.x, predictions.inputs
    columns = {"noisy": noisy, "baseline": predictions.baseline, "ours": predictions.model, "clean": clean}
    values = {
        "ours": scores["mse"].to_numpy(),
        "baseline": reconstruction.squared_errors(clean, predictions.baseline),
        "noisy": reconstruction.squared_errors(clean, noisy / np.float32(255)),
    }
    return {"errors": reconstruction.errors(values), "images": reconstruction.rows(scores, columns)}
