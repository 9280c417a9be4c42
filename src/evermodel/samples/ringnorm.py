"""Breiman's ringnorm: two normal clouds in twenty dimensions, the one inside the other.

A made problem from the start (L. Breiman, Bias, variance, and arcing classifiers, technical report 460 of
Berkeley's Department of Statistics, 1996), in the numbers of the DELVE archive: 7,400 rows and a shift of
2/sqrt(20). The best possible rule errs in about 1.3 % of the rows, and no straight line comes near it.
"""

from pathlib import Path

import numpy as np

from evermodel.datasets.source import Edition

ROWS = 7400
FEATURES = 20
SHIFT = 2 / np.sqrt(FEATURES)


def write(folder: Path, edition: Edition) -> None:
    """Write the edition's one file: a header, then a row a line, its class (0 or 1) and its features."""
    # RandomState, not default_rng: only its streams are the same in every version of NumPy (NEP 19).
    random = np.random.RandomState(1996)
    labels = random.randint(2, size=ROWS)
    around = random.normal(size=(ROWS, FEATURES))
    features = np.where(labels[:, None] == 0, 2 * around, SHIFT + around)
    options = edition.options
    np.savetxt(
        folder / edition.files[0].name,
        np.column_stack([labels, features]),
        ["%d"] + ["%.5f"] * FEATURES,
        delimiter=options["separator"],
        header=options["separator"].join(options["columns"]),
        comments="",
    )
