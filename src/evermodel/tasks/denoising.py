"""Judging how well noise was taken out of pictures."""

from typing import Literal

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from skimage.util import random_noise

from evermodel.core.data import Answers, Array, Spec
from evermodel.judging import restorations

HEADLINES: dict[str, Literal["lower", "higher"]] = {"mse": "lower", "psnr": "higher", "ssim": "higher"}
NOISE = 0.1  # standard deviation, of the range of the pixels

score = restorations.score
statistics = restorations.statistics
worst = restorations.worst


def inputs(x: Array, seed: int) -> Array:
    """What model and baseline are given of the clean test rows: Gaussian noise of sd NOISE, clipped.

    x: (n, height, width, channels) uint8, and so is the answer; the same seed gives the same noise.
    """
    rng = np.random.default_rng(seed)
    noisy = (random_noise(picture, "gaussian", rng=rng, var=NOISE**2) for picture in x)
    return np.stack([restorations.eight_bit(picture) for picture in noisy])


def metrics(scores: pd.DataFrame, spec: Spec) -> dict[str, float]:
    """The means of mse, psnr and ssim, against the clean pictures."""
    return restorations.means(scores)


def figures(scores: pd.DataFrame, spec: Spec, answers: Answers) -> dict[str, Figure]:
    """pictures (noisy, baseline, ours and clean, side by side) and errors, those of the noise included."""
    clean, noisy = answers.test.x, answers.inputs
    columns = {"noisy": noisy, "baseline": answers.baseline, "ours": answers.model, "clean": clean}
    values = {
        "ours": scores["mse"].to_numpy(),
        "baseline": restorations.squared_errors(clean, answers.baseline),
        "noisy": restorations.squared_errors(clean, noisy / np.float32(255)),
    }
    return {"errors": restorations.errors(values), "pictures": restorations.rows(scores, columns)}
