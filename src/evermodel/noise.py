"""The noise of the task denoising: what validation shows, and what a model is judged by."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from evermodel.core.data import Array
from evermodel.core.errors import EvermodelError


def noisy(x: Array, options: Mapping[str, Any], seed: int) -> Array:
    """Clean images with Gaussian noise, clipped; the same seed gives the same noise.

    x: (n, height, width, channels) uint8, and so is what comes back. options: of the experiment, where noise
    is the standard deviation on the scale 0 to 1. Raises EvermodelError unless that is above 0 and at most 1.
    """
    from skimage.util import img_as_ubyte, random_noise

    noise = options.get("noise")
    if not isinstance(noise, int | float) or not 0 < noise <= 1:
        raise EvermodelError(
            f"options.noise is {'missing' if noise is None else noise}, but the task denoising is judged on "
            "just that: set it in the experiment's params.yaml to a standard deviation above 0 and at most 1 "
            "(black is 0, white is 1), and take a model that has the option"
        )
    rng = np.random.default_rng(seed)
    drawn = (random_noise(image, "gaussian", rng=rng, var=noise**2) for image in x)
    return np.stack([img_as_ubyte(image) for image in drawn])
