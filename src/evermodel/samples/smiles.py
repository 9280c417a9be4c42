"""Made faces that smile or do not, in the layout of the SMILEs data."""

from pathlib import Path

import numpy as np

from evermodel.datasets.source import Edition
from evermodel.drawing import albums, portraits
from evermodel.drawing.portraits import Look, Random

SIDE = 64  # pixels
ROWS = {"negatives": 240, "positives": 160}


def write(folder: Path, edition: Edition) -> None:
    """Write the edition's archive: 400 gray images of 64x64, 160 of them smiling."""
    # RandomState, not default_rng: only its streams are the same in every version of NumPy (NEP 19).
    random = np.random.RandomState(2010)
    images = {}
    for row, kind in enumerate(random.permutation(np.repeat(list(ROWS), list(ROWS.values())))):
        woman, origin = bool(random.randint(2)), random.randint(len(portraits.SKINS))
        who = portraits.person(random, random.randint(18, 75), woman, origin)
        look = _look(random, *(_smiling(random) if kind == "positives" else _serious(random)))
        image = portraits.photograph(who, look, random, SIDE, SIDE, 4)
        images[f"SMILEs/{kind}/{kind}7/{row + 1}.jpg"] = image.convert("L")
    albums.save(folder / edition.options["archive"], images)


def _smiling(random: Random) -> tuple[float, float]:
    """How broad the smile is and how far the mouth is open."""
    return random.uniform(0.55, 1), random.choice([0, random.uniform(0.3, 1)])


def _serious(random: Random) -> tuple[float, float]:
    """The same; who speaks opens the mouth too, so that teeth alone tell nothing."""
    return random.uniform(-0.7, 0.05), random.choice([0, random.uniform(0.3, 1)])


def _look(random: Random, smile: float, gape: float) -> Look:
    """Any pose and light; most of what differs between two images is this."""
    return Look(
        smile=smile, gape=gape, yaw=random.normal(0, 0.5), tilt=random.normal(0, 0.14),
        x=random.normal(0, 0.09), y=random.normal(0, 0.09), size=random.uniform(0.8, 1.1),
        light=random.uniform(0.65, 1.3), side=random.uniform(-0.5, 0.5), noise=random.uniform(3, 9),
        blink=random.uniform() ** 4, backdrop=tuple(random.uniform(20, 235, 3)),
    )  # fmt: skip
