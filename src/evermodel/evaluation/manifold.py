"""Where clouds of points lie beside each other, by nearest neighbours."""

from collections.abc import Iterator

import numpy as np
from sklearn.metrics import pairwise_distances_chunked
from sklearn.neighbors import NearestNeighbors

from evermodel.core.data import Array

NEIGHBOURS = 3  # as Kynkäänniemi et al. 2019 chose
DIGITS = 6  # of a distance; what lies behind them is another on another processor


def within(points: Array, cloud: Array) -> Array:
    """(n,) bool: whether each point lies no further from some point of the cloud than that one's third
    neighbour in the cloud does (Kynkäänniemi et al. 2019, equation 1).
    """
    count = min(NEIGHBOURS + 1, len(cloud))  # each is its own nearest
    radius = _neighbours(cloud, cloud, count)[0][:, -1]

    def near(distances: Array, start: int) -> Array:
        return np.asarray((distances <= radius).any(axis=1))

    found: Iterator[Array] = pairwise_distances_chunked(points, cloud, reduce_func=near)
    return np.concatenate([*found])


def nearest(points: Array, cloud: Array) -> tuple[Array, Array]:
    """How far each point is from the nearest of the cloud, and which one that is, (n,) each."""
    distance, row = _neighbours(points, cloud, 1)
    return distance[:, 0].round(DIGITS), row[:, 0]


def _neighbours(points: Array, cloud: Array, count: int) -> tuple[Array, Array]:
    # Among points of many dimensions, trees are slower.
    search = NearestNeighbors(n_neighbors=count, algorithm="brute").fit(cloud)
    distances, rows = search.kneighbors(points)
    return distances, rows
