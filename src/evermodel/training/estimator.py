"""Fitting a scikit-learn model."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import is_classifier
from sklearn.metrics import accuracy_score, mean_squared_error

from evermodel.core.data import Array, Spec, Split

WEIGHTS = ("coef_", "intercept_", "components_", "intercept_hidden_", "intercept_visible_")


def fit(build: Callable[..., Any], spec: Spec, task: str, train: Split, **options: Any) -> Any:
    """Fit on the training rows and return the estimator."""
    x = pd.DataFrame(train.x, columns=list(spec.columns)) if spec.kind == "table" else train.x
    return build(spec.input_shape, task, **options).fit(x, train.y)


def predict(estimator: Any, x: Array) -> Array:
    """Numbers (n,) of a regressor, probabilities (n, classes) of a classifier."""
    names = getattr(estimator, "feature_names_in_", None)
    examples = x if names is None else pd.DataFrame(x, columns=names)
    result: Array = (estimator.predict_proba if is_classifier(estimator) else estimator.predict)(examples)
    return result


def figures(estimator: Any, splits: dict[str, Split]) -> dict[str, float]:
    """The one row of a history: accuracy or mean squared error, on training and validation rows."""
    parts = {"": splits["train"], "val_": splits["validation"]}
    predicted = {prefix: predict(estimator, split.x) for prefix, split in parts.items()}
    if is_classifier(estimator):
        return {
            f"{prefix}accuracy": float(accuracy_score(split.y, predicted[prefix].argmax(axis=1)))
            for prefix, split in parts.items()
        }
    return {f"{prefix}mse": float(mean_squared_error(s.y, predicted[prefix])) for prefix, s in parts.items()}


def parameters(estimator: Any) -> int:
    """The number of fitted weights: coefficients, intercepts, and those of a Boltzmann machine."""
    steps = [step for _, step in estimator.steps] if hasattr(estimator, "steps") else [estimator]
    return sum(np.size(getattr(step, name, ())) for step in steps for name in WEIGHTS)
