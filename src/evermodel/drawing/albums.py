"""Zip archives of pictures whose bytes depend on the pictures alone."""

import io
import zipfile
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from PIL import Image

FORMATS = {".jpg": "JPEG", ".pgm": "PPM", ".png": "PNG"}


def save(file: Path, pictures: Mapping[str, Image.Image]) -> None:
    """Write member name -> picture, in the order of the names; the suffix of a name is its format.

    Stored, not deflated, because pictures are packed already; a ZipInfo without a date is of 1980-01-01.
    """
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(pictures):
            archive.writestr(zipfile.ZipInfo(name), _encoded(name, pictures[name]))


def _encoded(name: str, picture: Image.Image) -> bytes:
    packed = io.BytesIO()
    picture.save(packed, FORMATS[PurePosixPath(name).suffix])
    return packed.getvalue()
