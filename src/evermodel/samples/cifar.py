"""Made vehicles and animals in the layout and size of CIFAR-10's images."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
from PIL import Image

from evermodel.datasets.source import Edition
from evermodel.drawing import albums
from evermodel.drawing.canvas import Canvas, Colour, exposed, mixed, shaded

SIDE = 32  # pixels
ROWS = {"test": 25, "train": 100}  # of each class
BLACK: Colour = (22, 22, 24)
GLASS: Colour = (170, 205, 225)
PAINTS: tuple[Colour, ...] = (
    (200, 40, 36), (40, 80, 180), (236, 236, 232), (60, 62, 68), (240, 190, 40), (50, 130, 80),
    (160, 166, 172),
)  # fmt: skip
COATS: tuple[Colour, ...] = (
    (120, 78, 44), (60, 44, 36), (206, 168, 120), (232, 226, 216), (140, 136, 132), (170, 100, 50),
)  # fmt: skip
# Above and below the horizon.
SKY: tuple[Colour, Colour] = (90, 150, 220), (190, 215, 240)
SEA: tuple[Colour, Colour] = (60, 110, 150), (30, 70, 110)
FIELD: tuple[Colour, Colour] = (120, 160, 80), (70, 110, 44)
WOOD: tuple[Colour, Colour] = (50, 74, 40), (90, 110, 60)
STREET: tuple[Colour, Colour] = (140, 140, 140), (90, 90, 94)
ROOM: tuple[Colour, Colour] = (200, 180, 150), (150, 110, 80)
SCENES = (SKY, SEA, FIELD, WOOD, STREET, ROOM)
ANYWHERE = 0.3  # how often a thing is somewhere unusual

T = TypeVar("T")
Random = np.random.RandomState
Drawing = Callable[[Canvas, Random], None]


def write(folder: Path, edition: Edition) -> None:
    """Write the edition's JPEG archive: 100 training and 25 test images of 32x32 of each of ten classes."""
    # RandomState, not default_rng: only its streams are the same in every version of NumPy (NEP 19).
    random = np.random.RandomState(2009)
    images = {
        f"{split}/{kind}/{row:04}.jpg": _photograph(thing, random)
        for split, rows in ROWS.items()
        for kind, thing in THINGS.items()
        for row in range(rows)
    }
    albums.save(folder / edition.options["archive"], images)


@dataclass(frozen=True)
class Thing:
    """One class: how it is drawn, and above and before what it is seen."""

    draw: tuple[Drawing, ...]
    above: tuple[tuple[Colour, Colour], ...]
    below: tuple[tuple[Colour, Colour], ...]


def _photograph(thing: Thing, random: Random) -> Image.Image:
    """One of its views somewhere in a scene: near or far, turned, from either side, in any light."""
    canvas = Canvas.blank(SIDE, SIDE, BLACK)
    above, below = (SCENES, SCENES) if random.uniform() < ANYWHERE else (thing.above, thing.below)
    horizon, tone = random.uniform(-0.4, 0.5), random.uniform(0.6, 1.25)
    for (top, bottom), (upper, lower) in (
        ((-1, horizon), _one(above, random)),
        ((horizon, 1), _one(below, random)),
    ):
        canvas.fade(top, bottom, shaded(upper, tone), shaded(lower, tone), 8)
    for x, y, size, light in random.uniform(size=(4, 4)):
        canvas.glow(
            2.4 * x - 1.2, 2 * y - 1, 0.5 * size, 0.3, shaded((128, 128, 110), 0.3 + 1.4 * light), 0.35
        )
    size, across = random.uniform(0.6, 0.95), random.choice([-1, 1])
    x, y = random.uniform(-1, 1, 2) * (1.1 - size)
    _one(thing.draw, random)(canvas.at(x, y, across * size, size, random.normal(0, 0.1)), random)
    light, side = random.uniform(0.7, 1.2), random.uniform(-0.3, 0.3)
    return exposed(canvas.finished(), random, light, side, random.uniform(2, 9))


def _one(many: Sequence[T], random: Random) -> T:
    return many[random.randint(len(many))]


