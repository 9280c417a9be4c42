"""Synthetic flowers of seventeen species in synthetic gardens, in the layout of the Oxford flowers."""

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from evermodel.datasets.source import Edition
from evermodel.drawing import albums
from evermodel.drawing.canvas import Canvas, Colour, exposed, mixed, shaded

SIDE = 128  # pixels
ROWS = 24  # of each species
UP, DOWN = 0.0, math.pi  # where a flower looks that is not seen from above
GREEN: Colour = (70, 130, 50)
WHITE: Colour = (244, 244, 240)
YELLOW: Colour = (250, 214, 30)
ORANGE: Colour = (240, 110, 30)
BROWN: Colour = (96, 56, 24)

Random = np.random.RandomState


@dataclass(frozen=True)
class Species:
    """The petals of a flower and what is in their middle; lengths in petals."""

    colours: tuple[Colour, ...]
    petals: int
    width: float  # half of a petal's
    eye: float = 0.2
    centre: Colour = YELLOW
    pointed: bool = False
    rings: int = 1
    spread: float = 2 * math.pi  # the angle that all petals share
    facing: float = UP
    heads: int = 1  # on one stalk


def write(folder: Path, edition: Edition) -> None:
    """Write the edition's archive: 408 colour images of 128x128, 24 of each species."""
    # RandomState, not default_rng: only its streams are the same in every version of NumPy (NEP 19).
    random = np.random.RandomState(2006)
    names = [f"flowers17_128/c{row // ROWS + 1}/image_{row + 1:04}.jpg" for row in range(ROWS * len(FLOWERS))]
    images = {name: _photograph(FLOWERS[row // ROWS], random) for row, name in enumerate(names)}
    albums.save(folder / edition.options["archive"], images)


def _photograph(species: Species, random: Random) -> Image.Image:
    """One plant close by, or some further away, before a sky or nothing but leaves."""
    canvas = Canvas.blank(SIDE, SIDE, GREEN, 2)
    horizon = random.choice([-1, random.uniform(-0.6, 0.1)])
    near: Colour = mixed((56, 104, 36), (84, 60, 42), random.uniform(0, 0.3))
    canvas.fade(-1, horizon, (96, 156, 226), (196, 222, 242))
    canvas.fade(horizon, 1, mixed(near, (120, 160, 80), 0.35), shaded(near, 0.6))
    for x, y, size, tone in random.uniform(size=(8, 4)):
        height = horizon + (1 - horizon) * y
        canvas.glow(2.4 * x - 1.2, height, 0.3 + 0.3 * size, 0.2, shaded(near, 0.5 + tone), 0.5)
    many = random.choice([1, random.randint(2, 5)])
    size = 0.5 if many == 1 else 0.32
    for column, y in zip(random.permutation(many), np.sort(random.uniform(-0.3, 0.3, many)), strict=True):
        x = (column + 0.5) / many * 1.6 - 0.8 + random.uniform(-0.1, 0.1)
        _plant(canvas.at(x, y, size * random.uniform(0.9, 1.2), turn=random.normal(0, 0.1)), species, random)
    light, side = random.uniform(0.75, 1.15), random.uniform(-0.2, 0.2)
    return exposed(canvas.finished(), random, light, side, random.uniform(1, 5))


def _plant(canvas: Canvas, species: Species, random: Random) -> None:
    """A stem, two leaves and its flowers."""
    colour = shaded(species.colours[random.randint(len(species.colours))], random.uniform(0.88, 1.05))
    canvas.line([(0, 0), (random.normal(0, 0.1), 4)], 0.1, shaded(GREEN, 0.9))
    for side in (-1, 1):
        leaf = canvas.at(0, 1.8, side, turn=random.uniform(-0.2, 0.2))
        leaf.blob([(0, 0), (0.1, -0.6), (0.9, -1.2), (0.6, -0.4)], shaded(GREEN, random.uniform(0.65, 0.95)))
    for head in range(species.heads):
        if species.heads == 1:
            _flower(canvas, species, colour, random)
        else:
            _flower(canvas.at(0.3 * (-1) ** head, 0.4 * head - 0.9, 0.55), species, colour, random)


def _flower(canvas: Canvas, species: Species, colour: Colour, random: Random) -> None:
    around = species.spread > 6
    start = random.uniform(0, 2 * math.pi) if around else species.facing - species.spread / 2
    step = species.spread / (species.petals - (not around))
    for ring in range(species.rings):
        for petal in range(species.petals):
            turn = start + (petal + 0.5 * ring) * step + random.normal(0, 0.03)
            tone = (0.85 + 0.15 * (ring + 1) / species.rings) * random.uniform(0.88, 1.04)
            one = canvas.at(0, 0, (1 - 0.25 * ring) * random.uniform(0.93, 1.05), turn=turn)
            _petal(one, species, shaded(colour, tone))
    canvas.oval(0, 0, species.eye, species.eye, shaded(species.centre, 0.75))
    canvas.oval(0, 0, species.eye * 0.7, species.eye * 0.7, species.centre)


def _petal(canvas: Canvas, species: Species, colour: Colour) -> None:
    """From the middle upwards, with a darker edge."""
    width, tip = species.width, 0.1 if species.pointed else 0.8
    right = [(0.25 * width, 0), (width, -0.5), (tip * width, -1)]
    outline = np.array([*right, *((-x, y) for x, y in reversed(right))])
    canvas.blob(outline * (1.1, 1.04), shaded(colour, 0.62))
    canvas.blob(outline, colour)
    canvas.glow(0, -0.2, 0.6 * width, 0.4, shaded(colour, 0.75), 0.5)


FLOWERS = (
    Species(((250, 226, 70), (250, 238, 150)), 6, 0.34, 0.42, (244, 150, 20), True),
    Species((WHITE,), 3, 0.28, 0.15, GREEN, spread=0.9, facing=DOWN),
    Species((WHITE,), 3, 0.4, 0.1, GREEN, spread=0.6, facing=DOWN, heads=6),
    Species(((94, 96, 210), (116, 104, 220)), 3, 0.34, 0.1, GREEN, spread=0.8, facing=DOWN, heads=6),
    Species(((150, 90, 200), (180, 140, 220)), 4, 0.34, 0.2, ORANGE, spread=1.1),
    Species(((96, 50, 160), (130, 110, 210)), 3, 0.5, 0.12, rings=2),
    Species((ORANGE, (236, 90, 40)), 6, 0.3, 0.14, BROWN, True),
    Species(((214, 30, 40), (240, 190, 40), (226, 90, 130)), 3, 0.42, 0.1, GREEN, True, spread=0.7),
    Species(((130, 40, 90), (150, 60, 110)), 3, 0.5, 0.1, (226, 180, 210), spread=0.5, facing=DOWN),
    Species(((250, 196, 20),), 17, 0.17, 0.45, BROWN, True, 2),
    Species((WHITE,), 17, 0.13, 0.26),
    Species(((250, 216, 40),), 26, 0.06, 0.3, (240, 180, 20), rings=2),
    Species(((250, 200, 20),), 20, 0.1, 0.12, (230, 160, 10), rings=3),
    Species(((250, 216, 60),), 5, 0.4, 0.15, ORANGE, heads=5),
    Species((YELLOW,), 5, 0.55, centre=(200, 200, 60)),
    Species((WHITE, (226, 214, 240)), 6, 0.4, 0.18, (210, 210, 70)),
    Species(((120, 60, 170), (70, 50, 150), (230, 220, 240)), 5, 0.6, 0.3, (60, 20, 60)),
)
