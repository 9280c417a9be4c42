"""A random forest (Breiman 2001)."""

from collections.abc import Sequence
from typing import Any

from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.multiclass import OneVsRestClassifier


def build(
    input_shape: Sequence[int],
    target: str,
    *,
    trees: int = 200,
    min_samples_leaf: int = 1,
    max_features: float | None = None,
    class_weight: str | None = None,
) -> Any:
    """Trees that each see other rows, and at each node other columns; what they answer on average.

    max_features: the share of the columns that a node looks at; by default all of them for a number, and the
    square root of their count for a class. class_weight: "balanced", if rare classes shall count as much.
    """
    options: dict[str, Any] = {"n_estimators": trees, "min_samples_leaf": min_samples_leaf}
    if target in ("class", "labels"):
        options |= {"max_features": max_features or "sqrt", "class_weight": class_weight}
        model = RandomForestClassifier(**options)
        return model if target == "class" else OneVsRestClassifier(model)
    return RandomForestRegressor(**options, max_features=max_features or 1.0)