def _airplane(canvas: Canvas, random: Random) -> None:
    """From the side, or banking."""
    paint, trim = _one(((235, 236, 240), (200, 205, 212), (90, 96, 110)), random), _one(PAINTS, random)
    reach = random.uniform(0.35, 0.75)
    canvas.shape([(-0.05, 0), (0.25, 0), (-0.3, -reach), (-0.45, -reach)], shaded(paint, 0.7))
    hull = [(0.95, 0.05), (0.8, -0.09), (0.4, -0.14), (-0.6, -0.12), (-0.95, -0.1), (-0.6, 0.1), (0.5, 0.15)]
    canvas.blob(hull, paint)
    canvas.shape([(-0.62, -0.08), (-0.95, -0.5), (-1.05, -0.5), (-0.93, -0.06)], trim)
    canvas.shape([(-0.7, 0.02), (-0.95, 0.18), (-1.05, 0.18), (-0.92, -0.02)], shaded(paint, 0.75))
    canvas.shape([(0.2, 0.05), (-0.12, 0.06), (-0.55, 0.2 + reach), (-0.4, 0.2 + reach)], shaded(paint, 0.82))
    canvas.oval(0.02, 0.26, 0.13, 0.07, shaded(trim, 0.7))
    canvas.line([(0.55, -0.03), (-0.5, -0.03)], 0.05, (60, 80, 110))
    canvas.oval(0.78, -0.01, 0.07, 0.05, (50, 66, 92))


def _wheel(canvas: Canvas, x: float, y: float, size: float) -> None:
    canvas.oval(x, y, size, size, BLACK)
    canvas.oval(x, y, size * 0.5, size * 0.5, (170, 172, 176))


def _automobile(canvas: Canvas, random: Random) -> None:
    paint, roof = _one(PAINTS, random), random.uniform(-0.5, -0.3)
    back = random.uniform(-0.85, -0.55)
    canvas.oval(0, 0.42, 0.95, 0.1, BLACK, 0.5)
    cabin = [(back, 0), (back + 0.2, roof), (0.2, roof), (0.55, 0)]
    canvas.shape(cabin, paint)
    canvas.shape(
        [(back + 0.12, -0.02), (back + 0.25, roof + 0.08), (-0.15, roof + 0.08), (-0.15, -0.02)], GLASS
    )
    canvas.shape([(-0.08, -0.02), (-0.08, roof + 0.08), (0.16, roof + 0.08), (0.42, -0.02)], GLASS)
    body = [(-0.95, 0.3), (-0.95, 0.05), (-0.85, -0.05), (0.55, -0.06), (0.9, 0.06), (0.97, 0.3)]
    canvas.shape(body, paint)
    canvas.shape([(-0.95, 0.2), (0.96, 0.2), (0.97, 0.32), (-0.95, 0.32)], shaded(paint, 0.65))
    canvas.oval(0.9, 0.12, 0.07, 0.05, (250, 240, 190))
    canvas.oval(-0.92, 0.1, 0.05, 0.06, (220, 40, 30))
    for x in (-0.55, 0.55):
        _wheel(canvas, x, 0.32, 0.2)


def _automobile_ahead(canvas: Canvas, random: Random) -> None:
    """The same from the front."""
    paint = _one(PAINTS, random)
    canvas.oval(0, 0.55, 0.8, 0.1, BLACK, 0.5)
    for x in (-0.52, 0.52):
        canvas.shape([(x - 0.13, 0.2), (x + 0.13, 0.2), (x + 0.13, 0.6), (x - 0.13, 0.6)], BLACK)
    canvas.shape([(-0.6, -0.1), (-0.42, -0.5), (0.42, -0.5), (0.6, -0.1)], paint)
    canvas.shape([(-0.5, -0.1), (-0.36, -0.43), (0.36, -0.43), (0.5, -0.1)], GLASS)
    canvas.blob([(-0.7, 0.42), (-0.7, 0), (-0.5, -0.12), (0.5, -0.12), (0.7, 0), (0.7, 0.42)], paint)
    canvas.shape([(-0.32, 0.12), (0.32, 0.12), (0.3, 0.3), (-0.3, 0.3)], BLACK)
    for x in (-0.52, 0.52):
        canvas.oval(x, 0.14, 0.12, 0.09, (250, 244, 210))


