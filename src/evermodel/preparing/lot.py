"""Which rows of a table are looked at where all would be too many."""

import numpy as np
import pandas as pd

from evermodel.core.data import Array

BLOCK = 65_536  # rows


def chosen(rows: "pd.Index[int]", share: float) -> Array:
    """The rows that the lot falls on, (n,) bool: by their numbers, in whatever pieces they come."""
    if not len(rows):
        return np.empty(0, bool)
    first, last = rows[0] // BLOCK, rows[-1] // BLOCK
    lots = [np.random.default_rng([0, BLOCK * number]).random(BLOCK) for number in range(first, last + 1)]
    start = rows[0] - BLOCK * first
    return np.asarray(np.concatenate(lots)[start : start + len(rows)] < share)
