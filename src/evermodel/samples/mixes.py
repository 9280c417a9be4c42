"""Synthetic concrete mixes in the columns of Yeh's (1998) table of compressive strengths."""

from pathlib import Path

import numpy as np

from evermodel.core.data import Array
from evermodel.datasets.source import Edition

MIXES = 150
AGES = (1, 3, 7, 14, 28, 56, 90, 180, 365)  # days
TESTED = 4  # cylinders of each mix, each at another age
NOISE = 1.2  # MPa, the standard deviation between two cylinders of one mix


def write(folder: Path, edition: Edition) -> None:
    """Write the edition's one file: a header, then a cylinder a line: its mix, its age and its strength."""
    # RandomState, not default_rng: only its streams are the same in every version of NumPy (NEP 19).
    random = np.random.RandomState(1998)
    mixes = np.repeat(_mixes(random), TESTED, axis=0)
    ages = np.concatenate([np.sort(random.choice(AGES, TESTED, replace=False)) for _ in range(MIXES)])
    strength = _strength(mixes, ages) + NOISE * random.normal(size=len(ages))
    np.savetxt(
        folder / edition.files[0].name,
        np.column_stack([mixes, ages, np.clip(strength, 2, 85)])[random.permutation(len(ages))],
        ["%.1f"] * 7 + ["%d", "%.2f"],
        delimiter=" ,",  # a space before each comma, as in the table of the repository
        header=",".join(edition.options["columns"]),
        comments="",
    )


def _mixes(random: np.random.RandomState) -> Array:
    """(MIXES, 7) kg in a cubic metre: cement, slag, fly ash, water, superplasticizer, coarse, fine."""
    some = random.uniform(size=(2, MIXES)) < 0.5  # half of all mixes have no slag, half no fly ash
    cement = random.uniform(140, 520, MIXES)
    slag = some[0] * random.uniform(20, 220, MIXES)
    ash = some[1] * random.uniform(60, 180, MIXES)
    water = random.uniform(130, 230, MIXES)
    plasticizer = np.clip(random.uniform(-8, 20, MIXES) + (180 - water) / 12, 0, 30)
    coarse, fine = random.uniform(810, 1130, MIXES), random.uniform(600, 970, MIXES)
    return np.round(np.column_stack([cement, slag, ash, water, plasticizer, coarse, fine]), 1)


def _strength(mixes: Array, ages: Array) -> Array:
    """Compressive strength without noise, (n,) MPa.

    Abrams' law (1918): strength falls exponentially with water over binder. Cement hardens with the
    logarithm of its age until 90 days; slag and fly ash bind late. Plasticizer helps up to a dose.
    """
    cement, slag, ash, water, plasticizer = mixes.T[:5]
    hardened = np.log1p(np.minimum(ages, 90)) / np.log1p(90)
    binder = cement + (0.9 * slag + 0.5 * ash) * hardened**2
    helped = 1 + 0.25 * np.tanh(plasticizer / 6)
    strength: Array = np.minimum(120 * hardened * helped * np.exp(-1.9 * water / binder), 82)
    return strength
