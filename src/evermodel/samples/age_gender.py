"""Synthetic portraits of people of all ages, in UTKFace's layout."""

from pathlib import Path

import numpy as np

from evermodel.datasets.source import Edition
from evermodel.drawing import albums, portraits

SIDE = 200  # pixels
ROWS = 600
OLDEST = 90  # years
FIRST = 20170101000000000  # the date and time in a name, down to the millisecond


def write(folder: Path, edition: Edition) -> None:
    """Write the edition's archive: 400 colour images of 200x200, aged 1 to 90.

    The names say age_gender_race_date, where gender is 0 for a man and 1 for a woman.
    """
    # RandomState, not default_rng: only its streams are the same in every version of NumPy (NEP 19).
    random = np.random.RandomState(2017)
    images = {}
    for row in range(ROWS):
        age, woman = random.randint(1, OLDEST + 1), random.randint(2)
        origin = random.randint(len(portraits.SKINS))
        who = portraits.person(random, age, bool(woman), origin)
        smile = random.uniform(-0.3, 1)
        look = portraits.look(random, smile, random.uniform(0, 0.8) * (smile > 0.2), 0.4, 0.76)
        name = f"UTKFace_2000/{age}_{woman}_{origin}_{FIRST + row}.jpg.chip.jpg"
        images[name] = portraits.photograph(who, look, random, SIDE, SIDE, 2)
    albums.save(folder / edition.options["archive"], images)
