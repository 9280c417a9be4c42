"""Learning the age and the gender of a face, by a head for each."""

from evermodel.core.data import Spec
from evermodel.core.errors import EvermodelError
from evermodel.training.objective import Objective

INPUTS: tuple[str, ...] = ("images",)
TARGET: str = "numbers"
TARGETS = ("age", "gender")


def objective(spec: Spec) -> Objective:
    """The age in years, and the probability of gender 1. Raises EvermodelError if the data have others."""
    if spec.targets != TARGETS:
        raise EvermodelError(
            f"data set {spec.dataset} has the targets {', '.join(spec.targets)}, but the task age_gender "
            f"needs {' and '.join(TARGETS)}, in this order; set targets in data/{spec.dataset}/params.yaml"
        )
    sd, mean = spec.target_sd[0], spec.target_mean[0]
    return Objective(
        {"age": 1, "gender": 1},
        {"age": None, "gender": "sigmoid"},
        {"age": "mean_squared_error", "gender": "binary_crossentropy"},
        {"age": "mae", "gender": "accuracy"},
        loss_weights={"age": 1 / sd**2, "gender": 1.0},  # years² would drown the other
        target=lambda x, y: {"age": y[:, :1] - mean, "gender": y[:, 1:]},
        scale={"age": sd},
        offset={"age": mean},
    )
