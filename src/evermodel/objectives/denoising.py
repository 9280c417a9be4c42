"""Learning to draw an image again; while training, the noise is a layer of the architecture."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from evermodel.core.data import Array, Spec
from evermodel.core.errors import EvermodelError
from evermodel.training import objective as shared
from evermodel.training.objective import Objective

INPUTS: tuple[str, ...] = ("images",)
TARGET: str = "image"


def objective(spec: Spec) -> Objective:
    """The image that came in, told from a noisy one."""
    return replace(shared.image(spec), corrupt=_noisy)


def _noisy(x: Array, options: Mapping[str, Any], seed: int) -> Array:
    """Images (n, height, width, channels) uint8 with noise of sd options.noise, as a test shows them.

    Raises EvermodelError if there is no such option.
    """
    from skimage.util import img_as_ubyte, random_noise

    if not options.get("noise"):
        raise EvermodelError(
            "options.noise is missing, which the task denoising needs: the standard deviation of the noise, "
            "of pixels from 0 to 1; 0.1, say"
        )
    rng = np.random.default_rng(seed)
    return np.stack(
        [img_as_ubyte(random_noise(i, "gaussian", rng=rng, var=options["noise"] ** 2)) for i in x]
    )