def _truck(canvas: Canvas, random: Random) -> None:
    paint, load = _one(PAINTS, random), _one(PAINTS, random)
    canvas.oval(0, 0.55, 1, 0.1, BLACK, 0.5)
    high = random.uniform(-0.75, -0.5)
    canvas.shape([(-0.98, 0.3), (-0.98, high), (0.3, high), (0.3, 0.3)], load)
    for x in np.arange(-0.75, 0.3, 0.25):
        canvas.line([(x, high), (x, 0.28)], 0.03, shaded(load, 0.75))
    canvas.shape([(0.36, 0.4), (0.36, -0.4), (0.72, -0.4), (0.92, 0), (0.97, 0.4)], paint)
    canvas.shape([(0.5, -0.02), (0.5, -0.3), (0.7, -0.3), (0.84, -0.02)], GLASS)
    canvas.shape([(-0.98, 0.28), (0.97, 0.28), (0.97, 0.42), (-0.98, 0.42)], (50, 50, 54))
    canvas.oval(0.92, 0.22, 0.05, 0.06, (250, 240, 190))
    for x in (-0.72, -0.35, 0.64):
        _wheel(canvas, x, 0.45, 0.19)


def _ship(canvas: Canvas, random: Random) -> None:
    paint, funnel = _one(PAINTS, random), _one(PAINTS, random)
    canvas.glow(0, 0.45, 1.1, 0.2, (230, 240, 245), 0.5)
    canvas.shape([(-0.6, 0.08), (-0.6, -0.2), (0.45, -0.2), (0.5, 0.08)], (240, 240, 236))
    canvas.shape([(-0.45, -0.18), (-0.45, -0.42), (0.2, -0.42), (0.2, -0.18)], (226, 226, 222))
    canvas.shape([(-0.3, -0.4), (-0.34, -0.75), (-0.06, -0.75), (-0.06, -0.4)], funnel)
    canvas.line([(0.32, -0.2), (0.32, -0.85)], 0.05, (80, 70, 60))
    for x in np.arange(-0.5, 0.45, 0.18):
        canvas.oval(x, -0.06, 0.045, 0.045, (50, 70, 100))
    canvas.shape([(-0.95, 0.02), (1.02, -0.04), (0.78, 0.42), (-0.82, 0.42)], paint)
    canvas.shape([(-0.86, 0.3), (0.85, 0.28), (0.78, 0.42), (-0.82, 0.42)], (130, 40, 36))


def _sailing_boat(canvas: Canvas, random: Random) -> None:
    sail = _one(((245, 245, 240), (240, 230, 200), (220, 60, 50)), random)
    canvas.line([(0, 0.3), (0, -0.95)], 0.06, (90, 66, 44))
    canvas.shape([(-0.05, -0.95), (-0.05, 0.15), (-0.65, 0.15)], sail)
    canvas.shape([(0.06, -0.85), (0.06, 0.15), (0.6, 0.15)], shaded(sail, 0.85))
    canvas.shape([(-0.75, 0.22), (0.8, 0.22), (0.55, 0.52), (-0.55, 0.52)], _one(PAINTS, random))


def _bird(canvas: Canvas, random: Random) -> None:
    """Perched on a branch, or on its feet."""
    coat = _one(((150, 110, 70), (90, 110, 160), (200, 70, 50), (230, 200, 70), (110, 110, 104)), random)
    belly = mixed(coat, (240, 230, 210), 0.6)
    canvas.line([(-1, 0.66), (0, 0.6), (1, 0.68)], 0.09, (90, 66, 44))
    canvas.line([(-0.02, 0.3), (-0.04, 0.62)], 0.06, (200, 130, 60))
    canvas.line([(0.14, 0.3), (0.14, 0.62)], 0.06, (200, 130, 60))
    canvas.blob([(-0.35, 0), (-0.95, 0.42), (-0.85, 0.52), (-0.2, 0.3)], shaded(coat, 0.7))
    canvas.blob([(-0.45, 0.12), (-0.1, -0.3), (0.3, -0.35), (0.42, 0), (0.2, 0.36), (-0.2, 0.38)], coat)
    canvas.oval(0.2, 0.14, 0.2, 0.24, belly)
    canvas.shape([(0.55, -0.52), (0.88, -0.4), (0.55, -0.36)], (236, 160, 40))
    canvas.oval(0.36, -0.45, 0.25, 0.24, coat)
    canvas.blob([(-0.6, 0.24), (-0.25, -0.16), (0.12, -0.1), (-0.05, 0.2)], shaded(coat, 0.62))
    canvas.oval(0.45, -0.5, 0.06, 0.06, BLACK)


