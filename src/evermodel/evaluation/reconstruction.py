"""Scores of restored images, for every kind of task that predicts images."""

import math
from collections.abc import Iterator, Mapping

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from skimage import metrics as measures
from skimage.util import img_as_ubyte

from evermodel.core.data import Array, Spec, Split
from evermodel.evaluation import figures, predictions
from evermodel.evaluation.statistics import Statistic, mean

# dB. The mean squared error of rounding to 8 bits is 1/12 of a squared step (Bennett 1948): what is nearer
# to a truth of 8 bits can't be told from it, and a perfect prediction would be infinitely good.
MOST_PSNR = 10 * math.log10(12 * 255**2)
# The weights of a window of 11 x 11 pixels in Wang et al. 2004. Images that are smaller are mirrored at their
# edges for it, and judged where the largest odd window that they hold would lie.
WINDOW, SIGMA = 11, 1.5
SHOWN = 6


def score(test: Split, prediction: Array, spec: Spec) -> pd.DataFrame:
    """One row per example: mse (of pixels on the scale 0 to 1), psnr (dB, at most MOST_PSNR), and ssim, the
    structural similarity of Wang et al. 2004, averaged over channels.

    test.x: (n, height, width, channels) uint8, which is the truth; prediction: the same shape, 0 to 1.
    Raises EvermodelError if it is of another shape, not finite, or outside of 0 to 1.
    """
    rows = [
        {"mse": measures.mean_squared_error(*pair), "psnr": psnr(*pair), "ssim": ssim(*pair)}
        for pair in pairs(test.x, prediction)
    ]
    return pd.DataFrame(rows)


def pairs(x: Array, prediction: Array) -> Iterator[tuple[Array, Array]]:
    """Truth and prediction of each example, float64 on the scale 0 to 1; raises as `score` does."""
    ends = "the whole image on the scale 0 to 1; end the model in its channels and a sigmoid"
    predictions.check(prediction, x.shape, ends, (0, 1))
    return ((truth / 255, ours.astype(float)) for truth, ours in zip(x, prediction, strict=True))


def squared_errors(x: Array, prediction: Array) -> Array:
    """The mean squared error of each example, (n,); takes and raises what `score` does."""
    return np.array([measures.mean_squared_error(*pair) for pair in pairs(x, prediction)])


def psnr(truth: Array, ours: Array) -> float:
    """The peak signal-to-noise ratio in dB of an image on the scale 0 to 1, at most MOST_PSNR."""
    with np.errstate(divide="ignore"):
        return min(float(measures.peak_signal_noise_ratio(truth, ours, data_range=1)), MOST_PSNR)


def ssim(truth: Array, ours: Array) -> float:
    """The structural similarity of two images (height, width, channels) on the scale 0 to 1.

    As Wang, Bovik, Sheikh & Simoncelli 2004 define it: Gaussian weights, moments of the window's own pixels
    (not estimates of a sample's), K1 = 0.01, K2 = 0.03; the mean over windows that lie inside.
    """
    side = min(truth.shape[:2])
    window = min(WINDOW, side - 1 + side % 2)
    similarity = measures.structural_similarity(
        truth,
        ours,
        win_size=window,
        gaussian_weights=True,
        sigma=SIGMA,
        use_sample_covariance=False,
        data_range=1,
        channel_axis=-1,
    )
    return float(similarity)


def metrics(scores: pd.DataFrame, spec: Spec) -> dict[str, float]:
    """The mean of every column."""
    return dict(scores.mean())


def statistics(spec: Spec) -> dict[str, Statistic]:
    """How each headline follows from the scores."""
    return {name: mean(name) for name in ("mse", "psnr", "ssim")}


def worst(scores: pd.DataFrame, spec: Spec, count: int) -> pd.DataFrame:
    """The examples with the largest error, largest first; the index is the row."""
    return scores.nlargest(count, "mse")[["mse", "psnr", "ssim"]]


def rows(scores: pd.DataFrame, columns: Mapping[str, Array]) -> Figure:
    """Some test images from the best to the worst restored, a line each.

    columns: what is shown side by side, (n, height, width, channels) uint8 or 0 to 1, by name.
    """
    picked = figures.spread(scores["mse"].to_numpy(), SHOWN)
    shown = [[eight_bit(images[row]) for images in columns.values()] for row in picked]
    captions = [f"mse {error:.2g}" for error in scores["mse"].iloc[picked]]
    return figures.gallery("test images, best to worst", shown, list(columns), captions)


def errors(values: Mapping[str, Array]) -> Figure:
    """The mean squared errors (n,) of each who predicted."""
    return figures.histograms("errors", values, "mean squared error of an image", "share of test rows")


def eight_bit(image: Array) -> Array:
    """An image as uint8, which it is or whose scale is 0 to 1."""
    return np.asarray(img_as_ubyte(np.asarray(image)))
