"""Synthetic slices of nerve tissue, as an electron microscope shows it, with the cells' membranes traced."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageFilter

from evermodel.core.data import Array
from evermodel.datasets.source import Edition
from evermodel.drawing import albums
from evermodel.drawing.canvas import Canvas
from evermodel.drawing.figures import Figure

SIDE = 128  # pixels
SLICES = 30
ROWS = 5  # of cells, and columns
DRIFT = 0.012  # how far a cell moves from one slice to the next, in half sides
MEMBRANE, CELL = 0, 255  # in the label
WALL = 2.6  # pixels: half of a membrane's thickness
INSIDE, DARK, TEXTURE = 150, 70, 20  # grey levels

Random = np.random.RandomState


@dataclass
class Tissue:
    """Cells and what floats in them; places in half sides, from -1 to 1."""

    cells: Array  # (cells, 2)
    sizes: Array  # (cells,): added to the squared reach of a cell
    greys: Array  # (cells,)
    hosts: Array  # (organelles,): the cell that each lies in
    kinds: Array  # (organelles,): 0 is a mitochondrion, 1 and 2 are vesicles, 3 and 4 dark grains
    turns: Array  # (organelles,): radians


def write(folder: Path, edition: Edition) -> None:
    """Write the edition's archive: 30 gray slices of 128x128, each with a label, 0 membrane and 255 cell."""
    # RandomState, not default_rng: only its streams are the same in every version of NumPy (NEP 19).
    random = np.random.RandomState(2012)
    tissue, warp = _tissue(random), 0.045 * np.stack([_waves(random, 24), _waves(random, 24)], axis=-1)
    images = {}
    for number in range(SLICES):
        label, greys = _walls(tissue, warp)
        image = _microscope(label, greys, _organelles(tissue, random), random)
        images[f"data/membrane/train/image/{number}.png"] = image
        images[f"data/membrane/train/label/{number}.png"] = Image.fromarray(label)
        tissue.cells += random.normal(0, DRIFT, tissue.cells.shape)
        tissue.turns += random.normal(0, 0.1, tissue.turns.shape)
    albums.save(folder / edition.options["archive"], images)


def _tissue(random: Random) -> Tissue:
    row, column = np.divmod(np.arange(ROWS**2), ROWS)
    grid = np.column_stack([column, row]) / (ROWS - 1) * 2.2 - 1.1
    return Tissue(
        cells=grid + random.normal(0, 0.09, grid.shape),
        sizes=random.uniform(0, 0.06, len(grid)),
        greys=random.normal(INSIDE, 9, len(grid)),
        hosts=random.permutation(np.repeat(np.arange(len(grid)), 2)),
        kinds=random.randint(5, size=2 * len(grid)),
        turns=random.uniform(0, 2 * np.pi, 2 * len(grid)),
    )


def _waves(random: Random, period: int) -> Array:
    """A smooth random field of mean 0 whose bumps are some pixels apart, (SIDE, SIDE) float64."""
    few = random.standard_normal((SIDE // period + 2,) * 2).astype(np.float32)
    return np.asarray(Image.fromarray(few).resize((SIDE, SIDE), Image.Resampling.BICUBIC), dtype=np.float64)


def _walls(tissue: Tissue, warp: Array) -> tuple[Array, Array]:
    """The label, (SIDE, SIDE) uint8, and each pixel's cell's grey, (SIDE, SIDE) float64.

    Cells are those of a power diagram (Aurenhammer 1987) over bent coordinates.
    """
    middle = (np.arange(SIDE) + 0.5) / SIDE * 2 - 1
    points = np.stack(np.meshgrid(middle, middle), axis=-1) + warp
    x, y = points[..., :1], points[..., 1:]
    # The squared distance from each cell, less what is the same for all of them.
    reach = (
        (tissue.cells**2).sum(axis=-1) - tissue.sizes - 2 * (x * tissue.cells[:, 0] + y * tissue.cells[:, 1])
    )
    first, second = np.argpartition(reach, 1, axis=-1)[..., :2].transpose(2, 0, 1)
    near, far = (np.take_along_axis(reach, one[..., None], axis=-1)[..., 0] for one in (first, second))
    apart = np.sqrt(((tissue.cells[first] - tissue.cells[second]) ** 2).sum(axis=-1))
    wall = (far - near) / (2 * apart) < WALL * 2 / SIDE
    return np.where(wall, MEMBRANE, CELL).astype(np.uint8), tissue.greys[first]


def _organelles(tissue: Tissue, random: Random) -> Array:
    """How much darker than the cell each pixel is, (SIDE, SIDE) from 0 to 1; no label shows this."""
    canvas = Canvas.blank(SIDE, SIDE, (0, 0, 0))
    angles = 3 * tissue.turns
    places = tissue.cells[tissue.hosts] + 0.07 * np.column_stack([np.cos(angles), np.sin(angles)])
    for (x, y), kind, turn in zip(places, tissue.kinds, tissue.turns, strict=True):
        ORGANELLES[kind].draw(canvas.at(x, y, 1.6, turn=turn), (255, 255, 255), random, 0.1)
    return canvas.finished()[..., 0] / 255


def _microscope(label: Array, greys: Array, organelles: Array, random: Random) -> Image.Image:
    """The slice as it is seen: membranes fade here and there, and everything is grainy, "L"."""
    blurred = Image.fromarray(255 - label).filter(ImageFilter.GaussianBlur(0.8))
    contrast = np.clip(0.8 + 0.25 * _waves(random, 10), 0.3, 1)
    dark = np.maximum(np.asarray(blurred, dtype=np.float64) / 255 * contrast, organelles)
    texture = TEXTURE * (0.7 * random.standard_normal((SIDE, SIDE)) + 0.7 * _waves(random, 2))
    grey = greys + (DARK - greys) * dark + texture
    return Image.fromarray(np.rint(np.clip(grey, 0, 255)).astype(np.uint8))


MITOCHONDRION = Figure(
    ((0.95, (0, 0, 10, 6)), (0.5, (0, 0, 8, 4)), (0.9, (-3, 0, 1, 4)), (0.9, (2, 0, 1, 4)))
)
VESICLE = Figure(((0.9, (0, 0, 4.5, 4)), (0, (0, 0, 2.8, 2.4))))
GRAIN = Figure(((1, (0, 0, 2.6, 2.2)),))
ORGANELLES = (MITOCHONDRION, VESICLE, VESICLE, GRAIN, GRAIN)
