"""The digits of digits.py and the garments of garments.py, of which pictures with captions are composed."""

from pathlib import Path

from evermodel.datasets.source import Edition
from evermodel.formats import idx_format
from evermodel.samples import digits, garments


def write(folder: Path, edition: Edition) -> None:
    """Write the edition's eight files, four of each; their names begin with which they are."""
    for name, generator in {"digits": digits, "garments": garments}.items():
        generator.write(folder, edition)
        for file in [file for pair in idx_format.FILES.values() for file in pair]:
            (folder / file).rename(folder / f"{name}-{file}")
