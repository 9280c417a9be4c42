"""Evaluation of how well noise was taken out of images."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from skimage.util import random_noise

from evermodel.core.data import Array, Predictions, Spec
from evermodel.core.errors import EvermodelError
from evermodel.evaluation import reconstruction

HEADLINES: dict[str, str] = {"mse": "lower", "psnr": "higher", "ssim": "higher"}

score = reconstruction.score
metrics = reconstruction.metrics
statistics = reconstruction.statistics
worst = reconstruction.worst


def inputs(x: Array, options: Mapping[str, Any], seed: int) -> Array:
    """What model and baseline are given of the clean test rows: them with Gaussian noise, clipped.

    x: (n, height, width, channels) uint8, and so is what comes back; the same seed gives the same noise.
    options: of the experiment, where `noise` is the standard deviation on the scale 0 to 1. Raises
    EvermodelError unless that is above 0 and at most 1.
    """
    noise = options.get("noise")
    if not isinstance(noise, int | float) or not 0 < noise <= 1:
        raise EvermodelError(
            f"options.noise is {'missing' if noise is None else noise}, but the task denoising is judged on "
            "just that: set it in the experiment's params.yaml to a standard deviation above 0 and at most 1 "
            "(black is 0, white is 1), and take a model that has the option"
        )
    rng = np.random.default_rng(seed)
    noisy = (random_noise(image, "gaussian", rng=rng, var=noise**2) for image in x)
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
