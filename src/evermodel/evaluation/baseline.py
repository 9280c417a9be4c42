"""The simple model that stands beside an experiment's own on the same rows."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from evermodel.core import catalog
from evermodel.core.data import Array, Spec, Split, Target
from evermodel.runs.recipe import Recipe
from evermodel.training import estimator


def fitted(chosen: Recipe, spec: Spec, target: Target, train: Split, seed: int) -> Callable[[Any], Array]:
    """What the baseline, fitted on the same training rows, predicts.

    It gets the options that it shares with the model, so that an autoencoder's latent size is its own too;
    and captions as they are, for it is asked by others, too.
    """
    if target == "captioned":
        train = replace(train, y=np.array(spec.classes, dtype=object)[train.y])
    build = catalog.builder(chosen.baseline)
    known = catalog.options(chosen.baseline)
    shared = {name: value for name, value in chosen.options.items() if name in known}
    return partial(estimator.predict, estimator.fit(build, spec, target, train, seed, **shared))
