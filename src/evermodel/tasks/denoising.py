"""Evaluation of how well noise was taken out of images."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from skimage.util import random_noise

from evermodel.core.data import Array, Predictions, Spec
from evermodel.evaluation import reconstruction

HEADLINES: dict[str, str] = {"mse": "lower", "psnr": "higher", "ssim": "higher"}
NOISE = 0.1  # standard deviation, of the range of the pixels

score = reconstruction.score
metrics = reconstruction.metrics
statistics = reconstruction.statistics
worst = reconstruction.worst


def inputs(x: Array, seed: int) -> Array:
    """What model and baseline are given of the clean test rows: Gaussian noise of sd NOISE, clipped.

    x: (n, height, width, channels) uint8, and so is what comes back; the same seed gives the same noise.
    """
    rng = np.random.default_rng(seed)
    noisy = (random_noise(image, "gaussian", rng=rng, var=NOISE**2) for image in x)
    return np.stack([reconstruction.eight_bit(image) for image in noisy])


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