def _flying_bird(canvas: Canvas, random: Random) -> None:
    coat = _one(((90, 80, 74), (226, 226, 226), (120, 90, 60), (60, 66, 80)), random)
    lift = random.uniform(0.3, 0.85)
    canvas.blob([(0.1, -0.05), (-0.1, -lift), (-0.5, -lift - 0.1), (-0.3, -0.02)], shaded(coat, 0.75))
    canvas.shape([(-0.4, 0), (-0.9, -0.1), (-0.95, 0.16)], shaded(coat, 0.8))
    canvas.blob([(-0.5, 0.02), (0, -0.14), (0.45, -0.12), (0.4, 0.1), (0, 0.16)], coat)
    canvas.oval(0.5, -0.08, 0.16, 0.14, coat)
    canvas.shape([(0.62, -0.14), (0.9, -0.04), (0.62, 0)], (236, 160, 40))
    canvas.blob([(0.15, 0.03), (0.1, lift * 0.75), (-0.35, lift * 0.9), (-0.25, 0.05)], shaded(coat, 0.9))
    canvas.oval(0.55, -0.11, 0.04, 0.04, BLACK)


def _cat(canvas: Canvas, random: Random) -> None:
    coat = _one(COATS, random)
    canvas.blob([(-0.6, 1.2), (-0.5, 0.5), (0.5, 0.5), (0.6, 1.2)], shaded(coat, 0.85))
    _cats_face(canvas, coat, random)


def _cats_face(canvas: Canvas, coat: Colour, random: Random) -> None:
    """Pointed ears, slit eyes, whiskers, stripes."""
    dark = shaded(coat, 0.6)
    for side in (-1, 1):
        half = canvas.at(0, 0, side, 1)
        half.shape([(0.12, -0.5), (0.62, -0.98), (0.7, -0.1)], coat)
        half.shape([(0.28, -0.5), (0.56, -0.8), (0.6, -0.28)], (222, 150, 140))
    canvas.oval(0, 0.02, 0.72, 0.62, coat)
    for x in (-0.2, 0, 0.2):
        canvas.line([(x, -0.56), (x * 0.8, -0.3)], 0.07, dark)
    canvas.oval(0, 0.28, 0.32, 0.24, mixed(coat, (255, 250, 244), 0.6))
    iris = _one(((170, 200, 60), (230, 180, 50), (110, 180, 210)), random)
    for side in (-1, 1):
        half = canvas.at(0, 0, side, 1)
        half.oval(0.3, -0.08, 0.17, 0.14, iris)
        half.oval(0.3, -0.08, 0.05, 0.13, BLACK)
        for y in (0.2, 0.3):
            half.line([(0.2, y), (0.9, y + 0.5 * (y - 0.25))], 0.03, (240, 240, 240))
    canvas.shape([(-0.09, 0.14), (0.09, 0.14), (0, 0.24)], (210, 110, 110))
    canvas.line([(-0.14, 0.36), (0, 0.28), (0.14, 0.36)], 0.04, dark)


def _sitting_cat(canvas: Canvas, random: Random) -> None:
    coat = _one(COATS, random)
    canvas.line([(-0.3, 0.8), (-0.8, 0.7), (-0.85, 0.2), (-0.65, 0.05)], 0.14, shaded(coat, 0.8))
    canvas.blob([(-0.5, 0.9), (-0.45, 0.3), (0, -0.2), (0.35, 0.2), (0.4, 0.9)], coat)
    for y in (0.2, 0.4, 0.6):
        canvas.line([(-0.42, y + 0.05), (-0.1, y)], 0.07, shaded(coat, 0.6))
    _cats_face(canvas.at(0.12, -0.38, 0.48), coat, random)


def _dog(canvas: Canvas, random: Random) -> None:
    """Its face: hanging ears, a long muzzle, the tongue out."""
    coat = _one(COATS, random)
    dark, light = shaded(coat, 0.62), mixed(coat, (255, 248, 236), 0.45)
    canvas.blob([(-0.6, 1.2), (-0.45, 0.5), (0.45, 0.5), (0.6, 1.2)], shaded(coat, 0.85))
    canvas.blob(
        [(-0.52, -0.45), (0, -0.72), (0.52, -0.45), (0.5, 0.2), (0.25, 0.6), (-0.25, 0.6), (-0.5, 0.2)], coat
    )
    canvas.oval(0, 0.32, 0.34, 0.36, light)
    if random.randint(2):
        canvas.blob([(-0.1, 0.5), (0.1, 0.5), (0.1, 0.85), (-0.1, 0.85)], (230, 110, 120))
    for side in (-1, 1):
        half = canvas.at(0, 0, side, 1)
        half.blob([(0.3, -0.6), (0.7, -0.5), (0.85, 0.1), (0.7, 0.45), (0.52, 0.1)], dark)
        half.oval(0.24, -0.12, 0.1, 0.1, BLACK)
        half.oval(0.27, -0.15, 0.03, 0.03, (250, 250, 250))
    canvas.oval(0, 0.16, 0.16, 0.11, BLACK)
    canvas.line([(-0.2, 0.46), (0, 0.4), (0.2, 0.46)], 0.05, dark)


