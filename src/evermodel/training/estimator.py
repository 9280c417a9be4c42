"""Fitting a scikit-learn model."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import is_classifier, is_regressor
from sklearn.metrics import mean_squared_error
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import has_fit_parameter
from threadpoolctl import threadpool_limits

from evermodel.core import catalog
from evermodel.core.data import Array, Spec, Split
from evermodel.core.errors import EvermodelError, told
from evermodel.core.rows import Rows
from evermodel.training import encoding

# Numbers of examples that are in memory at a time, of which those of a table are copied some times.
MOST, MOST_OF_A_TABLE = 150_000_000, 30_000_000
WEIGHTS = ("coef_", "intercept_", "components_", "intercept_hidden_", "intercept_visible_")


def fit(build: Callable[..., Any], spec: Spec, target: str, train: Split, seed: int, **options: Any) -> Any:
    """Fit on the training rows and return the estimator, the same one whenever the seed is the same.

    target: what the task predicts, as `catalog.target` tells. Of more rows than memory should hold, a sample
    is learned from. Raises EvermodelError if the model can't be built from its options, can't take the data
    or their weights, or can't answer for such a target.
    """
    name = build.__module__.rpartition(".")[2]
    where = f"model {name} ({catalog.shown('models', name)})"
    np.random.seed(seed)
    with told(f"{where} can't be built from options in params.yaml"):
        model = build(spec.input_shape, target, **options)
        _require(model, target, where)
        model = encoding.encoded(model, spec.columns) if spec.kind == "table" else model
        _seed(model, seed)
    train = sample(train, spec, seed)
    weights = _weights(model, train, spec, where)
    fits = f"{where} can't be fitted to data set {spec.dataset} with its options in params.yaml"
    with told(fits), threadpool_limits(1):  # boosting adds up in another order on each number of cores
        model.fit(_examples(train.x), train.y, **weights)
    if is_classifier(model) and not hasattr(model, "predict_proba"):  # of a stack, known only now
        raise EvermodelError(
            f"{where} gives no probabilities; build a classifier that has predict_proba, or put it into "
            "sklearn.calibration.CalibratedClassifierCV"
        )
    if target != "captioned":  # which is asked rows of seeds and captions
        with told(fits):  # some look at the examples only when they are asked
            predict(model, train.x[:1])
    return model


def sample(split: Split, spec: Spec, seed: int) -> Split:
    """The rows of a split, or as many of them as memory should hold as 64-bit numbers, chosen by seed."""
    limit = MOST_OF_A_TABLE // encoding.width(spec.columns) if spec.kind == "table" else _rows(split.x)
    if len(split) <= limit:
        return split
    print(
        f"{limit} of {len(split)} rows of data set {spec.dataset} are learned from, chosen by seed: "
        "the model holds all of them in memory",
        flush=True,
    )
    return split[np.sort(np.random.default_rng(seed).choice(len(split), limit, replace=False))]


def _rows(x: Array) -> int:
    """How many examples of an array are held as numbers at a time."""
    return max(1, MOST // max(1, int(np.prod(x.shape[1:]))))


def _examples(x: Any) -> Any:
    return x.frame() if isinstance(x, Rows) else x


def _weights(model: Any, train: Split, spec: Spec, where: str) -> dict[str, Array]:
    """What `fit` is given beside x and y; EvermodelError if rows have weights and the model takes none."""
    if train.weight is None:
        return {}
    name, last = model.steps[-1] if isinstance(model, Pipeline) else ("", model)
    if not has_fit_parameter(last, "sample_weight"):
        raise EvermodelError(
            f"{where} takes no weights of rows; choose another model, or remove weight in "
            f"data/{spec.dataset}/params.yaml"
        )
    return {f"{name}__sample_weight" if name else "sample_weight": train.weight}


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


def predict(estimator: Any, x: Any) -> Array:
    """Numbers (n,) of a regressor, probabilities (n, classes) of a classifier.

    x: an array, the rows of a table, or a table of typed columns. It is asked in pieces, so that there may be
    many.
    """
    if isinstance(x, Rows):
        return np.concatenate([predict(estimator, piece) for piece in x.frames()])
    if not isinstance(x, pd.DataFrame) and len(x) > (limit := _rows(x)):
        return np.concatenate(
            [predict(estimator, x[start : start + limit]) for start in range(0, len(x), limit)]
        )
    names = getattr(estimator, "feature_names_in_", None)
    examples = x if names is None or isinstance(x, pd.DataFrame) else pd.DataFrame(x, columns=names)
    result: Array = (estimator.predict_proba if is_classifier(estimator) else estimator.predict)(examples)
    return result


def figures(estimator: Any, splits: dict[str, Split]) -> dict[str, float]:
    """The one row of a history: accuracy (of all labels together) or mean squared error, on training and
    validation rows.
    """
    parts = {"": splits["train"], "val_": splits["validation"]}
    predicted = {prefix: predict(estimator, split.x) for prefix, split in parts.items()}
    if is_classifier(estimator):
        return {
            f"{prefix}accuracy": float(np.mean(split.y == _answered(predicted[prefix], split.y)))
            for prefix, split in parts.items()
        }
    return {f"{prefix}mse": float(mean_squared_error(s.y, predicted[prefix])) for prefix, s in parts.items()}


def _answered(probabilities: Array, y: Array) -> Array:
    """The class of each row, (n,), or whether each of its labels applies, (n, k), as y is."""
    return probabilities.argmax(axis=1) if y.ndim == 1 else probabilities > 0.5


def parameters(estimator: Any) -> int:
    """The number of fitted weights: coefficients, intercepts, and those of a Boltzmann machine."""
    steps = [step for _, step in estimator.steps] if hasattr(estimator, "steps") else [estimator]
    return sum(np.size(getattr(step, name, ())) for step in steps for name in WEIGHTS)
