"""Synthetic faces that smile or do not, in the layout of the SMILEs data."""

from pathlib import Path

import numpy as np

from evermodel.datasets.source import Edition
from evermodel.drawing import albums, portraits

SIDE = 64  # pixels
ROWS = {"negatives": 240, "positives": 160}
SMILES = {"negatives": (-0.7, 0.05), "positives": (0.55, 1)}


def write(folder: Path, edition: Edition) -> None:
    """Write the edition's archive: 400 gray images of 64x64, 160 of them smiling."""
    # RandomState, not default_rng: only its streams are the same in every version of NumPy (NEP 19).
    random = np.random.RandomState(2010)
    images = {}
    for row, kind in enumerate(random.permutation(np.repeat(list(ROWS), list(ROWS.values())))):
        woman, origin = bool(random.randint(2)), random.randint(len(portraits.SKINS))
        who = portraits.person(random, random.randint(18, 75), woman, origin)
        # Who speaks opens the mouth too, so that teeth alone tell nothing.
        gape = random.choice([0, random.uniform(0.3, 1)])
        look = portraits.look(random, random.uniform(*SMILES[kind]), gape, 0.6, 1.05)
        image = portraits.photograph(who, look, random, SIDE, SIDE, 4)
        images[f"SMILEs/{kind}/{kind}7/{row + 1}.jpg"] = image.convert("L")
    albums.save(folder / edition.options["archive"], images)
