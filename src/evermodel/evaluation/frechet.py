"""The Fréchet distance of two clouds of points as if each were a normal distribution.

Squared, as Heusel et al. 2017 have it. Beside its value there are its slopes, by which intervals are told
(statistics.py) and two models compared (publishing/paired.py).
"""

import numpy as np

from evermodel.core.data import Array

NOUGHT = 1e-10  # the part of the largest variance that is none


def distance(real: Array, made: Array) -> float:
    """|m - n|² + tr(C + D - 2(CD)^½) of the means m, n and covariances C, D (Dowson & Landau 1982).

    real, made: (n, d) points; covariances are those of the points as they are, not estimates of a sample's.
    """
    (mean, covariance), (other, beside) = _moments(real), _moments(made)
    shared = np.sqrt(_between(covariance, beside)[0]).sum()
    told = ((mean - other) ** 2).sum() + np.trace(covariance) + np.trace(beside) - 2 * shared
    return float(max(told, 0.0))


def slopes(real: Array, made: Array) -> Array:
    """How fast the distance grows with the weight of each row, (n,); takes what `distance` does.

    The influence function (Hampel 1974): weights are shares, so that slopes sum to 0.
    """
    return _slopes(real, made) + _slopes(made, real)


def _slopes(ours: Array, theirs: Array) -> Array:
    """By how often each of our points counts."""
    (mean, covariance), (other, beside) = _moments(ours), _moments(theirs)
    root = _power(*np.linalg.eigh(beside), 0.5)
    values, vectors = _between(beside, covariance)
    by_covariance = np.eye(len(mean)) - root @ _power(values, vectors, -0.5) @ root
    away = ours - mean
    squares = ((away @ by_covariance) * away).sum(axis=1)
    return np.asarray(2 * away @ (mean - other) + squares - squares.mean())


def _moments(points: Array) -> tuple[Array, Array]:
    points = np.asarray(points, dtype=float)
    return points.mean(axis=0), np.cov(points, rowvar=False, ddof=0).reshape(points.shape[1], -1)


def _between(one: Array, other: Array) -> tuple[Array, Array]:
    """Eigenvalues and eigenvectors of one^½ other one^½, whose root has the trace of (one other)^½."""
    root = _power(*np.linalg.eigh(one), 0.5)
    values, vectors = np.linalg.eigh(root @ other @ root)
    return values.clip(0), vectors


def _power(values: Array, vectors: Array, exponent: float) -> Array:
    """A power of a symmetric matrix; what has no variance has none in any power."""
    there = values > NOUGHT * values.max(initial=0)
    raised = np.power(values, exponent, out=np.zeros_like(values), where=there)
    return np.asarray((vectors * raised) @ vectors.T)
