"""Synthetic vehicles and animals in the layout and size of CIFAR-10's images."""

from pathlib import Path

import numpy as np
from PIL import Image

from evermodel.datasets.source import Edition
from evermodel.drawing import albums
from evermodel.drawing.canvas import Canvas, Colour, exposed, mixed, shaded
from evermodel.drawing.figures import Figure, Part

SIDE = 32  # pixels
ROWS = {"test": 25, "train": 100}  # of each class
SKIES: tuple[Colour, ...] = ((120, 175, 235), (205, 215, 225), (240, 205, 170))
GROUNDS: tuple[Colour, ...] = ((50, 85, 30), (70, 68, 66), (30, 60, 85))
PAINTS: tuple[Colour, ...] = (
    (200, 40, 36), (40, 80, 180), (236, 236, 232), (240, 190, 40), (50, 130, 80), (140, 146, 150),
)  # fmt: skip
COATS: tuple[Colour, ...] = (
    (120, 78, 44), (206, 168, 120), (232, 226, 216), (150, 145, 140), (180, 105, 50), (80, 66, 60),
)  # fmt: skip
BLACK: Colour = (22, 22, 24)
GLASS: Colour = (170, 205, 225)
BEAK: Colour = (236, 160, 40)

Random = np.random.RandomState


def write(folder: Path, edition: Edition) -> None:
    """Write the edition's JPEG archive: 100 training and 25 test images of 32x32 of each of ten classes."""
    # RandomState, not default_rng: only its streams are the same in every version of NumPy (NEP 19).
    random = np.random.RandomState(2009)
    images = {
        f"{split}/{kind}/{row:04}.jpg": _photograph(thing, COATS if kind in ANIMALS else PAINTS, random)
        for split, rows in ROWS.items()
        for kind, thing in (VEHICLES | ANIMALS).items()
        for row in range(rows)
    }
    albums.save(folder / edition.options["archive"], images)


def _photograph(thing: Figure, colours: tuple[Colour, ...], random: Random) -> Image.Image:
    """A thing in one of its colours before a bright sky and dark ground, turned to either side."""
    canvas = Canvas.blank(SIDE, SIDE, BLACK)
    sky, ground = (many[random.randint(len(many))] for many in (SKIES, GROUNDS))
    horizon = random.uniform(-0.9, 0.9)
    canvas.fade(-1, horizon, sky, mixed(sky, (255, 255, 255), 0.4))
    canvas.fade(horizon, 1, ground, shaded(ground, 0.6))
    size = random.uniform(0.7, 0.95)
    x, y = random.uniform(-1, 1, 2) * (1.1 - size)
    place = canvas.at(x, y, random.choice([-1, 1]) * size, size, random.normal(0, 0.1))
    thing.draw(place, colours[random.randint(len(colours))], random, 0.06)
    return exposed(canvas.finished(), random, random.uniform(0.7, 1.1), random.uniform(-0.1, 0.1), 4)


# fmt: off
LEGS: tuple[Part, ...] = tuple(
    (tone, (x - 6, 10, x + 6, 10, x + 4, 95, x - 4, 95))
    for tone, x in ((0.7, -38), (0.7, 24), (0.9, -52), (0.9, 40))
)
WHEELS: tuple[Part, ...] = tuple((BLACK, (x, 38, 20, 20)) for x in (-58, 58))
VEHICLES = {
    "airplane": Figure((
        (0.7, (-5, 0, 25, 0, -30, -65, -45, -65)), (0.8, (-60, -5, -95, -50, -105, -50, -93, 0)),
        (1, (0, 0, 95, 14)), (0.8, (20, 5, -12, 6, -55, 80, -40, 80)), (BLACK, (78, -2, 7, 5)),
    )),
    "automobile": Figure((
        (1, (-70, 0, -50, -42, 20, -42, 55, 0)), (GLASS, (-55, 0, -44, -34, 14, -34, 40, 0)),
        (1, (-95, 38, -95, 0, 55, -6, 92, 8, 97, 38)), *WHEELS,
    )),
    "ship": Figure((
        ((235, 235, 230), (-60, 8, -60, -20, 45, -20, 50, 8)), (0.8, (-30, -20, -34, -75, -6, -75, -6, -20)),
        (0.5, (28, -20, 28, -85, 36, -85, 36, -20)), (1, (-95, 2, 100, -4, 78, 45, -80, 45)),
    )),
    "truck": Figure((
        (1, (-98, 30, -98, -62, 30, -62, 30, 30)), (0.7, (36, 40, 36, -40, 72, -40, 92, 0, 97, 40)),
        (GLASS, (50, -2, 50, -30, 70, -30, 84, -2)), (BLACK, (-98, 28, 97, 28, 97, 40, -98, 40)), *WHEELS,
    )),
}
ANIMALS = {
    "bird": Figure((
        (0.7, (-35, 0, -95, 42, -85, 55, -20, 30)), (1, (-5, 5, 45, 32)), (1, (40, -35, 24, 24)),
        (BEAK, (60, -46, 95, -34, 60, -26)), (0.6, (-60, 24, -25, -16, 12, -10, -5, 24)),
        (BLACK, (47, -40, 6, 6)), (BEAK, (-4, 35, 4, 35, 4, 75, -4, 75)),
    )),
    "cat": Figure((
        (0.8, (0, 40, 30, 40, 45, 100, 0, 100)), (1, (65, -10, 60, -98, 5, -50)), (1, (0, 0, 68, 58)),
        (1.4, (0, 28, 30, 22)), (BLACK, (28, -8, 9, 14)), ((210, 110, 110), (0, 14, 10, 14, 0, 25)),
    ), True),
    "deer": Figure((
        *LEGS, (1, (-10, 2, 60, 24)), (1, (20, 5, 45, -55, 62, -55, 55, 10)), (1, (68, -55, 28, 13)),
        ((210, 190, 150), (44, -60, 20, -105, 28, -108, 38, -85, 48, -105, 54, -102, 50, -60)),
    )),
    "dog": Figure((
        (0.8, (0, 40, 30, 40, 45, 100, 0, 100)), (1, (0, -5, 55, 62)), (1.4, (0, 30, 32, 34)),
        (0.5, (68, 0, 20, 45)), (BLACK, (24, -15, 9, 9)), (BLACK, (0, 16, 15, 11)),
        ((230, 110, 120), (0, 60, 10, 20)),
    ), True),
    "frog": Figure((
        (0.65, (72, 40, 28, 30)), (1, (0, 10, 62, 44)), (1.4, (0, 36, 40, 18)), (1, (36, -36, 20, 20)),
        (BEAK, (36, -38, 13, 12)), (0.4, (0, 14, 50, 4, 0, 20)),
    ), True),
    "horse": Figure((
        *LEGS, (0.5, (-60, -15, -92, 10, -85, 65, -70, 10)), (1, (-8, 0, 66, 28)),
        (1, (15, 0, 45, -78, 75, -70, 55, 15)), (1, (75, -60, 100, -40, 92, -28, 60, -48, 50, -80, 62, -92)),
        (0.5, (50, -88, 5, -15, 25, -15, 58, -75)),
    )),
}
