"""Archives of images, read without the project's own readers."""

import io
import zipfile

import numpy as np
from PIL import Image


def names(archive):
    with zipfile.ZipFile(archive) as opened:
        return opened.namelist()


def kind(archive, name):
    """Format, size and mode of one image."""
    with zipfile.ZipFile(archive) as opened:
        image = Image.open(io.BytesIO(opened.read(name)))
    return image.format, image.size, image.mode


def kinds(archive):
    """The kinds of all images."""
    with zipfile.ZipFile(archive) as opened:
        found = [Image.open(io.BytesIO(opened.read(name))) for name in opened.namelist()]
    return {(image.format, image.size, image.mode) for image in found}


def load(archive, mode="L", size=None):
    """All images in the order of names(), (n, height, width) or (n, height, width, 3) float64."""
    with zipfile.ZipFile(archive) as opened:
        images = [Image.open(io.BytesIO(opened.read(name))).convert(mode) for name in opened.namelist()]
    return np.stack([np.asarray(one.resize(size) if size else one, dtype=np.float64) for one in images])


def outlines(images, cell=8, directions=8):
    """How strong the edges of each direction are in each cell (Dalal & Triggs 2005), (n, features)."""
    down, across = np.gradient(images, axis=(1, 2))
    turn = np.floor((np.arctan2(down, across) / (2 * np.pi) % 1) * directions) % directions
    count, height, width = images.shape
    rows, columns = height // cell, width // cell
    strength = np.hypot(down, across)[:, : rows * cell, : columns * cell]
    turn = turn[:, : rows * cell, : columns * cell]
    cells = [
        np.where(turn == one, strength, 0).reshape(count, rows, cell, columns, cell).sum(axis=(2, 4))
        for one in range(directions)
    ]
    found = np.stack(cells, axis=-1).reshape(count, -1)
    return found / (np.linalg.norm(found, axis=1, keepdims=True) + 1e-9)
