"""Fitting linear heads by scikit-learn, on the features that a frozen base extracts."""

from typing import Any

import keras
import numpy as np
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from evermodel.core.data import Array, Prepared
from evermodel.core.errors import EvermodelError
from evermodel.runs.recipe import Recipe
from evermodel.training import network, preprocessing
from evermodel.training.network import Build, History
from evermodel.training.objective import objective_of

REPORT_EVERY = 10  # batches


def fit(build: Build, prepared: Prepared, recipe: Recipe) -> tuple[keras.Model, History]:
    """Set the weights of the heads "classes" and "map", and return the model and its history's one row.

    The model takes raw examples and has its pre-processing inside. Raises EvermodelError if a class has no
    training row.
    """
    train = recipe.train
    assert train is not None, "recipe.py asks every Keras model for its train section"
    network.compute_in(train.precision)
    encoder = preprocessing.encoder(prepared.spec, train)
    objective = objective_of(recipe.task, prepared.spec, recipe.options)
    built = network.assemble(build, encoder, prepared, objective, recipe)
    extract = keras.Model(built.core.input, built.core.get_layer("features").output)
    extractor = keras.Model(encoder.input, extract(encoder.output))
    features = {
        name: _extract(extractor, prepared.splits[name].x, train.batch_size, f"features of {name}")
        for name in ("train", "validation")
    }
    labels = {name: np.asarray(prepared.splits[name].y) for name in features}
    classes = built.core.get_layer("classes")
    _set_heads(classes, built.core.get_layer("map"), features["train"], labels["train"])
    correct = {name: np.argmax(classes(x), axis=1) == labels[name] for name, x in features.items()}
    figures = {"accuracy": correct["train"].mean(), "val_accuracy": correct["validation"].mean()}
    finished = network.in_32_bits(built.whole, build, prepared, objective, recipe)
    return finished, [{"epoch": 1, **{name: float(value) for name, value in figures.items()}}]


def _set_heads(
    classes: keras.layers.Dense, plane: keras.layers.Dense, features: Array, labels: Array
) -> None:
    """Logistic regression and the main directions of standardised features (n, features), (n,) labels."""
    scaler = StandardScaler().fit(features)
    scaled = scaler.transform(features)
    classes.set_weights(_unscaled(scaler, *_regression(scaled, labels, classes.units)))
    plane.set_weights(_unscaled(scaler, *_directions(scaled)))


def _extract(extractor: keras.Model, x: Array, batch_size: int, what: str) -> Array:
    """(n, features) float64; a batch at a time, so that images that are mapped from disk may be many."""
    parts = []
    for number, start in enumerate(range(0, len(x), batch_size), start=1):
        parts.append(np.asarray(extractor.predict_on_batch(x[start : start + batch_size]), dtype=float))
        done = min(start + batch_size, len(x))
        if number % REPORT_EVERY == 0 or done == len(x):
            print(f"{what}: {done} of {len(x)}", flush=True)
    return np.concatenate(parts)


def _regression(scaled: Array, labels: Array, classes: int) -> tuple[Array, Array]:
    """Weights (features, classes) and biases (classes,) of logistic regression."""
    if missing := sorted(set(range(classes)) - set(labels.tolist())):
        raise EvermodelError(
            f"class number {missing[0]} has no training row to learn its features from; "
            "set a smaller split.test or split.validation of the data set in params.yaml"
        )
    fitted = LogisticRegression(max_iter=1000).fit(scaled, labels)
    if classes > 2:
        return fitted.coef_.T, fitted.intercept_
    # Of two classes scikit-learn keeps only the difference of the second to the first.
    return fitted.coef_.T * [-0.5, 0.5], fitted.intercept_ * [-0.5, 0.5]


def _directions(scaled: Array) -> tuple[Array, Array]:
    """Weights (features, 2) and biases (2,) of the projection on the two main directions."""
    fitted = PCA(2, svd_solver="full").fit(scaled)
    return fitted.components_.T, -fitted.components_ @ fitted.mean_


def _unscaled(scaler: Any, weights: Array, biases: Array) -> list[Array]:
    """The same map of features before the scaler: w(x - mean) / sd + b = (w / sd)x + b - (w / sd)mean."""
    folded = weights / scaler.scale_[:, None]
    return [folded, biases - scaler.mean_ @ folded]
