"""A drawing surface for shapes, larger than wanted and then reduced, which smooths their edges."""

import functools
import math
from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw

from evermodel.core.data import Array

RINGS = 5  # of a glow
BANDS = 10  # of a fade

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
        return cls(image, np.array([[half, 0, width * fine / 2], [0, half, height * fine / 2]]), fine)

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

    def blob(self, corners: Points | Array, colour: Colour, alpha: float = 1) -> None:
        """A polygon whose corners are cut off, and those of what is left once more (Chaikin 1974)."""
        points = np.asarray(corners, dtype=np.float64)
        for _ in range(2):
            after = np.roll(points, -1, axis=0)
            points = np.stack([0.8 * points + 0.2 * after, 0.2 * points + 0.8 * after], axis=1).reshape(-1, 2)
        self.shape(points, colour, alpha)

    def oval(self, x: float, y: float, width: float, height: float, colour: Colour, alpha: float = 1) -> None:
        """An ellipse around a point. width and height: half of its axes."""
        self.shape(_circle() * (width, height) + (x, y), colour, alpha)

    def glow(self, x: float, y: float, width: float, height: float, colour: Colour, alpha: float) -> None:
        """An ellipse that fades from its middle to its edge."""
        share = 1 - (1 - alpha) ** (1 / RINGS)  # so that all rings together cover alpha
        for ring in range(1, RINGS + 1):
            self.oval(x, y, width * ring / RINGS, height * ring / RINGS, colour, share)

    def line(self, points: Points, width: float, colour: Colour, alpha: float = 1) -> None:
        """Straight strokes from point to point."""
        thick = max(1, round(width * abs(np.linalg.det(self._place[:, :2])) ** 0.5))
        self._draw.line(self._pixels(points), fill=_whole(colour, alpha), width=thick, joint="curve")

    def fade(self, top: float, bottom: float, upper: Colour, lower: Colour) -> None:
        """A background from one height to another, over the whole width."""
        for band in range(BANDS):
            y = top + (bottom - top) * band / BANDS
            self.shape([(-9, y), (9, y), (9, bottom), (-9, bottom)], mixed(upper, lower, band / (BANDS - 1)))

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
    return np.array([(math.cos(step * math.pi / 12), math.sin(step * math.pi / 12)) for step in range(24)])
