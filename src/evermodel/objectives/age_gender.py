"""Learning the age and the gender of a face, by a head for each."""

from evermodel.core.data import Spec
from evermodel.training.objective import Objective


def objective(spec: Spec) -> Objective:
    """The age in years, and the probability of gender 1."""
    sd, mean = (dict(zip(spec.targets, values, strict=True)) for values in (spec.target_sd, spec.target_mean))
    return Objective(
        {"age": 1, "gender": 1},
        {"age": None, "gender": "sigmoid"},
        {"age": "mean_squared_error", "gender": "binary_crossentropy"},
        {"age": "mae", "gender": "accuracy"},
        loss_weights={"age": 1 / sd["age"] ** 2, "gender": 1.0},  # years² would drown the other
        target=lambda x, y: {name: y[:, [column]] for column, name in enumerate(spec.targets)},
        scale={"age": (sd["age"], mean["age"])},
    )
