"""Letters drawn with Matplotlib's own fonts and measured as Frey & Slate (1991) measured theirs."""

import functools
from pathlib import Path
from string import ascii_uppercase

import matplotlib
import numpy as np
from PIL import Image, ImageChops, ImageDraw, ImageFont

from evermodel.core.data import Array
from evermodel.datasets.source import Edition

ROWS = 150  # per letter
SIDE = 45  # pixels, as in the paper
HIGHEST = 15
OUTLINE = 2  # pixels
FONTS = (
    "DejaVuSans", "DejaVuSans-Bold", "DejaVuSans-Oblique", "DejaVuSans-BoldOblique", "DejaVuSansMono",
    "DejaVuSansMono-Bold", "DejaVuSerif", "DejaVuSerif-Bold", "DejaVuSerif-Italic", "DejaVuSerif-BoldItalic",
    "STIXGeneral", "STIXGeneralBol", "STIXGeneralItalic", "STIXGeneralBolIta", "cmb10", "cmr10", "cmss10",
    "cmti10", "cmtt10",
)  # fmt: skip


def write(folder: Path, edition: Edition) -> None:
    """Write the edition's one file: a letter a line, its name and then its sixteen measures, 0 to 15."""
    # RandomState, not default_rng: only its streams are the same in every version of NumPy (NEP 19).
    random = np.random.RandomState(1991)
    labels = random.permutation(list(ascii_uppercase * ROWS))
    measures = _scaled(_measures(_drawn(labels, random)))
    lines = [",".join((label, *map(str, row))) for label, row in zip(labels, measures, strict=True)]
    (folder / edition.files[0].name).write_text("\n".join(lines) + "\n", encoding="ascii")


def _drawn(labels: Array, random: np.random.RandomState) -> Array:
    """A distorted image of each letter, (n, SIDE, SIDE) booleans, the first row at the bottom."""
    folder = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
    # BASIC: the other layout is not in every build of Pillow.
    fonts = [
        ImageFont.truetype(folder / f"{name}.ttf", 30, layout_engine=ImageFont.Layout.BASIC) for name in FONTS
    ]
    draw = functools.cache(_glyph)
    chosen = [draw(letter, fonts[random.randint(len(fonts))], random.randint(3) == 0) for letter in labels]
    images = [
        glyph.transform((SIDE, SIDE), Image.Transform.AFFINE, _distortion(random), Image.Resampling.BILINEAR)
        for glyph in chosen
    ]
    return np.stack([np.asarray(image) for image in images])[:, ::-1] >= 128


def _glyph(letter: str, font: ImageFont.FreeTypeFont, hollow: bool) -> Image.Image:
    """A letter in white on black: solid, or only its outline."""
    solid = _stroked(letter, font, 0)
    return ImageChops.subtract(_stroked(letter, font, OUTLINE), solid) if hollow else solid


def _stroked(letter: str, font: ImageFont.FreeTypeFont, width: int) -> Image.Image:
    image = Image.new("L", (SIDE, SIDE))
    middle = (SIDE / 2, SIDE / 2)
    ImageDraw.Draw(image).text(middle, letter, fill=255, font=font, anchor="mm", stroke_width=width)
    return image


def _distortion(random: np.random.RandomState) -> tuple[float, ...]:
    """Which point of the glyph each point shows: squeezed, sheared and moved, as six affine coefficients."""
    squeeze, shear = random.uniform(0.85, 1.25, 2), random.uniform(-0.1, 0.1, 2)
    move = random.uniform(-4, 4, 2)
    matrix = np.array([[squeeze[0], shear[0]], [shear[1], squeeze[1]]])
    offset = SIDE / 2 - (matrix * (SIDE / 2 + move)).sum(axis=1)
    return (*matrix[0], offset[0], *matrix[1], offset[1])


def _measures(on: Array) -> Array:
    """The sixteen measures of the paper's table 1, unscaled, (n, 16) float64.

    Every sum is one of whole numbers, so that the result is the same on every machine.
    """
    columns, rows = on.sum(axis=1), on.sum(axis=2)
    left, width = _extent(columns)
    bottom, high = _extent(rows)
    place = np.arange(SIDE)
    x = 2 * (place - left[:, None]) - width[:, None] + 1  # twice the distance from the middle of the box
    y = 2 * (place - bottom[:, None]) - high[:, None] + 1
    pixels = columns.sum(axis=1)

    def mean(x_power: int, y_power: int) -> Array:
        total = np.einsum("nyx,ny,nx->n", on.astype(np.int64), y**y_power, x**x_power)
        return np.asarray(total / (pixels * width**x_power * high**y_power))

    x_edges, y_edges = _edges(on), _edges(on.swapaxes(1, 2))
    return np.column_stack(
        [
            left + width / 2, bottom + high / 2, width, high, pixels,
            mean(1, 0), mean(0, 1), mean(2, 0), mean(0, 2), mean(1, 1), mean(2, 1), mean(1, 2),
            x_edges.sum(axis=1) / high, (x_edges * y).sum(axis=1) / high,
            y_edges.sum(axis=1) / width, (y_edges * x).sum(axis=1) / width,
        ]
    )  # fmt: skip


def _extent(counts: Array) -> tuple[Array, Array]:
    """The first place with a count and the number of places to the last one, (n,) each."""
    some = counts > 0
    first, last = some.argmax(axis=1), SIDE - some[:, ::-1].argmax(axis=1)
    return first, last - first


def _edges(on: Array) -> Array:
    """How many runs of pixels start on each line, (n, SIDE)."""
    padded = np.pad(on, ((0, 0), (0, 0), (1, 0)))
    counts: Array = (padded[:, :, 1:] & ~padded[:, :, :-1]).sum(axis=2)
    return counts


def _scaled(measures: Array) -> Array:
    """Each measure stretched so that all but its extreme hundredths fill the whole numbers 0 to 15."""
    low, high = np.percentile(measures, (1, 99), axis=0)
    shares = np.clip((measures - low) / (high - low), 0, 1)
    return np.asarray(np.rint(HIGHEST * shares), dtype=np.int64)
