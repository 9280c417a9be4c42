"""A drawing surface for smooth shapes, larger than wanted and then reduced, which smooths their edges."""

import functools
import math
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from PIL import Image, ImageDraw

from evermodel.core.data import Array

STEPS = 6  # straight pieces between two points of a curve
RINGS = 5  # of a glow

Colour = tuple[float, float, float]  # red, green, blue, each from 0 to 255
Points = Sequence[tuple[float, float]]  # x to the right, y down


class Canvas:
    """An image and where on it to draw: 0, 0 is the middle, 1 is half of the shorter side."""

    def __init__(self, image: Image.Image, place: Array, fine: int) -> None:
        self.image, self.fine = image, fine
        self._place = place  # (2, 3): from a point to a pixel of the fine image
        self._draw = ImageDraw.Draw(image, "RGBA")

    @classmethod
    def blank(cls, width: int, height: int, colour: Colour, fine: int = 4) -> "Canvas":
        """A surface of one colour. fine: how many times larger than wanted it is."""
        image = Image.new("RGB", (width * fine, height * fine), _whole(colour))
        half = min(width, height) * fine / 2
        place = np.array([[half, 0, width * fine / 2], [0, half, height * fine / 2]])
        return cls(image, place, fine)

    def at(
        self, x: float, y: float, width: float = 1, height: float | None = None, turn: float = 0
    ) -> "Canvas":
        """The same surface with another middle and size, turned clockwise by an angle in radians.

        width: how long 1 becomes across. height: the same for downwards, None: as long as across.
        """
        height = width if height is None else height
        cos, sin = math.cos(turn), math.sin(turn)
        local = np.array([[cos * width, -sin * height, x], [sin * width, cos * height, y], [0, 0, 1]])
        return Canvas(self.image, self._place @ local, self.fine)

    def shape(self, corners: Points | Array, colour: Colour, alpha: float = 1) -> None:
        """A polygon."""
        self._draw.polygon(self._pixels(corners), fill=_whole(colour, alpha))

    def blob(self, points: Points, colour: Colour, alpha: float = 1) -> None:
        """The inside of a smooth closed curve through the points."""
        self.shape(_curve(tuple(points), closed=True), colour, alpha)

    def oval(self, x: float, y: float, width: float, height: float, colour: Colour, alpha: float = 1) -> None:
        """An ellipse around a point. width and height: half of its axes."""
        self.shape(_circle() * (width, height) + (x, y), colour, alpha)

    def glow(self, x: float, y: float, width: float, height: float, colour: Colour, alpha: float) -> None:
        """An ellipse that fades from its middle to its edge."""
        share = 1 - (1 - alpha) ** (1 / RINGS)  # so that all rings together cover alpha
        for ring in _rings():
            self.shape(ring * (width, height) + (x, y), colour, share)

    def line(self, points: Points, width: float, colour: Colour, alpha: float = 1) -> None:
        """A smooth curve through the points."""
        thick = max(1, round(width * abs(np.linalg.det(self._place[:, :2])) ** 0.5))
        pixels = self._pixels(_curve(tuple(points), closed=False))
        self._draw.line(pixels, fill=_whole(colour, alpha), width=thick)

    def fade(self, top: float, bottom: float, upper: Colour, lower: Colour, bands: int = 12) -> None:
        """A background from one height to another, over the whole width."""
        edges = np.linspace(top, bottom, bands + 1)
        for band, (high, low) in enumerate(pairwise(edges)):
            box = [(-9, high), (9, high), (9, low), (-9, low)]
            self.shape(box, mixed(upper, lower, band / (bands - 1)))

    def finished(self) -> Array:
        """The image in the size that is wanted, (height, width, 3) float64 from 0 to 255."""
        return np.asarray(self.image.reduce(self.fine), dtype=np.float64)

    def _pixels(self, points: Points | Array) -> list[float]:
        exact = np.asarray(points) @ self._place[:, :2].T + self._place[:, 2]
        # Rounded, because the last bits of a product are not the same on every processor.
        pixels: list[float] = np.round(exact, 2).ravel().tolist()
        return pixels


def mixed(one: Colour, other: Colour, share: float) -> Colour:
    """One colour with some share of the other, 0 to 1."""
    red, green, blue = (a + (b - a) * share for a, b in zip(one, other, strict=True))
    return red, green, blue


def shaded(colour: Colour, light: float) -> Colour:
    """The colour in more or less light: 1 leaves it as it is."""
    red, green, blue = (min(255.0, value * light) for value in colour)
    return red, green, blue


def exposed(
    drawn: Array, random: np.random.RandomState, light: float, side: float, noise: float
) -> Image.Image:
    """What a camera makes of a drawing, (height, width, 3) float64: an RGB image.

    light: times the brightness. side: how much more of it the right edge gets than the middle, from -1
    to 1. noise: standard deviation of the grain, in grey levels.
    """
    height, width = drawn.shape[:2]
    across = 1 + side * np.linspace(-1, 1, width)[:, None]
    grain = noise * random.standard_normal((height, width, 1))
    return Image.fromarray(np.rint(np.clip(drawn * light * across + grain, 0, 255)).astype(np.uint8))


def _whole(colour: Colour, alpha: float = 1) -> tuple[int, int, int, int]:
    red, green, blue = colour
    return round(red), round(green), round(blue), round(255 * alpha)


@functools.cache
def _circle() -> Array:
    angles = [2 * math.pi * step / 32 for step in range(32)]
    return np.array([(math.cos(angle), math.sin(angle)) for angle in angles])


@functools.cache
def _rings() -> list[Array]:
    return [_circle()[:: 2 if ring < RINGS / 2 else 1] * ring / RINGS for ring in range(1, RINGS + 1)]


@functools.cache
def _weights() -> Array:
    """What four neighbouring points weigh in each step between the inner two, (STEPS, 4)."""
    t = np.arange(STEPS) / STEPS
    return (
        np.stack([-t + 2 * t**2 - t**3, 2 - 5 * t**2 + 3 * t**3, t + 4 * t**2 - 3 * t**3, t**3 - t**2], 1) / 2
    )


@functools.lru_cache(4096)
def _curve(points: Points, closed: bool) -> Array:
    """Points on a smooth curve through the points (Catmull & Rom 1974), (n, 2)."""
    known = np.asarray(points, dtype=np.float64)
    pieces = len(known) if closed else len(known) - 1
    ends = known[np.arange(-1, pieces + 2) % len(known)]
    if not closed:
        ends[0], ends[-1] = known[0], known[-1]
    near = np.stack([ends[i : i + pieces] for i in range(4)], axis=1)  # (pieces, 4, 2)
    curve: Array = (_weights() @ near).reshape(-1, 2)
    return curve if closed else np.vstack([curve, known[-1]])
