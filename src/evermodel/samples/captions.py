"""The digits of digits.py and the garments of garments.py, of which pictures with captions are composed."""

from pathlib import Path

import numpy as np

from evermodel.datasets.source import Edition
from evermodel.formats import idx_format
from evermodel.samples import digits, garments

MOVED = 260  # training digits that become test digits: there, too, are all pairs twice


def write(folder: Path, edition: Edition) -> None:
    """Write the edition's eight files, four of each; their names begin with which they are."""
    digits.write(folder, edition)
    _move(folder)
    _rename(folder, "digits")
    garments.write(folder, edition)
    _rename(folder, "garments")


def _move(folder: Path) -> None:
    for train, test in zip(*idx_format.FILES.values(), strict=True):
        dimensions = 1 + 2 * ("images" in train)
        learned, asked = (idx_format.load_array(folder / name, dimensions) for name in (train, test))
        idx_format.save_array(folder / train, learned[:-MOVED])
        idx_format.save_array(folder / test, np.concatenate([asked, learned[-MOVED:]]))


def _rename(folder: Path, which: str) -> None:
    for name in (name for names in idx_format.FILES.values() for name in names):
        (folder / name).rename(folder / f"{which}-{name}")
