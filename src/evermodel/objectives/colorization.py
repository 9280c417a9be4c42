"""Learning the colours of an image."""

import numpy as np

from evermodel.core.data import Array, Spec
from evermodel.training.objective import Objective

BOUND = 128.0  # a and b of CIE Lab lie within this


def objective(spec: Spec) -> Objective:
    """a and b (CIE Lab) of each pixel."""
    return Objective(2, "tanh", "mean_squared_error", target=lambda x, y: _ab(x), scale={"": BOUND})


def _ab(pixels: Array) -> Array:
    """The colours a and b of sRGB pixels, (n, height, width, 2) float32."""
    from skimage.color import rgb2lab

    return np.asarray(rgb2lab(pixels)[..., 1:], dtype=np.float32)
