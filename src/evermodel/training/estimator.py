"""Fitting a scikit-learn model."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import is_classifier, is_regressor
from sklearn.metrics import accuracy_score, mean_squared_error

from evermodel.core import catalog
from evermodel.core.data import Array, Spec, Split
from evermodel.core.errors import EvermodelError, told

WEIGHTS = ("coef_", "intercept_", "components_", "intercept_hidden_", "intercept_visible_")


def fit(build: Callable[..., Any], spec: Spec, target: str, train: Split, seed: int, **options: Any) -> Any:
    """Fit on the training rows and return the estimator, the same one whenever the seed is the same.

    target: what the task predicts, as `catalog.target` tells. Raises EvermodelError if the model can't be
    built from its options, can't take the data, or can't answer for such a target.
    """
    name = build.__module__.rpartition(".")[2]
    where = f"model {name} ({catalog.shown('models', name)})"
    np.random.seed(seed)
    with told(f"{where} can't be built from options in params.yaml"):
        model = build(spec.input_shape, target, **options)
        _seed(model, seed)
        _require(model, target, where)
    x = pd.DataFrame(train.x, columns=list(spec.columns)) if spec.kind == "table" else train.x
    fits = f"{where} can't be fitted to data set {spec.dataset} with its options in params.yaml"
    with told(fits):
        model.fit(x, train.y)
    if is_classifier(model) and not hasattr(model, "predict_proba"):  # of a stack, known only now
        raise EvermodelError(
            f"{where} gives no probabilities; build a classifier that has predict_proba, or put it into "
            "sklearn.calibration.CalibratedClassifierCV"
        )
    with told(fits):  # some look at the examples only when they are asked
        predict(model, train.x[:1])
    return model


def _seed(model: Any, seed: int) -> None:
    """Give the seed to every part that has none of its own."""
    named = model.get_params(deep=True).items()
    unseeded = (name for name, value in named if name.endswith("random_state") and value is None)
    model.set_params(**dict.fromkeys(unseeded, seed))


def _require(model: Any, target: str, where: str) -> None:
    """Raise EvermodelError if a model answers for something else than the target."""
    if target == "class" and is_regressor(model):
        raise EvermodelError(f"{where} builds a regressor, but the task predicts classes; build a classifier")
    if target in ("number", "numbers") and is_classifier(model):
        raise EvermodelError(f"{where} builds a classifier, but the task predicts numbers; build a regressor")


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
