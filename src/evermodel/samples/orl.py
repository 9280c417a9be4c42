"""Synthetic faces of forty-six people, ten images each, in the layout of the AT&T (ORL) faces."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from evermodel.datasets.source import Edition
from evermodel.drawing import albums, portraits

WIDTH, HEIGHT = 92, 112  # pixels
PEOPLE, IMAGES = 46, 10


def write(folder: Path, edition: Edition) -> None:
    """Write the edition's archive: 460 gray images of 92x112, att_faces/s<person>/<image>.pgm."""
    # RandomState, not default_rng: only its streams are the same in every version of NumPy (NEP 19).
    random = np.random.RandomState(1994)
    images = {}
    for number in range(1, PEOPLE + 1):
        woman, origin = random.uniform() < 0.3, random.randint(len(portraits.SKINS))
        who = portraits.person(random, random.randint(18, 65), woman, origin)
        for image in range(1, IMAGES + 1):
            # Who has glasses now and then takes them off, and the other way round.
            dressed = replace(who, glasses=who.glasses != (random.uniform() < 0.15))
            gape = random.choice([0, 0, random.uniform(0, 0.9)])
            look = portraits.look(random, random.uniform(-0.5, 1), gape, 0.45, 0.9)
            taken = portraits.photograph(
                dressed, replace(look, backdrop=(96, 96, 96)), random, WIDTH, HEIGHT, 3
            )
            images[f"att_faces/s{number}/{image}.pgm"] = taken.convert("L")
    albums.save(folder / edition.options["archive"], images)
