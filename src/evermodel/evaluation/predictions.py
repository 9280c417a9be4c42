"""Whether what was predicted can be evaluated at all."""

import numpy as np

from evermodel.core.data import Array
from evermodel.core.errors import EvermodelError


def check(
    prediction: Array, shape: tuple[int, ...], advice: str, limits: tuple[float, float] = (-np.inf, np.inf)
) -> None:
    """Raise EvermodelError unless the prediction is of that shape, finite and within the limits.

    advice: what each number should be and how the model should end, as the end of a sentence.
    """
    if prediction.shape != shape:
        raise EvermodelError(
            f"predicted an array of shape {prediction.shape}, but {shape[0]} test rows need {shape}: {advice}"
        )
    if broken := int((~np.isfinite(prediction.reshape(len(prediction), -1))).any(axis=1).sum()):
        raise EvermodelError(
            f"predicted no finite number for {broken} of {len(prediction)} test rows; the training has "
            "diverged: lower train.learning_rate and train again"
        )
    lowest, highest = prediction.min(), prediction.max()
    if lowest < limits[0] or highest > limits[1]:
        raise EvermodelError(
            f"predicted numbers from {lowest:.4g} to {highest:.4g}, but they must lie between {limits[0]:g} "
            f"and {limits[1]:g}: {advice}"
        )
