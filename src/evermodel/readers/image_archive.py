"""An archive of images whose names say what is on them."""

from pathlib import Path
from typing import Any

from evermodel.core.data import Raw
from evermodel.formats import image_files, labelled_images


def read(folder: Path, **options: Any) -> Raw:
    """The images, (n, height, width, channels) uint8, in natural order of names.

    options: what labelled_images.load takes. The manifest has the groups of the names, and what
    image_files.metadata tells. Raises EvermodelError as these two do.
    """
    images = labelled_images.load(folder, **options)
    manifest = images.columns.join(image_files.metadata(images.pixels))
    return Raw("images", manifest, images.pixels, rejected=images.rejected)
