"""The drawings of cifar.py as what is normal, and the flowers of photographs.py as what is not."""

from pathlib import Path

from evermodel.datasets.source import Edition
from evermodel.samples import cifar, photographs


def write(folder: Path, edition: Edition) -> None:
    """Write the edition's two archives."""
    for generator, part in ((cifar, "normal"), (photographs, "odd")):
        generator.write(folder, edition.model_copy(update={"options": edition.options[part]}))
