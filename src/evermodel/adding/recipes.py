"""The two experiments that a new data set begins with: a simple one, and one that can learn more."""

import math
from typing import Any

import numpy as np
import pandas as pd

from evermodel.core import catalog

Recipes = dict[str, dict[str, Any]]
LOWER = 0.9  # times what the most frequent class reaches: a floor that only something broken misses
WIDER = 2  # times the deviation of the target: the same for an error
UNEVEN = 0.9  # of the rows in one class, from which on accuracy tells little
# Of boosted trees, by cross-validation on the training rows of five tables.
FEW_TREES = {
    "learning_rate": 0.05,
    "max_iter": 150,
    "max_leaf_nodes": 8,
    "min_samples_leaf": 5,
    "max_features": 0.5,
}
MANY_TREES = FEW_TREES | {"max_iter": 300, "max_leaf_nodes": 31, "min_samples_leaf": 10}
ENOUGH = 20_000  # rows, from which on classes bear more trees as well
NETWORK = {"optimizer": "adam", "learning_rate": 0.001, "batch_size": 32}


def of_table(task: str, target: pd.Series, *, mixed: bool) -> Recipes:
    """A linear model and boosted trees, which are the best of what learns from tables without tuning.

    mixed: whether there are categories or texts, of which some become more columns than rows can tell.
    """
    limit, is_number = promotion(task, target), catalog.target(task) == "number"
    ridge = {"alpha": 1.0} if is_number and mixed else {}
    trees = MANY_TREES if is_number or len(target) > ENOUGH else FEW_TREES
    return {
        "linear": _recipe(task, "linear", ridge, "constant", {}, limit),
        "boosting": _recipe(task, "boosting", trees, "constant", {}, limit),
    }


def of_texts(task: str, target: pd.Series) -> Recipes:
    """Word pairs with logistic regression, and a small network on the words that occur."""
    limit = promotion(task, target)
    few = {"min_documents": 2} if len(target) < 5000 else {}
    words = NETWORK | {"weight_decay": 0.5, "epochs": 5}
    return {
        "linear": _recipe(task, "tfidf_linear", few, "constant", {}, limit),
        "dnn": _recipe(task, "mlp", {"units": [50, 50], "dropout": 0.3}, "constant", words, limit),
    }


def of_images(task: str, target: pd.Series) -> Recipes:
    """A small network of convolutions, and a deeper one with what keeps it from learning by heart."""
    limit = promotion(task, target)
    seen = NETWORK | {"epochs": 12, "image_size": 64, "random_flip": True}
    deeper = {
        "filters": [32, 64, 128],
        "dense": [128],
        "batch_norm": True,
        "global_average": True,
        "dropout": 0.25,
    }
    cosine = {"learning_rate": 0.002, "learning_rate_schedule": "cosine", "epochs": 30}
    return {
        "cnn": _recipe(task, "cnn", {"filters": [16, 32, 64], "dense": [64]}, "constant", seen, limit),
        "deep_cnn": _recipe(task, "cnn", deeper, "constant", seen | cosine, limit),
    }


def of_masks() -> Recipes:
    """U-Net, narrow and wider."""
    limit = {"metric": "dice", "floor": 0.0}
    drawn = NETWORK | {"batch_size": 4, "learning_rate_schedule": "cosine", "epochs": 20}
    return {
        name: _recipe("segmentation", "unet", {"width": width}, "constant_mask", drawn, limit)
        for name, width in (("unet", 8), ("wide_unet", 16))
    }


def of_series() -> Recipes:
    """A linear model of the window, and a recurrent network."""
    limit = {"metric": "skill", "floor": 0.0}
    stepped = NETWORK | {"learning_rate": 0.003, "learning_rate_schedule": "cosine", "epochs": 30}
    cell = {"cell": "lstm", "units": [32]}
    return {
        "linear": _recipe("forecasting", "linear", {}, "persistence", {}, limit),
        "lstm": _recipe("forecasting", "recurrent", cell, "persistence", stepped, limit),
    }


def promotion(task: str, target: pd.Series) -> dict[str, Any]:
    """What a champion is judged by, and a limit that is no obstacle: the baseline is the one to beat.

    target: labels, or numbers.
    """
    if catalog.target(task) == "number":
        deviation = float(target.std(ddof=0)) or 1.0
        digits = 1 - math.floor(math.log10(deviation))
        return {"metric": "rmse", "ceiling": _plain(round(WIDER * deviation, max(digits, 0)))}
    most = target.value_counts(normalize=True).max()
    if task == "binary" and most > UNEVEN:
        return {"metric": "roc_auc", "floor": 0.45}
    return {"metric": "accuracy", "floor": _plain(np.floor(100 * LOWER * most) / 100)}


def _plain(value: float) -> float | int:
    return int(value) if float(value).is_integer() else float(value)


def _recipe(
    task: str,
    model: str,
    options: dict[str, Any],
    baseline: str,
    train: dict[str, Any],
    limit: dict[str, Any],
) -> dict[str, Any]:
    return {
        "task": task,
        "model": model,
        "options": options,
        "baseline": baseline,
        "train": train,
        "promotion": limit,
    }
