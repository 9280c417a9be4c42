"""Made flowers of seventeen species in made gardens, in the layout of the Oxford flowers."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image

from evermodel.datasets.source import Edition
from evermodel.drawing import albums
from evermodel.drawing.canvas import Canvas, Colour, exposed, mixed, shaded

SIDE = 128  # pixels
ROWS = 24  # of each species
NARROW = 0.2  # what is no broader than this shows no vein
GREEN: Colour = (70, 130, 50)

Random = np.random.RandomState
Drawing = Callable[[Canvas, Colour, Random], None]


@dataclass(frozen=True)
class Species:
    """How a flower of radius 1 is drawn, and in which colours it grows."""

    draw: Drawing
    colours: tuple[Colour, ...]
    size: float = 0.5  # of the image, where there is but one flower
    leaf: float = 0.12  # how broad its leaves are


def write(folder: Path, edition: Edition) -> None:
    """Write the edition's archive: 408 colour images of 128x128, 24 of each species."""
    # RandomState, not default_rng: only its streams are the same in every version of NumPy (NEP 19).
    random = np.random.RandomState(2006)
    names = [f"flowers17_128/c{row // ROWS + 1}/image_{row + 1:04}.jpg" for row in range(ROWS * len(FLOWERS))]
    images = {name: _photograph(FLOWERS[row // ROWS], random) for row, name in enumerate(names)}
    albums.save(folder / edition.options["archive"], images)


def _photograph(species: Species, random: Random) -> Image.Image:
    canvas = Canvas.blank(SIDE, SIDE, GREEN, 2)
    _garden(canvas, random)
    for x, y, size in _places(species, random):
        hue = species.colours[random.randint(len(species.colours))]
        _stem(canvas, x, y, size, species.leaf, random)
        flower = canvas.at(x, y, size, size * random.uniform(0.8, 1), random.normal(0, 0.15))
        species.draw(flower, shaded(hue, random.uniform(0.88, 1.05)), random)
    light, side = random.uniform(0.75, 1.15), random.uniform(-0.2, 0.2)
    return exposed(canvas.finished(), random, light, side, random.uniform(1, 5))


def _places(species: Species, random: Random) -> list[tuple[float, float, float]]:
    """Where the flowers are and how large: one close by, or some further away, the nearest last."""
    if random.uniform() < 0.5:
        x, y = random.uniform(-0.2, 0.2, 2)
        return [(x, y - 0.1, species.size * random.uniform(1, 1.35))]
    many = random.randint(2, 5)
    columns = (random.permutation(many) + 0.5) / many * 2 - 1
    heights = np.sort(random.uniform(-0.45, 0.35, many))
    return [(x, y, species.size * (0.6 + 0.25 * y)) for x, y in zip(columns * 0.8, heights, strict=True)]


def _garden(canvas: Canvas, random: Random) -> None:
    """Sky above grass, or nothing but leaves or soil, all out of focus but for some blades."""
    kind = random.randint(4)
    horizon = random.uniform(-0.6, 0.1) if kind < 2 else -1.1
    canvas.fade(-1.1, horizon, (96, 156, 226), (196, 222, 242))
    near: Colour = (84, 60, 42) if kind == 3 else (56, 104, 36)
    canvas.fade(horizon, 1.1, mixed(near, (120, 160, 80), 0.35), shaded(near, 0.6))
    for x, y, size, tone in random.uniform(size=(8, 4)):
        spot = mixed(near, GREEN, 0.5)
        height = horizon + (1.1 - horizon) * y
        canvas.glow(2.4 * x - 1.2, height, 0.3 + 0.3 * size, 0.2, shaded(spot, 0.5 + tone), 0.5)
    for x, y, lean, tone in random.uniform(size=(0 if kind == 3 else 14, 4)):
        x, root = 2.4 * x - 1.2, 1.1
        tip = max(horizon + 0.15, 0.2 + 0.7 * y)
        middle = (x + 0.08 * (lean - 0.5), (root + tip) / 2)
        canvas.line(
            [(x, root), middle, (x + 0.5 * (lean - 0.5), tip)], 0.03, shaded((90, 150, 56), 0.5 + 0.7 * tone)
        )


def _stem(canvas: Canvas, x: float, y: float, size: float, leaf: float, random: Random) -> None:
    foot = x + random.normal(0, 0.1)
    canvas.line(
        [(x, y), ((x + foot) / 2 + 0.04, (y + 1.2) / 2), (foot, 1.2)], 0.09 * size + 0.01, shaded(GREEN, 0.9)
    )
    for side in (-1, 1):
        blade = canvas.at(foot, 1.05, side * (0.5 + size), 0.5 + size, random.uniform(-0.2, 0.2))
        tip = (0.6, -0.75 + random.uniform(-0.2, 0.3))
        blade.blob(
            [(0, 0), (0.2 - leaf, -0.35), tip, (0.25 + leaf, -0.25)],
            shaded(GREEN, random.uniform(0.65, 0.95)),
        )
        blade.line([(0, 0), (0.22, -0.3), tip], 0.02, shaded(GREEN, 0.55), 0.7)


def _petal(canvas: Canvas, colour: Colour, width: float, point: float, base: Colour) -> None:
    """From the middle upwards. width: half of it; point: 0 for a round tip, 1 for a sharp one."""
    broad = width * (1 - 0.55 * point)
    right = [(0.25 * width, -0.25), (width, -0.55), (broad, -0.85), (0.25 * broad, -1)]
    outline = [(0.0, 0.0), *right, *((-x, y) for x, y in reversed(right))]
    canvas.blob([(1.09 * x, 1.03 * y) for x, y in outline], shaded(colour, 0.62))
    canvas.blob(outline, colour)
    if width > NARROW:
        canvas.line([(0, -0.2), (0, -0.85)], 0.03, shaded(colour, 0.78), 0.7)
        canvas.glow(0, -0.15, 0.6 * width, 0.35, base, 0.55)


def _rosette(
    canvas: Canvas, colour: Colour, random: Random, *, petals: int, width: float, point: float = 0,
    layers: int = 1, base: Colour | None = None, eye: float = 0.2, centre: Colour = (230, 190, 50),
) -> None:  # fmt: skip
    """Petals around an eye, seen from above."""
    start = random.uniform(0, 2 * math.pi)
    for layer in range(layers):
        size, tone = 1 - 0.25 * layer, 1 - 0.1 * (layers - 1 - layer)
        for petal in range(petals):
            angle = start + (petal + 0.5 * layer) * 2 * math.pi / petals
            leaf = canvas.at(0, 0, size * random.uniform(0.93, 1.05), turn=angle + random.normal(0, 0.03))
            _petal(
                leaf,
                shaded(colour, tone * random.uniform(0.9, 1.04)),
                width,
                point,
                base or shaded(colour, 0.8),
            )
    canvas.oval(0, 0, eye, eye, shaded(centre, 0.75))
    for x, y in _sown(eye):
        canvas.oval(x, y, 0.035, 0.035, shaded(centre, 1.15))


def _sown(radius: float) -> list[tuple[float, float]]:
    """Places inside a circle as a sunflower has its seeds (Vogel 1979)."""
    seeds = [(radius * math.sqrt((seed + 0.5) / 22), 2.39996 * seed) for seed in range(22)]
    return [(reach * math.cos(angle), reach * math.sin(angle)) for reach, angle in seeds]


def _daffodil(canvas: Canvas, colour: Colour, random: Random) -> None:
    _rosette(canvas, colour, random, petals=6, width=0.3, point=0.6)
    for radius, tone in ((0.4, 0.8), (0.37, 1.0), (0.22, 0.6)):
        canvas.oval(0, 0, radius, radius, shaded((244, 150, 20), tone))


def _lily(canvas: Canvas, colour: Colour, random: Random) -> None:
    _rosette(canvas, colour, random, petals=6, width=0.26, point=1, eye=0.08, base=(200, 60, 20))
    for reach, angle in random.uniform((0.25, 0), (0.75, 6.28), (40, 2)):
        canvas.oval(reach * math.cos(angle), reach * math.sin(angle), 0.025, 0.025, (90, 24, 16), 0.9)
    for angle in np.arange(6) * math.pi / 3 + random.uniform(0, 1):
        tip = 0.6 * math.cos(angle), 0.6 * math.sin(angle)
        canvas.line([(0, 0), tip], 0.03, (224, 220, 150))
        canvas.oval(*tip, 0.06, 0.05, (110, 40, 20))


def _pansy(canvas: Canvas, colour: Colour, random: Random) -> None:
    lower = mixed(colour, (250, 210, 60), random.choice([0.2, 0.9]))
    for angle, tint in ((-0.5, colour), (0.5, colour), (-1.75, lower), (1.75, lower), (math.pi, lower)):
        _petal(canvas.at(0, 0, turn=angle), tint, 0.52, 0, (60, 20, 60))
    for angle in (-1.9, -1.6, -0.3 + math.pi, math.pi, 0.3 + math.pi, 1.6, 1.9):
        canvas.at(0, 0, turn=angle).line([(0, -0.08), (0, -0.42)], 0.035, (50, 16, 50))
    canvas.oval(0, 0.05, 0.1, 0.08, (246, 200, 40))


def _iris(canvas: Canvas, colour: Colour, random: Random) -> None:
    for angle in (-0.45, 0.45, 0):
        _petal(canvas.at(0, 0.05, 0.95, turn=angle), shaded(colour, 1.12), 0.36, 0, colour)
    for angle in (-2.1, 2.1, math.pi):
        fall = canvas.at(0, 0, 0.95, turn=angle + random.normal(0, 0.05))
        _petal(fall, shaded(colour, 0.85), 0.36, 0, (240, 226, 170))
        fall.line([(0, -0.1), (0, -0.5)], 0.09, (244, 200, 50))


def _cup(canvas: Canvas, colour: Colour, random: Random, *, point: float, stamens: bool) -> None:
    """Half-open petals, seen from the side."""
    for angle in (-0.45, 0.45):
        _petal(canvas.at(0, 0.75, 1.3, 1.55, angle), shaded(colour, 0.72), 0.3, point, shaded(colour, 0.6))
    if stamens:
        for x in (-0.15, 0, 0.15):
            canvas.line([(0, 0.3), (x, -0.6)], 0.08, (244, 140, 20))
    for angle in (-0.26, 0.26, 0) if not stamens else (-0.3, 0.3):
        tone = 1 if angle else 1.1
        _petal(canvas.at(0, 0.8, 1.2, 1.45, angle), shaded(colour, tone), 0.34, point, shaded(colour, 0.75))


def _bell(canvas: Canvas, colour: Colour, long: float, rim: Colour) -> None:
    """One hanging bell, from its stalk downwards."""
    right = [(0.18, 0), (0.36, 0.35 * long), (0.38, 0.75 * long), (0.52, long), (0.25, 0.93 * long)]
    outline = [*right, (0, 1.06 * long), *((-x, y) for x, y in reversed(right))]
    canvas.blob([(1.12 * x, 1.05 * y - 0.02) for x, y in outline], shaded(colour, 0.6))
    canvas.blob(outline, colour)
    for x in (-0.2, 0.2):
        canvas.line([(x * 0.5, 0.1), (x, 0.85 * long)], 0.06, shaded(colour, 0.78), 0.8)
    canvas.glow(0, 0.95 * long, 0.4, 0.18, rim, 0.8)


def _bells(canvas: Canvas, colour: Colour, random: Random, *, count: int, long: float, rim: Colour) -> None:
    """Bells along a stalk that bends to one side."""
    side = random.choice([-1, 1])
    arch = [(0.9 * side * t**2, 1.1 - 2.1 * t + 0.45 * t**3) for t in np.linspace(0, 1, count + 1)]
    canvas.line([(0, 1.3), *arch], 0.08, shaded(GREEN, 0.85))
    for place, (x, y) in enumerate(arch[1:]):
        hang = canvas.at(x + 0.12 * (-1) ** place, y, 0.4, turn=0.35 * (-1) ** (place + 1))
        hang.line([(0, -0.25), (0, 0.1)], 0.1, shaded(GREEN, 0.9))
        _bell(hang, shaded(colour, random.uniform(0.9, 1.05)), long, rim)


def _drop(canvas: Canvas, colour: Colour, random: Random) -> None:
    """A snowdrop: three long petals hang from a hook."""
    canvas.line([(0, 1.3), (-0.15, 0), (-0.05, -0.8), (0.2, -0.8), (0.25, -0.5)], 0.09, shaded(GREEN, 0.85))
    head = canvas.at(0.25, -0.5)
    for angle in (math.pi - 0.5, math.pi + 0.5, math.pi):
        _petal(
            head.at(0, 0, turn=angle),
            shaded(colour, 1 if angle == math.pi else 0.86),
            0.28,
            0.3,
            (220, 230, 210),
        )
    head.line([(-0.1, 0.72), (0, 0.62), (0.1, 0.72)], 0.07, (80, 150, 60))
    head.oval(0, 0, 0.13, 0.16, (96, 150, 60))


def _chequered(canvas: Canvas, colour: Colour, random: Random) -> None:
    """A snake's head fritillary: one large bell with a chessboard on it."""
    canvas.line([(0, 1.3), (-0.2, 0), (-0.1, -0.9), (0.1, -0.95), (0.15, -0.7)], 0.09, shaded(GREEN, 0.85))
    head = canvas.at(0.15, -0.75, 1.4)
    _bell(head, colour, 1.05, shaded(colour, 0.8))
    for row in range(6):
        for column in range(-2, 3):
            if (row + column) % 2:
                x, y = 0.13 * column, 0.12 + 0.14 * row
                head.shape(
                    [(x - 0.06, y), (x, y - 0.07), (x + 0.06, y), (x, y + 0.07)], (226, 180, 210), 0.85
                )


def _umbel(canvas: Canvas, colour: Colour, random: Random) -> None:
    """A cowslip: small flowers on long green cups, in a bunch."""
    for angle in random.permutation(np.linspace(-1.5, 1.5, 7)):
        one = canvas.at(0, 0.5, turn=angle + random.normal(0, 0.1))
        one.line([(0, 0), (0, -0.4)], 0.06, shaded(GREEN, 1.1))
        one.blob([(-0.06, -0.3), (0.06, -0.3), (0.13, -0.75), (-0.13, -0.75)], (170, 200, 120))
        for petal in range(5):
            _petal(one.at(0, -0.85, 0.26, turn=petal * 2 * math.pi / 5), colour, 0.45, 0, (240, 140, 30))


YELLOW: Colour = (250, 214, 30)
WHITE: Colour = (244, 244, 240)
PURPLE: Colour = (120, 60, 170)
FLOWERS = (
    Species(_daffodil, ((250, 226, 70), (250, 238, 150))),
    Species(_drop, (WHITE,), leaf=0.03),
    Species(partial(_bells, count=6, long=0.8, rim=WHITE), (WHITE,), size=0.6, leaf=0.3),
    Species(
        partial(_bells, count=6, long=1.3, rim=(150, 150, 240)),
        ((94, 96, 210), (116, 104, 220)),
        size=0.6,
        leaf=0.04,
    ),
    Species(partial(_cup, point=0.3, stamens=True), ((150, 90, 200), (180, 140, 220)), size=0.4, leaf=0.02),
    Species(_iris, ((96, 50, 160), (130, 110, 210))),
    Species(_lily, ((240, 110, 30), (236, 90, 40)), size=0.55),
    Species(
        partial(_cup, point=0.9, stamens=False),
        ((214, 30, 40), (240, 190, 40), (226, 90, 130)),
        size=0.4,
        leaf=0.15,
    ),
    Species(_chequered, ((130, 40, 90), (150, 60, 110)), size=0.45, leaf=0.02),
    Species(
        partial(_rosette, petals=17, width=0.17, point=0.8, layers=2, eye=0.45, centre=(96, 56, 24)),
        ((250, 196, 20),),
    ),
    Species(partial(_rosette, petals=17, width=0.13, eye=0.26, base=(220, 220, 230)), (WHITE,)),
    Species(
        partial(_rosette, petals=26, width=0.06, layers=2, eye=0.3, centre=(240, 180, 20)), ((250, 216, 40),)
    ),
    Species(
        partial(_rosette, petals=20, width=0.1, layers=3, eye=0.12, centre=(230, 160, 10)),
        ((250, 200, 20),),
        size=0.42,
    ),
    Species(_umbel, ((250, 216, 60),), size=0.5, leaf=0.25),
    Species(partial(_rosette, petals=5, width=0.55, eye=0.2, centre=(200, 200, 60)), (YELLOW,), size=0.45),
    Species(
        partial(_rosette, petals=6, width=0.4, base=(236, 226, 236), eye=0.18, centre=(210, 210, 70)),
        (WHITE, (226, 214, 240)),
    ),
    Species(_pansy, (PURPLE, (70, 50, 150), (230, 220, 240))),
)