def _legs(canvas: Canvas, coat: Colour, top: float, width: float, hoof: Colour) -> None:
    for x, tone in ((-0.42, 0.7), (0.28, 0.7), (-0.55, 0.95), (0.4, 0.95)):
        canvas.line([(x, top), (x - 0.03, (top + 0.9) / 2), (x, 0.85)], width, shaded(coat, tone))
        canvas.oval(x + 0.02, 0.88, width * 0.7, 0.06, hoof)


def _standing_dog(canvas: Canvas, random: Random) -> None:
    coat = _one(COATS, random)
    _legs(canvas, coat, 0.2, 0.16, shaded(coat, 0.8))
    canvas.line([(-0.6, 0), (-0.85, -0.3), (-0.8, -0.6)], 0.12, coat)
    canvas.blob([(-0.7, 0.1), (-0.5, -0.18), (0.4, -0.2), (0.58, 0.1), (0.35, 0.38), (-0.5, 0.36)], coat)
    canvas.blob(
        [(0.3, 0), (0.4, -0.5), (0.7, -0.6), (0.75, -0.35), (0.98, -0.3), (0.95, -0.12), (0.6, 0)], coat
    )
    canvas.blob([(0.42, -0.52), (0.56, -0.5), (0.52, -0.08), (0.36, -0.15)], shaded(coat, 0.55))
    canvas.oval(0.97, -0.25, 0.06, 0.05, BLACK)
    canvas.oval(0.68, -0.42, 0.045, 0.045, BLACK)


def _deer(canvas: Canvas, random: Random) -> None:
    coat = shaded((166, 110, 62), random.uniform(0.7, 1.2))
    _legs(canvas, coat, 0.1, 0.09, BLACK)
    canvas.blob([(-0.7, 0), (-0.45, -0.24), (0.4, -0.2), (0.52, 0.05), (0.3, 0.26), (-0.5, 0.26)], coat)
    canvas.oval(-0.7, -0.05, 0.09, 0.13, (244, 240, 230))
    canvas.blob([(0.2, 0), (0.45, -0.55), (0.62, -0.55), (0.55, 0)], coat)
    canvas.blob([(0.42, -0.6), (0.6, -0.72), (0.95, -0.48), (0.92, -0.4), (0.55, -0.42)], coat)
    canvas.blob([(0.45, -0.62), (0.22, -0.74), (0.42, -0.52)], shaded(coat, 0.75))
    for x in (0.46, 0.58):
        canvas.line([(x, -0.66), (x - 0.1, -0.85), (x - 0.02, -1.12)], 0.06, (210, 190, 150))
        canvas.line([(x - 0.08, -0.82), (x + 0.16, -1)], 0.05, (210, 190, 150))
    canvas.oval(0.64, -0.57, 0.04, 0.04, BLACK)
    for x, y in random.uniform((-0.5, -0.15), (0.3, 0.1), (6, 2)):
        canvas.oval(x, y, 0.035, 0.03, (236, 220, 190), 0.8)


def _horse(canvas: Canvas, random: Random) -> None:
    coat = _one(COATS, random)
    mane = _one((BLACK, shaded(coat, 0.45), (226, 206, 160)), random)
    _legs(canvas, coat, 0.1, 0.13, BLACK)
    canvas.blob([(-0.62, -0.15), (-0.9, 0.1), (-0.88, 0.6), (-0.75, 0.55), (-0.7, 0.1)], mane)
    canvas.blob(
        [(-0.72, 0), (-0.5, -0.28), (0, -0.2), (0.42, -0.28), (0.56, 0.05), (0.3, 0.3), (-0.5, 0.3)], coat
    )
    canvas.blob([(0.1, -0.1), (0.45, -0.75), (0.72, -0.8), (0.68, -0.4), (0.55, 0.1)], coat)
    canvas.blob([(0.48, -0.82), (0.66, -0.9), (1, -0.42), (0.92, -0.3), (0.78, -0.34), (0.58, -0.5)], coat)
    canvas.shape([(0.5, -0.8), (0.52, -1), (0.62, -0.84)], coat)
    canvas.blob([(0.56, -0.9), (0.42, -0.8), (0.08, -0.2), (0.26, -0.2), (0.5, -0.6)], mane)
    canvas.oval(0.68, -0.68, 0.04, 0.04, BLACK)


