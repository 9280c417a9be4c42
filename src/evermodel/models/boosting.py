"""Gradient boosting of trees on histograms (Friedman 2001; Ke et al. 2017, "LightGBM")."""

from collections.abc import Sequence
from typing import Any

from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.multiclass import OneVsRestClassifier
from sklearn.multioutput import MultiOutputRegressor


def build(
    input_shape: Sequence[int],
    target: str,
    *,
    learning_rate: float = 0.1,
    max_iter: int = 100,
    max_leaf_nodes: int = 31,
    min_samples_leaf: int = 20,
    l2: float = 0.0,
    max_features: float = 1.0,
    early_stopping: bool = False,
    quantile: float | None = None,
    class_weight: str | None = None,
) -> Any:
    """One tree after another, each on what the ones before have left; of several targets one model each.

    l2: the penalty on what a leaf adds. max_features: the share of the columns that a split is chosen from.
    early_stopping: whether a tenth of the training rows is kept aside, and trees end when these are no longer
    learned better. quantile: of a number, the one that is predicted instead of the mean. class_weight:
    "balanced", if rare classes shall count as much as others.
    """
    options = {
        "learning_rate": learning_rate,
        "max_iter": max_iter,
        "max_leaf_nodes": max_leaf_nodes,
        "min_samples_leaf": min_samples_leaf,
        "l2_regularization": l2,
        "max_features": max_features,
        "early_stopping": early_stopping,
    }
    if target in ("class", "labels"):
        model = HistGradientBoostingClassifier(**options, class_weight=class_weight)
        return model if target == "class" else OneVsRestClassifier(model)
    loss = {} if quantile is None else {"loss": "quantile", "quantile": quantile}
    model = HistGradientBoostingRegressor(**options, **loss)
    return model if target == "number" else MultiOutputRegressor(model)
