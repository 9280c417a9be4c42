"""An archive of images whose names say what is on them."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from evermodel.core.data import Raw
from evermodel.formats import labelled_images
from evermodel.formats.image_files import Mode


def read(
    folder: Path,
    *,
    archive: str,
    members: str,
    mode: Mode,
    size: Sequence[int] | None = None,
    labels: Mapping[str, str] | None = None,
) -> Raw:
    """The images, (n, height, width, channels) uint8, in natural order of names.

    The options are those of labelled_images.load. The manifest has the groups of the names, and what
    image_files.metadata tells. Raises EvermodelError as these two do.
    """
    images = labelled_images.load(
        folder, archive=archive, members=members, mode=mode, size=size, labels=labels
    )
    return images.raw()
