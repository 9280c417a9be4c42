"""Ordinary least squares or logistic regression, on scaled features."""

import math
from collections.abc import Sequence

import numpy as np
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, MaxAbsScaler, StandardScaler


def build(
    input_shape: Sequence[int],
    target: str,
    *,
    c: float = 1.0,
    alpha: float = 0.0,
    class_weight: str | None = None,
) -> Pipeline:
    """Scaling by the training rows, then one weight per feature (and class, or label).

    input_shape: one example. Images are flattened and scaled by the brightest value, tables standardised.
    c: the inverse strength of logistic regression's L2 penalty. alpha: the strength of that of a regression,
    if it has one, as many categories and words ask for. class_weight: "balanced", if rare classes shall count
    as much as others.
    """
    classifier = LogisticRegression(C=c, max_iter=1000, tol=1e-3, class_weight=class_weight)
    regression = Ridge(alpha) if alpha else LinearRegression()
    model = {"number": regression, "numbers": regression, "labels": OneVsRestClassifier(classifier)}.get(
        target, classifier
    )
    if len(input_shape) == 1:
        return make_pipeline(StandardScaler(), model)
    flatten = FunctionTransformer(np.reshape, kw_args={"shape": (-1, math.prod(input_shape))})
    return make_pipeline(flatten, MaxAbsScaler(), model)
