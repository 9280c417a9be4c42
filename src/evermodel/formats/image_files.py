"""Image files: the one decoder, which refuses what is none, and what a manifest tells of each."""

import hashlib
import io
import re
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Literal

import numpy as np
import pandas as pd
from PIL import Image

from evermodel.core.data import Array
from evermodel.core.errors import EvermodelError, UnusableError
from evermodel.formats import packed, raw_files

Mode = Literal["RGB", "L"]
Rejected = tuple[str, str]

PIXELS = 40_000_000  # an image beyond this is refused before it is decoded
FORMATS = ("BMP", "GIF", "JPEG", "PNG", "PPM", "TIFF", "WEBP")  # not EPS, say, which runs Ghostscript
EIGHT_BIT = ("1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "YCbCr")  # deeper pixels would be cut at 255


@dataclass(frozen=True)
class ImageFile:
    """One image of an archive: its name, what its name says, and its pixels (height, width, channels)."""

    name: str
    groups: dict[str, str]
    pixels: Array

    @property
    def size(self) -> tuple[int, int]:
        """Height and width in pixels."""
        return self.pixels.shape[0], self.pixels.shape[1]


@dataclass(frozen=True)
class Album:
    """The images of an archive whose names match a pattern, each kind in the natural order of names.

    rejected: those that can't be used, each with the reason. ignored: the names that do not match.
    """

    images: list[ImageFile]
    rejected: list[Rejected]
    ignored: list[str]


def decode(file: Path | IO[bytes], mode: Mode) -> Image.Image:
    """An image as "RGB" or "L" (8-bit grey, ITU-R 601-2 luma), whichever of them, palette or CMYK it was.

    An alpha channel is dropped. Raises UnusableError if it is no image, damaged, beyond PIXELS, which its
    header tells before it is decoded, or of more than 8 bits a channel.
    """
    try:
        image = Image.open(file, formats=FORMATS)
    except Image.DecompressionBombError as error:
        raise UnusableError(f"is refused: {error}") from None
    except Exception:  # Pillow raises whatever it likes for a damaged file
        raise UnusableError("is not an image that can be decoded; give a PNG or JPEG") from None
    with image:
        if image.width * image.height > PIXELS:
            raise UnusableError(f"has {image.width}x{image.height} pixels; the limit is {PIXELS:,}")
        if image.mode not in EIGHT_BIT:
            raise UnusableError(f"has pixels of mode {image.mode}; give 8 bits a channel")
        try:
            # By way of RGBA, as a palette may have an alpha channel that Pillow would warn of.
            return (image.convert("RGBA") if image.mode == "P" else image).convert(mode)
        except Exception:
            raise UnusableError("is an image that is cut off or corrupt; replace it") from None


def unpack(archive: Path, members: str, mode: Mode) -> Album:
    """The images of a zip or tar.gz archive whose whole names match a regular expression.

    Raises EvermodelError if the archive can't be read, or the expression is none or matches nothing.
    """
    pattern = _pattern(archive, members)
    album = Album([], [], [])
    for name, content in packed.files(archive):
        if match := pattern.fullmatch(name):
            try:
                pixels = array(decode(io.BytesIO(content()), mode))
                album.images.append(ImageFile(name, match.groupdict(), pixels))
            except UnusableError as reason:
                album.rejected.append((name, str(reason)))
        else:
            album.ignored.append(name)
    album.images.sort(key=lambda image: packed.natural(image.name))
    album.ignored.sort(key=packed.natural)
    if not album.images and not album.rejected:
        found = ", ".join(album.ignored[:3]) or "nothing"
        raise EvermodelError(
            f"{archive}: no name matches {members!r}; it holds {found}; "
            f"correct it in {raw_files.described(archive)}"
        )
    return album


def array(image: Image.Image) -> Array:
    """The pixels of an 8-bit image, (height, width, channels) uint8."""
    return np.asarray(image, dtype=np.uint8).reshape(image.height, image.width, -1)


def in_order(rejected: list[Rejected]) -> tuple[Rejected, ...]:
    """Rejected images in the natural order of their names."""
    return tuple(sorted(rejected, key=lambda one: packed.natural(one[0])))


def metadata(images: Array) -> pd.DataFrame:
    """A row per image of (n, height, width, channels) uint8, for a manifest.

    Height and width (pixels), mode ("L" or "RGB"), mean and sd of its pixels (0 to 255, all channels
    together), and the sha256 of its pixels.
    """
    pixels = images.reshape(len(images), -1)
    mean = pixels.mean(axis=1)
    # In whole numbers: exact on every machine, and without a float copy of all the images.
    squares = np.einsum("ij,ij->i", pixels, pixels, dtype=np.int64)
    return pd.DataFrame(
        {
            "height": images.shape[1],
            "width": images.shape[2],
            "mode": "L" if images.shape[3] == 1 else "RGB",
            "mean": mean,
            "sd": np.sqrt(np.maximum(squares / pixels.shape[1] - mean**2, 0)),
            "sha256": [hashlib.sha256(image.tobytes()).hexdigest() for image in images],
        }
    )


def _pattern(archive: Path, members: str) -> re.Pattern[str]:
    try:
        return re.compile(members)
    except re.error as error:
        raise EvermodelError(
            f"{archive}: {members!r} is no regular expression ({error}); "
            f"correct it in {raw_files.described(archive)}"
        ) from None
