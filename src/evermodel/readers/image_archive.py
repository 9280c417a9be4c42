"""An archive of images whose names say what is on them."""

from pathlib import Path
from typing import Any

from evermodel.core.data import Raw
from evermodel.formats import labelled_images


def read(folder: Path, **options: Any) -> Raw:
    """The images, (n, height, width, channels) uint8, in natural order of names.

    options: what labelled_images.load takes. The manifest has the groups of the names, and what
    image_files.metadata tells. Raises EvermodelError as these two do.
    """
    return labelled_images.load(folder, **options).raw()
