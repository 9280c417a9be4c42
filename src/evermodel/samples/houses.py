"""Synthetic houses in the columns of the Boston table."""

from pathlib import Path

import numpy as np

from evermodel.core.data import Array
from evermodel.datasets.source import Edition

ROWS = 506
DECIMALS = {"CRIM": 5, "CHAS": 0, "NOX": 4, "RM": 3, "DIS": 4, "RAD": 0}
NOISE = 1.2  # thousand dollars, the standard deviation of what no feature explains


def write(folder: Path, edition: Edition) -> None:
    """Write the edition's one file: a house a line, its columns in the edition's order."""
    # RandomState, not default_rng: only its streams are the same in every version of NumPy (NEP 19).
    houses = _houses(np.random.RandomState(1978))
    columns = edition.options["columns"]
    formats = [f"%.{DECIMALS.get(name, 2)}f" for name in columns]
    np.savetxt(folder / edition.files[0].name, np.column_stack([houses[name] for name in columns]), formats)


def _houses(random: np.random.RandomState) -> dict[str, Array]:
    """Column -> (ROWS,) float64. How central a house lies and how rich its street is explain the rest."""
    central, rich = random.uniform(size=(2, ROWS))

    def around(value: Array, spread: float, low: float, high: float) -> Array:
        return np.clip(value + spread * random.normal(size=ROWS), low, high)

    rad = np.where(central > 0.75, 24, random.randint(1, 9, ROWS))
    houses = {
        "CRIM": np.clip(0.05 * np.exp(5 * central + random.normal(size=ROWS)), 0.01, 20),
        "ZN": around(150 * (0.3 - central), 5, 0, 95),
        "INDUS": around(2 + 18 * central, 2, 0.5, 28),
        "CHAS": (random.uniform(size=ROWS) < 0.1).astype(float),
        "NOX": around(0.4 + 0.35 * central**2, 0.02, 0.35, 0.9),
        "RM": around(4.5 + 3.5 * rich, 0.3, 3.6, 8.8),
        "AGE": around(20 + 75 * central, 12, 3, 100),
        "DIS": around(1.5 + 8 * (1 - central), 0.3, 1.1, 12),
        "RAD": rad.astype(float),
        "TAX": around(220 + 18 * rad, 20, 190, 710),
        "PTRATIO": random.uniform(13, 22, ROWS),
        "B": random.uniform(300, 397, ROWS),
        "LSTAT": around(33 - 28 * rich, 2, 1.8, 38),
    }
    price = _worth(houses) + NOISE * random.normal(size=ROWS)
    return houses | {"MEDV": np.clip(price, 5, 50)}


def _worth(houses: dict[str, Array]) -> Array:
    """The price without noise, in thousand dollars, which no straight line fits.

    The best place is neither in the centre nor far from it, and only there do rooms pay; small school
    classes add to that.
    """
    rooms = 1 / (1 + np.exp(-2 * (houses["RM"] - 6)))
    place = np.exp(-(((houses["DIS"] - 5.5) / 2) ** 2))
    classes = 1 - (houses["PTRATIO"] - 13) / 18
    worth: Array = 9 + 32 * rooms * place * classes + 8 * place + 3 * houses["CHAS"]
    return worth
