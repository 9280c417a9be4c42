"""An archive of images whose names say what is on them."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from evermodel.core.data import Raw
from evermodel.formats import labelled_images
from evermodel.formats.image_files import Mode
from evermodel.formats.labelled_images import Options


def read(
    folder: Path,
    *,
    archive: str,
    members: str,
    mode: Mode,
    shape: Sequence[int] | None = None,
    labels: Mapping[str, str] | None = None,
    ignore: str | None = None,
) -> Raw:
    """The images, (n, height, width, channels) uint8, in natural order of names.

    The options are those of labelled_images.Options. The manifest has the groups of the names, and what
    image_files.metadata tells. Raises EvermodelError as these two do.
    """
    options: Options = {
        "archive": archive,
        "members": members,
        "mode": mode,
        "shape": shape,
        "labels": labels,
    }
    return labelled_images.load(folder, {**options, "ignore": ignore}).raw()
