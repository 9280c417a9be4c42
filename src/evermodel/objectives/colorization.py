"""Learning the colours of an image."""

import numpy as np

from evermodel.core.data import Array, Spec
from evermodel.core.errors import EvermodelError
from evermodel.training.objective import Objective

INPUTS: tuple[str, ...] = ("images",)
TARGET: str = "image"
BOUND = 128.0  # a and b of CIE Lab lie within this


def objective(spec: Spec) -> Objective:
    """a and b (CIE Lab) of each pixel. Raises EvermodelError if the images have no colours."""
    if spec.input_shape[-1] != 3:
        raise EvermodelError(
            f"the images of data set {spec.dataset} have no colours to learn; choose another task, or "
            f"`mode: RGB` in data/{spec.dataset}/params.yaml if the files have them"
        )
    return Objective(2, "tanh", "mean_squared_error", target=lambda x, y: _ab(x), scale={"": BOUND})


def _ab(pixels: Array) -> Array:
    """The colours a and b of sRGB pixels, (n, height, width, 2) float32."""
    from skimage.color import rgb2lab

    return np.asarray(rgb2lab(pixels)[..., 1:], dtype=np.float32)
