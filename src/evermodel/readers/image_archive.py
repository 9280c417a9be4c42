"""An archive of images whose names, or a table beside them, say what is on them."""

from pathlib import Path
from typing import Unpack

from evermodel.core.data import Kind, Raw
from evermodel.core.terms import ImageOptions
from evermodel.formats import labelled_images

KIND: Kind = "images"


def read(folder: Path, **options: Unpack[ImageOptions]) -> Raw:
    """The images, (n, height, width, channels) uint8 mapped from disk, in natural order of names.

    The manifest has the groups of the names or the columns of the table, and what image_files.metadata tells.
    Raises EvermodelError as labelled_images.load does.
    """
    return labelled_images.load(folder, options).raw()
