"""Evaluation of the colours that were given to gray images."""

import warnings

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from skimage import color

from evermodel.core.data import Array, Predictions, Spec, Split
from evermodel.evaluation import figures as plots
from evermodel.evaluation import reconstruction
from evermodel.evaluation.predictions import check
from evermodel.evaluation.statistics import Statistic, mean

HEADLINES: dict[str, str] = {"psnr": "higher", "ssim": "higher", "ab_error": "lower"}
MOST = 128  # of CIE Lab's a and b, in their own units
SHOWN = 6

metrics = reconstruction.metrics


def score(test: Split, prediction: Array, spec: Spec) -> pd.DataFrame:
    """One row per example, of the true lightness in the predicted colours: psnr (dB) and ssim as in
    reconstruction.score, ab_error (mean Euclidean distance of a and b); gray_psnr, gray_ssim without colours.

    test.x: (n, height, width, 3) sRGB uint8; prediction: (n, height, width, 2), a and b of CIE Lab (D65)
    between -MOST and MOST. Raises EvermodelError if it is of another shape, not finite, or out of bounds.
    """
    ends = f"a and b of CIE Lab for each pixel; end the model in two channels of tanh times {MOST}"
    check(prediction, (*test.x.shape[:3], 2), ends, (-MOST, MOST))
    return pd.DataFrame([_compared(truth, ab) for truth, ab in zip(test.x, prediction, strict=True)])


def statistics(spec: Spec) -> dict[str, Statistic]:
    """How each headline follows from the scores."""
    return {name: mean(name) for name in HEADLINES}


def worst(scores: pd.DataFrame, spec: Spec, count: int) -> pd.DataFrame:
    """The examples whose colours are farthest off, farthest first; the index is the row."""
    named = {"ab_error": "ab error", "psnr": "psnr", "gray_psnr": "gray psnr"}
    return scores.nlargest(count, "ab_error")[list(named)].rename(columns=named)


def figures(scores: pd.DataFrame, spec: Spec, predictions: Predictions) -> dict[str, Figure]:
    """images (gray, ours and truth, side by side) and gains, in dB over the gray images."""
    gain = (scores["psnr"] - scores["gray_psnr"]).to_numpy()
    figure = plots.histograms("gains", {"ours": gain}, "dB of PSNR over gray", "share of test rows")
    figure.axes[0].axvline(0, color=plots.QUIET, linestyle="--", linewidth=1)
    picked = plots.spread(scores["ab_error"].to_numpy(), SHOWN)
    shown = [_row(predictions.test.x[row], predictions.model[row]) for row in picked]
    captions = [f"ab error {error:.3g}" for error in scores["ab_error"].iloc[picked]]
    names = ["gray", "ours", "truth"]
    return {"gains": figure, "images": plots.gallery("test images, best to worst", shown, names, captions)}


def reassembled(truth: Array, ab: Array) -> Array:
    """The image (height, width, 3), 0 to 1, of the lightness of the truth (sRGB) and these a and b."""
    return _coloured(color.rgb2lab(truth), ab)


def _coloured(lab: Array, ab: Array) -> Array:
    with warnings.catch_warnings():  # that many a and b are of no colour on this lightness, and are clipped
        warnings.simplefilter("ignore", UserWarning)
        return np.asarray(color.lab2rgb(np.concatenate([lab[..., :1], ab], axis=-1)))


def _compared(truth: Array, ab: Array) -> dict[str, float]:
    """All scores of one image (height, width, 3) uint8."""
    pixels, lab = truth / 255, color.rgb2lab(truth)
    ours, gray = _coloured(lab, ab.astype(float)), _coloured(lab, np.zeros(ab.shape))
    # Of equal lightness, so that the distance of CIE 1976 is that of a and b alone.
    distance = color.deltaE_cie76(lab, np.concatenate([lab[..., :1], ab.astype(float)], axis=-1))
    return {
        "psnr": reconstruction.psnr(pixels, ours),
        "ssim": reconstruction.ssim(pixels, ours),
        "ab_error": float(distance.mean()),
        "gray_psnr": reconstruction.psnr(pixels, gray),
        "gray_ssim": reconstruction.ssim(pixels, gray),
    }


def _row(truth: Array, ab: Array) -> list[Array]:
    lab = color.rgb2lab(truth)
    gray, ours = _coloured(lab, np.zeros(ab.shape)), _coloured(lab, ab.astype(float))
    return [reconstruction.eight_bit(gray), reconstruction.eight_bit(ours), np.asarray(truth)]
