"""Learning the age and the gender of a face, by a head for each."""

from evermodel.core.data import Spec
from evermodel.training.objective import Objective


def objective(spec: Spec) -> Objective:
    """The age in years, and the probability of gender 1."""
    age, gender = spec.targets.index("age"), spec.targets.index("gender")
    sd, mean = spec.target_sd[age], spec.target_mean[age]
    return Objective(
        {"age": 1, "gender": 1},
        {"age": None, "gender": "sigmoid"},
        {"age": "mean_squared_error", "gender": "binary_crossentropy"},
        {"age": "mae", "gender": "accuracy"},
        loss_weights={"age": 1 / sd**2, "gender": 1.0},  # years² would drown the other
        target=lambda x, y: {"age": y[:, [age]] - mean, "gender": y[:, [gender]]},
        scale={"age": sd},
        offset={"age": mean},
    )
