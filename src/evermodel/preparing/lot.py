"""Which rows of a table are looked at where all would be too many."""

import numpy as np
import pandas as pd

from evermodel.core.data import Array

BLOCK = 65_536  # rows


def of(rows: "pd.Index[int]") -> Array:
    """A number from 0 to 1 for each of successive rows, by its own number, in whatever pieces they come."""
    if not len(rows):
        return np.empty(0)
    first, last = int(rows[0]) // BLOCK, int(rows[-1]) // BLOCK
    lots = [np.random.default_rng([0, BLOCK * number]).random(BLOCK) for number in range(first, last + 1)]
    start = int(rows[0]) - BLOCK * first
    return np.concatenate(lots)[start : start + len(rows)]
