"""Silhouettes of garments, drawn from random measures, in Fashion-MNIST's ten classes."""

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from evermodel.core.data import Array
from evermodel.datasets.source import Edition
from evermodel.formats import idx_format

SIDE = 28  # pixels
FINE = 4  # times: shapes are drawn larger and then reduced, which smooths their edges
ROWS = {"train": 200, "test": 50}  # of each class

Random = np.random.RandomState
Points = list[tuple[float, float]]  # x to the right, y down, both from -1 to 1
Shapes = list[tuple[Points, float]]  # from back to front, each with its brightness: 1 is cloth, 0 is no cloth


def write(folder: Path, edition: Edition) -> None:
    """Write the edition's four files: 2,000 training and 500 test images of 28x28."""
    # RandomState, not default_rng: only its streams are the same in every version of NumPy (NEP 19).
    random = Random(2017)
    splits = {}
    for split, rows in ROWS.items():
        labels = random.permutation(np.repeat(np.arange(len(GARMENTS), dtype=np.uint8), rows))
        splits[split] = np.stack([_photograph(GARMENTS[label](random), random) for label in labels]), labels
    idx_format.save(folder, splits)


def _photograph(shapes: Shapes, random: Random) -> Array:
    """The garment somewhere in the image, of some size, shade and cloth, (SIDE, SIDE) uint8."""
    place = _placing(random)
    image = Image.new("L", (SIDE * FINE, SIDE * FINE))
    draw = ImageDraw.Draw(image)
    shade = random.uniform(80, 230)
    for points, brightness in shapes:
        draw.polygon([place(x, y) for x, y in points], fill=min(255, round(shade * brightness)))
    drawn = np.asarray(image.reduce(FINE), dtype=np.float64)
    noise = random.normal(0, 12, (SIDE, SIDE)) * (drawn > 0)
    return np.rint(np.clip(drawn * _cloth(random) + noise, 0, 255)).astype(np.uint8)


def _placing(random: Random) -> Callable[[float, float], tuple[float, float]]:
    """From a garment's own points to pixels of the fine image: turned, scaled, moved."""
    half = SIDE * FINE / 2
    angle, (width, height) = random.normal(0, 0.07), random.uniform(0.7, 0.95, 2) * half
    width *= random.choice([-1, 1, 1])  # now and then seen from the other side
    right, down = random.uniform(-0.15, 0.15, 2) * half
    cos, sin = math.cos(angle), math.sin(angle)

    def place(x: float, y: float) -> tuple[float, float]:
        x, y = x * width, y * height
        return half + right + x * cos - y * sin, half + down + x * sin + y * cos

    return place


def _cloth(random: Random) -> Array:
    """What the weave does to the brightness, (SIDE, SIDE): plain, striped across or along, or checked."""
    y, x = np.mgrid[:SIDE, :SIDE]
    period, contrast = random.randint(3, 7), random.uniform(0.2, 0.7)
    across, along = [(0, 0), (0, 0), (1, 0), (0, 1), (1, 1)][random.randint(5)]
    stripes = across * (y % period < period / 2) + along * (x % period < period / 2)
    cloth: Array = 1 - contrast * stripes / 2
    return cloth


def _outline(half: Points) -> Points:
    """A symmetrical outline from its right half, from top to bottom."""
    return half + [(-x, y) for x, y in reversed(half)]


def _pair(right: Points, brightness: float) -> Shapes:
    """A shape on the right and its mirror image on the left."""
    return [(right, brightness), ([(-x, y) for x, y in right], brightness)]


def _top(random: Random, reach: float, length: float, waist: float, hem: float) -> Shapes:
    """A body with sleeves; reach: how far down the arm the sleeves go, from 0 to 1."""
    shoulder, arm = random.uniform(0.42, 0.52), random.uniform(0.18, 0.24)
    out, end = random.uniform(0.25, 0.45) * reach + 0.12, 1.15 * reach - 0.55
    body = [(0.18, -0.85), (shoulder, -0.75), (shoulder - 0.03, -0.3), (waist, 0.1), (hem, length)]
    cuff = [(shoulder + out, end), (shoulder + out - arm, end + 0.1)]
    sleeve = [(shoulder - 0.1, -0.78), (shoulder + 0.05, -0.68), *cuff, (shoulder - 0.05, -0.2)]
    return [*_pair(sleeve, 0.93), (_outline(body), 1.0)]


def _neck(random: Random, depth: float) -> tuple[Points, float]:
    width = random.uniform(0.14, 0.2)
    return _outline([(width, -0.9), (width * 0.7, depth * 0.7 - 0.87), (0, depth - 0.85)]), 0.0


def _t_shirt(random: Random) -> Shapes:
    width, length = random.uniform(0.4, 0.5), random.uniform(0.7, 0.85)
    top = _top(random, random.uniform(0.1, 0.35), length, width, width + 0.02)
    return [*top, _neck(random, random.uniform(0.08, 0.2))]


def _trouser(random: Random) -> Shapes:
    hip, hem, gap = random.uniform(0.3, 0.42), random.uniform(0.3, 0.45), random.uniform(0.04, 0.15)
    fork = random.uniform(-0.35, -0.15)
    legs = _outline([(hip - 0.05, -0.95), (hip, -0.4), (hem, 0.95), (gap, 0.95), (0, fork)])
    return [(legs, 1.0), (_outline([(hip - 0.05, -0.95), (hip - 0.04, -0.85)]), 0.75)]


def _pullover(random: Random) -> Shapes:
    width, length = random.uniform(0.42, 0.52), random.uniform(0.65, 0.85)
    rib = _outline([(width, length - 0.12), (width, length)]), random.uniform(0.7, 0.9)
    top = _top(random, random.uniform(0.8, 1), length, width, width)
    return [*top, rib, _neck(random, random.uniform(0.05, 0.12))]