def _frog(canvas: Canvas, random: Random) -> None:
    """From the front: a broad mouth, and eyes on top of the head."""
    skin = _one(((90, 160, 50), (120, 170, 60), (70, 120, 60), (130, 120, 60)), random)
    dark = shaded(skin, 0.65)
    for side in (-1, 1):
        half = canvas.at(0, 0, side, 1)
        half.blob([(0.3, 0.2), (0.75, -0.05), (0.95, 0.4), (0.7, 0.62), (0.4, 0.55)], dark)
        half.blob([(0.55, 0.55), (1, 0.66), (0.98, 0.76), (0.5, 0.7)], shaded(skin, 0.8))
        half.blob([(0.18, 0.35), (0.32, 0.4), (0.36, 0.75), (0.1, 0.75)], shaded(skin, 0.8))
    canvas.blob([(-0.62, 0), (-0.4, -0.32), (0.4, -0.32), (0.62, 0), (0.5, 0.5), (-0.5, 0.5)], skin)
    canvas.oval(0, 0.34, 0.4, 0.22, mixed(skin, (250, 246, 190), 0.6))
    canvas.line([(-0.52, 0.02), (-0.2, 0.13), (0.2, 0.13), (0.52, 0.02)], 0.05, shaded(skin, 0.4))
    for side in (-1, 1):
        half = canvas.at(0, 0, side, 1)
        half.oval(0.36, -0.38, 0.19, 0.18, skin)
        half.oval(0.37, -0.4, 0.13, 0.12, (236, 200, 70))
        half.oval(0.37, -0.4, 0.08, 0.05, BLACK)
    for x, y in random.uniform((-0.4, -0.25), (0.4, -0.05), (5, 2)):
        canvas.oval(x, y, 0.06, 0.04, dark, 0.8)


def _frog_aside(canvas: Canvas, random: Random) -> None:
    skin = _one(((90, 160, 50), (120, 170, 60), (70, 120, 60), (130, 120, 60)), random)
    dark = shaded(skin, 0.65)
    canvas.blob(
        [(-0.9, 0.6), (-0.8, 0), (-0.3, 0.05), (-0.3, 0.55), (0.1, 0.62), (0.1, 0.72), (-0.8, 0.72)], dark
    )
    canvas.blob(
        [(-0.8, 0.4), (-0.5, -0.1), (0.3, -0.42), (0.85, -0.2), (0.85, 0.02), (0.4, 0.45), (-0.4, 0.6)], skin
    )
    canvas.blob([(0.3, 0.2), (0.5, 0.25), (0.55, 0.65), (0.75, 0.74), (0.35, 0.74)], shaded(skin, 0.8))
    canvas.blob([(-0.75, 0.5), (-0.4, 0.05), (-0.1, 0.3), (-0.4, 0.62)], shaded(skin, 0.85))
    canvas.line([(0.88, -0.05), (0.6, 0.04), (0.4, 0)], 0.05, shaded(skin, 0.4))
    canvas.oval(0.45, -0.42, 0.17, 0.16, skin)
    canvas.oval(0.48, -0.44, 0.11, 0.1, (236, 200, 70))
    canvas.oval(0.49, -0.44, 0.06, 0.05, BLACK)


THINGS = {
    "airplane": Thing((_airplane,), (SKY,), (SKY, FIELD, STREET)),
    "automobile": Thing((_automobile, _automobile_ahead), (SKY, WOOD, STREET), (STREET, FIELD)),
    "bird": Thing((_bird, _flying_bird), (SKY, WOOD, FIELD), (SKY, WOOD, FIELD, SEA)),
    "cat": Thing((_cat, _sitting_cat), (ROOM, FIELD, STREET), (ROOM, FIELD)),
    "deer": Thing((_deer,), (WOOD, FIELD, SKY), (FIELD, WOOD)),
    "dog": Thing((_dog, _standing_dog), (ROOM, FIELD, STREET), (ROOM, FIELD)),
    "frog": Thing((_frog, _frog_aside), (WOOD, FIELD, SEA), (FIELD, WOOD, SEA)),
    "horse": Thing((_horse,), (SKY, FIELD, WOOD), (FIELD, STREET)),
    "ship": Thing((_ship, _sailing_boat), (SKY,), (SEA,)),
    "truck": Thing((_truck,), (SKY, WOOD, STREET), (STREET, FIELD)),
}
