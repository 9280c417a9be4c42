"""An archive of images whose names, or a table beside them, say what is on them."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from evermodel.core.data import Raw
from evermodel.core.pictures import ArchiveOptions, Fit, Mode
from evermodel.formats import labelled_images


def read(
    folder: Path,
    *,
    archive: str,
    members: str | None = None,
    table: str | None = None,
    file_column: str | None = None,
    separator: str = ",",
    mode: Mode = "RGB",
    shape: Sequence[int] | None = None,
    fit: Fit | None = None,
    labels: Mapping[str, str] | None = None,
    ignore: str | None = None,
) -> Raw:
    """The images, (n, height, width, channels) uint8 mapped from disk, in natural order of names.

    The options are those of ArchiveOptions. The manifest has the groups of the names or the columns
    of the table, and what image_files.metadata tells. Raises EvermodelError as these two do.
    """
    options: ArchiveOptions = {
        "archive": archive,
        "members": members,
        "table": table,
        "file_column": file_column,
        "separator": separator,
        "mode": mode,
        "shape": shape,
        "fit": fit,
        "labels": labels,
        "ignore": ignore,
    }
    return labelled_images.load(folder, options).raw()
