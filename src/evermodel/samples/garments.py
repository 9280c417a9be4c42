"""Silhouettes of garments, drawn from tables, in Fashion-MNIST's ten classes."""

from pathlib import Path

import numpy as np

from evermodel.core.data import Array
from evermodel.datasets.source import Edition
from evermodel.drawing.canvas import Canvas
from evermodel.drawing.figures import Figure
from evermodel.formats import idx_format

SIDE = 28  # pixels
ROWS = {"train": 200, "test": 150}  # of each class

Random = np.random.RandomState


def write(folder: Path, edition: Edition) -> None:
    """Write the edition's four files: 2,000 training and 500 test images of 28x28."""
    # RandomState, not default_rng: only its streams are the same in every version of NumPy (NEP 19).
    random = Random(2017)
    splits = {}
    for split, rows in ROWS.items():
        labels = random.permutation(np.repeat(np.arange(len(GARMENTS), dtype=np.uint8), rows))
        splits[split] = np.stack([_photograph(GARMENTS[label], random) for label in labels]), labels
    idx_format.save(folder, splits)


def _photograph(garment: Figure, random: Random) -> Array:
    """The garment somewhere in the image, of some size, shade and cloth, (SIDE, SIDE) uint8."""
    canvas, shade = Canvas.blank(SIDE, SIDE, (0, 0, 0)), random.uniform(80, 230)
    (width, height), (x, y) = random.uniform(0.7, 0.95, 2), random.uniform(-0.15, 0.15, 2)
    place = canvas.at(x, y, width * random.choice([-1, 1, 1]), height, random.normal(0, 0.07))
    garment.draw(place, (shade, shade, shade), random, 0.2)
    drawn = canvas.finished()[..., 0]
    noise = random.normal(0, 12, (SIDE, SIDE)) * (drawn > 0)
    return np.rint(np.clip(drawn * _cloth(random) + noise, 0, 255)).astype(np.uint8)


def _cloth(random: Random) -> Array:
    """What the weave does to the brightness, (SIDE, SIDE): plain, striped across or along, or checked."""
    y, x = np.mgrid[:SIDE, :SIDE]
    period, contrast = random.randint(3, 7), random.uniform(0.2, 0.7)
    across, along = random.randint(2, size=2)
    stripes = across * (y % period < period / 2) + along * (x % period < period / 2)
    cloth: Array = 1 - contrast * stripes / 2
    return cloth


# fmt: off
# Of what is symmetrical, the right halves.
NECK = (0, (0, -90, 17, -90, 12, -80, 0, -72))
SLEEVE = (0.93, (40, -78, 52, -70, 92, 55, 70, 65, 45, -20))
BODY = (1, (0, -85, 18, -85, 47, -75, 44, -30, 45, 75, 0, 75))
GARMENTS = (
    # T-shirt, trouser, pullover, dress, coat
    Figure(((0.93, (40, -78, 52, -70, 72, -35, 52, -25, 42, -30)), BODY, NECK), True),
    Figure(((1, (0, -95, 32, -95, 37, -40, 38, 95, 8, 95, 0, -25)),
            (0.75, (0, -95, 32, -95, 33, -85, 0, -85))), True),
    Figure((SLEEVE, BODY, (0.75, (0, 64, 45, 64, 45, 76, 0, 76)), NECK), True),
    Figure(((1, (0, -95, 14, -95, 30, -75, 23, -15, 50, 95, 0, 95)),
            (0, (0, -98, 12, -98, 8, -80, 0, -74))), True),
    Figure((SLEEVE, (1, (0, -85, 18, -85, 47, -75, 46, -30, 52, 92, 0, 92)),
            (0.3, (0, -60, 5, -60, 5, 95, 0, 95)), (0.75, (2, -30, 20, -86, 28, -60)), NECK), True),
    # Sandal, shirt, sneaker, bag, ankle boot
    Figure(((0.9, (-95, 50, -60, 8, 0, 0, 35, -30, 85, -30, 88, 30)),
            *((0, (x, 50, x + 18, 50, x + 26, -60, x + 8, -60)) for x in (-75, -35, 5, 45)),
            (1, (-97, 45, -10, 45, 95, 25, 95, 60, 80, 60, 75, 40, -10, 60, -95, 60)))),
    Figure((SLEEVE, BODY, (1.25, (2, -62, 18, -98, 32, -70)), (1.15, (0, -65, 6, -65, 6, 75, 0, 75)),
            *((0.2, (0, y, 4, y, 4, y + 9, 0, y + 9)) for y in (-50, -25, 0, 25, 50))), True),
    Figure(((1, (-95, 40, -90, 20, -30, 0, 20, -20, 45, -10, 85, -20, 95, 40)),
            (0.6, (-97, 38, 97, 38, 95, 55, -90, 55)), (1.3, (-30, 0, 10, -10, 15, 2, -25, 12)))),
    Figure(((0.9, (0, -75, 22, -75, 38, -10, 0, -10)), (0, (0, -62, 15, -62, 28, -10, 0, -10)),
            (1, (0, -15, 76, -15, 82, 68, 0, 68)), (0.8, (0, -15, 76, -15, 76, 10, 0, 10))), True),
    Figure(((1, (-95, 60, -85, 35, -10, 10, 10, -78, 85, -78, 80, 20, 90, 60, 30, 60)),
            (0.6, (-97, 60, 20, 60, 45, 58, 90, 55, 90, 80, 60, 80, 40, 70, -95, 72)))),
)
