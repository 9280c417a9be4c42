"""Ordinary least squares or logistic regression, on scaled features."""

import math
from collections.abc import Sequence

import numpy as np
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, MaxAbsScaler, StandardScaler


def build(input_shape: Sequence[int], target: str, *, c: float = 1.0) -> Pipeline:
    """Scaling by the training rows, then one weight per feature (and class, or label).

    input_shape: one example. Images are flattened and scaled by the brightest value, tables standardised.
    c: the inverse strength of logistic regression's L2 penalty.
    """
    classifier = LogisticRegression(C=c, max_iter=1000, tol=1e-3)
    regression = LinearRegression() if target in ("number", "numbers") else classifier
    model = OneVsRestClassifier(classifier) if target == "labels" else regression
    if len(input_shape) == 1:
        return make_pipeline(StandardScaler(), model)
    flatten = FunctionTransformer(np.reshape, kw_args={"shape": (-1, math.prod(input_shape))})
    return make_pipeline(flatten, MaxAbsScaler(), model)
