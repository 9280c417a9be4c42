"""A restricted Boltzmann machine that learns features of binary images, and a linear classifier of them."""

import math
from collections.abc import Sequence

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import BernoulliRBM
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import Binarizer, FunctionTransformer

HALF = 127.5  # of a byte


def build(
    input_shape: Sequence[int],
    target: str,
    *,
    components: int = 500,
    learning_rate: float = 0.06,
    iterations: int = 20,
    c: float = 1.0,
) -> Pipeline:
    """Pictures as rows of bits, `components` hidden units (Tieleman 2008), and logistic regression.

    input_shape: (height, width, channels) of bytes. iterations: passes over the training rows. c: the
    inverse strength of logistic regression's L2 penalty.
    """
    return make_pipeline(
        FunctionTransformer(np.reshape, kw_args={"shape": (-1, math.prod(input_shape))}),
        Binarizer(threshold=HALF),
        BernoulliRBM(components, learning_rate=learning_rate, n_iter=iterations, random_state=0),
        LogisticRegression(C=c, max_iter=1000, tol=1e-3),
    )