def _dress(random: Random) -> Shapes:
    bust, waist, hem = random.uniform(0.25, 0.36), random.uniform(0.18, 0.28), random.uniform(0.35, 0.65)
    body = _outline([(0.14, -0.95), (bust, -0.75), (waist, -0.15), (hem, 0.95)])
    sleeves = _top(random, random.uniform(0.1, 0.3), 0.2, waist, waist)[:2] if random.randint(3) == 0 else []
    return [*sleeves, (body, 1.0), _neck(random, random.uniform(0.1, 0.3))]


def _coat(random: Random) -> Shapes:
    width, hem, length = random.uniform(0.4, 0.5), random.uniform(0.45, 0.58), random.uniform(0.85, 0.98)
    opening = _outline([(0.02, -0.5), (random.uniform(0.03, 0.06), length)]), 0.3
    lapels = _pair([(0.02, -0.3), (0.2, -0.86), (0.28, -0.6)], 0.75)
    top = _top(random, random.uniform(0.8, 1), length, width, hem)
    return [*top, opening, *lapels, _neck(random, random.uniform(0.2, 0.35))]


def _shirt(random: Random) -> Shapes:
    width, length = random.uniform(0.4, 0.5), random.uniform(0.7, 0.9)
    collar = _pair([(0.02, -0.62), (0.18, -0.98), (0.32, -0.7)], 1.3)
    placket = _outline([(0.05, -0.65), (0.05, length)]), 1.15
    buttons = [(_outline([(0.04, y), (0.04, y + 0.08)]), 0.2) for y in np.arange(-0.5, 0.7, 0.25)]
    return [
        *_top(random, random.choice([0.35, 0.9]), length, width, width + 0.03),
        placket,
        *buttons,
        *collar,
    ]


# fmt: off
def _sandal(random: Random) -> Shapes:
    heel, ankle = random.uniform(0, 0.35), random.uniform(-0.5, -0.1)
    upper = [(-0.95, 0.5), (-0.6, 0.1), (0, 0), (0.35, ankle), (0.85, ankle), (0.9, 0.5 - heel)]
    rim = [(-0.95, 0.5), (-0.6, 0.1), (0, 0), (0.35, ankle), (0.85, ankle), (0.85, ankle + 0.15),
           (0.42, ankle + 0.15), (0.05, 0.13), (-0.55, 0.22), (-0.8, 0.5)]
    sole = [(-0.97, 0.45), (-0.1, 0.45), (0.95, 0.4 - heel), (0.95, 0.6), (0.8, 0.6), (0.75, 0.55 - heel),
            (-0.1, 0.6), (-0.95, 0.6)]
    starts, lean = np.linspace(-0.8, 0.45, random.randint(3, 5)), random.uniform(-0.2, 0.3)
    gap = (starts[1] - starts[0]) * random.uniform(0.5, 0.75)
    holes = [([(x, 0.5), (x + gap, 0.5), (x + gap + lean, -0.6), (x + lean, -0.6)], 0.0) for x in starts]
    return [(upper, 0.9), *holes, (rim, 0.9), (sole, 1.0)]


def _sneaker(random: Random) -> Shapes:
    top = random.uniform(-0.25, 0.05)
    upper = [(-0.95, 0.4), (-0.9, 0.2), (-0.3, 0), (0.2, top - 0.1), (0.45, top),
             (0.85, top - 0.1), (0.95, 0.4)]
    sole = [(-0.97, 0.38), (0.97, 0.38), (0.95, 0.55), (-0.9, 0.55)]
    laces = [(-0.3, 0), (0.1, top), (0.15, top + 0.12), (-0.25, 0.12)]
    return [(upper, 1.0), (sole, random.choice([0.5, 1.25])), (laces, random.choice([0.6, 1.3]))]


def _bag(random: Random) -> Shapes:
    width, top, bottom = random.uniform(0.65, 0.95), random.uniform(-0.3, 0), random.uniform(0.55, 0.8)
    slope, grip, rise = random.uniform(-0.1, 0.15), random.uniform(0.25, 0.5), random.uniform(0.3, 0.55)
    body = _outline([(width - slope, top), (width, bottom)])
    flap = _outline([(width - slope, top), (width - slope, top + 0.25)])
    handle = _outline([(grip * 0.6, top - rise), (grip, top)])
    hole = _outline([(grip * 0.6 - 0.08, top - rise + 0.08), (grip - 0.1, top)])
    return [(handle, 0.9), (hole, 0.0), (body, 1.0), (flap, random.uniform(0.7, 1.2))]


def _ankle_boot(random: Random) -> Shapes:
    heel, shaft = random.uniform(0.05, 0.3), random.uniform(-0.95, -0.6)
    upper = [(-0.95, 0.6), (-0.85, 0.35), (-0.1, 0.1), (0.1, shaft), (0.85, shaft), (0.8, 0.2),
             (0.9, 0.75 - heel), (0.3, 0.6)]
    sole = [(-0.97, 0.6), (0.2, 0.6), (0.45, 0.72 - heel), (0.9, 0.72 - heel), (0.9, 0.8), (0.6, 0.8),
            (0.4, 0.75), (0.2, 0.72), (-0.95, 0.72)]
    return [(upper, 1.0), (sole, random.choice([0.5, 0.8]))]
# fmt: on


GARMENTS = (_t_shirt, _trouser, _pullover, _dress, _coat, _sandal, _shirt, _sneaker, _bag, _ankle_boot)
