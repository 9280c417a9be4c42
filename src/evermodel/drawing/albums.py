"""Zip archives of images whose bytes depend on the images alone."""

import io
import zipfile
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from PIL import Image

FORMATS = {".jpg": "JPEG", ".pgm": "PPM", ".png": "PNG"}


def save(file: Path, images: Mapping[str, Image.Image]) -> None:
    """Write member name -> image, in the order of the names; the suffix of a name is its format.

    Stored, not deflated, because images are packed already; a ZipInfo without a date is of 1980-01-01.
    """
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(images):
            archive.writestr(zipfile.ZipInfo(name), _encoded(name, images[name]))


def _encoded(name: str, image: Image.Image) -> bytes:
    packed = io.BytesIO()
    image.save(packed, FORMATS[PurePosixPath(name).suffix])
    return packed.getvalue()
