"""Learning a quantile of a number: what it does not exceed in so large a share of such rows."""

from evermodel.core.data import Spec
from evermodel.core.errors import EvermodelError
from evermodel.training import objective as shared
from evermodel.training.losses import pinball
from evermodel.training.objective import Objective

INPUTS: tuple[str, ...] = ("table", "images", "text")
TARGET: str = "number"


def objective(spec: Spec, *, quantile: float) -> Objective:
    """One number, by the pinball loss. Raises EvermodelError if the quantile is not between 0 and 1."""
    if not 0 < quantile < 1:
        raise EvermodelError(
            f"options.quantile is {quantile}, but the task quantile needs a share between 0 and 1, such as "
            f"0.9; change it in the params.yaml of the experiment on data set {spec.dataset}"
        )
    return shared.number(spec, pinball(quantile))
