"""Made faces of forty people, ten images each, in the layout of the AT&T (ORL) faces."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from evermodel.datasets.source import Edition
from evermodel.drawing import albums, portraits
from evermodel.drawing.portraits import Look, Person, Random

WIDTH, HEIGHT = 92, 112  # pixels
PEOPLE, IMAGES = 40, 10


def write(folder: Path, edition: Edition) -> None:
    """Write the edition's archive: 400 gray images of 92x112, att_faces/s<person>/<image>.pgm."""
    # RandomState, not default_rng: only its streams are the same in every version of NumPy (NEP 19).
    random = np.random.RandomState(1994)
    images = {}
    for number in range(1, PEOPLE + 1):
        who = _somebody(random)
        for image in range(1, IMAGES + 1):
            taken = portraits.photograph(_dressed(who, random), _look(random), random, WIDTH, HEIGHT, 3)
            images[f"att_faces/s{number}/{image}.pgm"] = taken.convert("L")
    albums.save(folder / edition.options["archive"], images)


def _somebody(random: Random) -> Person:
    woman, origin = random.uniform() < 0.3, random.randint(len(portraits.SKINS))
    return portraits.person(random, random.randint(18, 65), woman, origin)


def _dressed(who: Person, random: Random) -> Person:
    """The same person, who now and then puts glasses on or takes them off."""
    return replace(who, glasses=who.glasses != (random.uniform() < 0.15))


def _look(random: Random) -> Look:
    smile = random.uniform(-0.5, 1)
    return Look(
        smile=smile, gape=random.choice([0, 0, random.uniform(0, 0.9)]), yaw=random.normal(0, 0.4),
        tilt=random.normal(0, 0.06), x=random.normal(0, 0.04), y=random.normal(0.05, 0.04),
        size=random.uniform(0.85, 0.97), light=random.uniform(0.75, 1.2), side=random.uniform(-0.4, 0.4),
        noise=random.uniform(2, 6), blink=random.uniform() ** 4, backdrop=(96, 96, 96),
    )  # fmt: skip
