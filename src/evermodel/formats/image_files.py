"""Image files: the one decoder, which refuses what is none, and what a manifest tells of each."""

import hashlib
import io
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import numpy as np
import pandas as pd
from PIL import Image, ImageOps

from evermodel.core.data import Array
from evermodel.core.errors import EvermodelError, UnusableError
from evermodel.core.terms import Fit, Mode
from evermodel.formats import packed, raw_files
from evermodel.formats.litter import is_litter

Rejected = tuple[str, str]

PIXELS = 40_000_000  # an image beyond this is refused before it is decoded
FORMATS = ("BMP", "GIF", "JPEG", "PNG", "PPM", "TIFF", "WEBP")  # not EPS, say, which runs Ghostscript
EIGHT_BIT = ("1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "YCbCr")  # deeper pixels would be cut at 255
# Names that promise an image, also one that can't be decoded here and has to be told of.
SUFFIXES = (
    *(".apng", ".avif", ".bmp", ".gif", ".heic", ".heif", ".jfif", ".jp2", ".jpe", ".jpeg", ".jpg"),
    *(".pbm", ".pgm", ".png", ".pnm", ".ppm", ".tif", ".tiff", ".webp"),
)
NOTHING = "(?!)"  # matches no name
SUFFIX = f"(?i:{'|'.join(map(re.escape, SUFFIXES))})"  # as an expression
AT_ONCE = 1 << 24  # pixels that are looked at together
REDUCED = 2  # times the size that is wanted, down to which a JPEG is reduced while it is decoded


@dataclass(frozen=True, slots=True)
class ImageFile:
    """One image of an archive: its name, what its name says, and its bytes, as packed.opened gives them."""

    name: str
    groups: dict[str, str]
    content: packed.Content

    def opened(self) -> IO[bytes]:
        """Its bytes; UnusableError if they can't be read."""
        return io.BytesIO(self.content())


@dataclass(frozen=True)
class Album:
    """The images of an archive, in the natural order of names, by the pattern that takes them.

    rejected: those that no pattern takes, or that can't be told apart, each with the reason.
    """

    images: dict[str, list[ImageFile]]
    rejected: list[Rejected]


def decode(file: Path | IO[bytes], mode: Mode, least: int = 0) -> Image.Image:
    """An image as "RGB" or "L" (8-bit grey, ITU-R 601-2 luma), as a viewer shows it on white paper.

    It is turned as its EXIF orientation says, and what is transparent lets white through. Of an animation
    it is the first picture; colour profiles are not applied. least: where a JPEG may be decoded at a half, a
    quarter or an eighth, which is faster, as long as no side gets below so many pixels. Raises UnusableError
    if it is no image, damaged, beyond PIXELS, which its header tells before it is decoded, of more than
    8 bits a channel, or a TIFF of several pages.
    """
    return _decoded(file, lambda image: _on_white(image).convert(mode), least)


def decode_values(file: Path | IO[bytes], colours: bool) -> Image.Image:
    """An image whose pixels are no brightness but names: "L", the numbers as they stand in the file.

    Of a palette they are the numbers of its entries. colours: whether the names are colours, for "RGB".
    Raises UnusableError as `decode` does.
    """
    return _decoded(file, lambda image: image.convert("RGB") if colours else _numbers(image))


def pixels(file: Path | IO[bytes]) -> int:
    """How many pixels the header of an image tells; UnusableError if it is none."""
    with _opened(file) as image:
        return image.width * image.height


def fitted(
    image: Image.Image,
    shape: Sequence[int],
    fit: Fit,
    filter: Image.Resampling = Image.Resampling.LANCZOS,
) -> Image.Image:
    """An image at another size; as it is if it has that size.

    shape: height and width. fit: "stretch" changes the ratio of its sides; "crop" keeps it and cuts off as
    much at either end of the longer side; "pad" keeps it and adds as much black at either end of the other.
    """
    height, width = shape
    if fit == "stretch":
        return image.resize((width, height), filter)
    return {"crop": ImageOps.fit, "pad": ImageOps.pad}[fit](image, (width, height), filter)


def example(file: Path | IO[bytes], mode: Mode, shape: Sequence[int], fit: Fit) -> Array:
    """An image file as an example of that height and width, (height, width, channels) uint8.

    Raises UnusableError as `decode` does.
    """
    return array(fitted(decode(file, mode, REDUCED * max(shape)), shape, fit))


def album(
    archive: Path, files: packed.Files, patterns: Mapping[str, str], ignore: str | None = None
) -> Album:
    """The images among the files of an archive whose whole names match a regular expression.

    patterns: the expressions, by the options of the reader that they stand in. ignore: another one for the
    names that are left out on purpose.

    Rejected is what cannot be told apart or placed: an image that no pattern takes or that several do, one
    whose name stands there twice, and one without one of the groups of the pattern. Files that are no
    images, neither by name nor by content, are not told of. Raises EvermodelError if an expression is none
    or matches nothing.
    """
    compiled = {option: _pattern(archive, option, pattern) for option, pattern in patterns.items()}
    left_out = _pattern(archive, "ignore", NOTHING if ignore is None else ignore)
    found = Album({option: [] for option in patterns}, [])
    names: set[str] = set()
    for name, content in files:
        if left_out.fullmatch(name) or (is_litter(name) and not _opens(content)):
            continue
        matches = [(option, match) for option, one in compiled.items() if (match := one.fullmatch(name))]
        if matches or _is_image(name, content):
            try:
                option, groups = _place(matches, again=name in names)
                found.images[option].append(ImageFile(name, groups, content))
            except UnusableError as reason:
                found.rejected.append((name, str(reason)))
        names.add(name)
    for option, pattern in compiled.items():
        _require_match(archive, option, pattern, names)
    return found


def array(image: Image.Image) -> Array:
    """The pixels of an 8-bit image, (height, width, channels) uint8."""
    return np.asarray(image, dtype=np.uint8).reshape(image.height, image.width, -1)


def in_order(rejected: list[Rejected]) -> tuple[Rejected, ...]:
    """Rejected images in the natural order of their names."""
    return tuple(sorted(rejected, key=lambda one: packed.natural(one[0])))


def metadata(images: Array) -> pd.DataFrame:
    """A row per image of (n, height, width, channels) uint8, for a manifest.

    Height and width (pixels), mode ("L" or "RGB"), mean and sd of its pixels (0 to 255, all channels
    together), and the sha256 of its pixels. Of images that are mapped from disk, some are read at a time.
    """
    count = max(1, AT_ONCE // math.prod(images.shape[1:]))
    parts = [_facts(images[start : start + count]) for start in range(0, len(images), count)]
    facts = pd.concat(parts, ignore_index=True)
    facts.insert(0, "mode", "L" if images.shape[3] == 1 else "RGB")
    facts.insert(0, "width", images.shape[2])
    facts.insert(0, "height", images.shape[1])
    return facts


def _facts(images: Array) -> pd.DataFrame:
    pixels = images.reshape(len(images), -1)
    mean = pixels.mean(axis=1)
    # In whole numbers: exact on every machine, and without a float copy of all the images.
    squares = np.einsum("ij,ij->i", pixels, pixels, dtype=np.int64)
    sd = np.sqrt(np.maximum(squares / pixels.shape[1] - mean**2, 0))
    sha256 = [hashlib.sha256(image.tobytes()).hexdigest() for image in images]
    return pd.DataFrame({"mean": mean, "sd": sd, "sha256": pd.Series(sha256, dtype="str")})


def _decoded(
    file: Path | IO[bytes], shown: Callable[[Image.Image], Image.Image], least: int = 0
) -> Image.Image:
    image = _opened(file)
    with image:
        if image.width * image.height > PIXELS:
            raise UnusableError(
                f"has {image.width}x{image.height} pixels; give a smaller image, {PIXELS:,} are the limit"
            )
        if image.mode not in EIGHT_BIT:
            raise UnusableError(f"has pixels of mode {image.mode}; give 8 bits a channel")
        try:
            pages = getattr(image, "n_frames", 1) if image.format == "TIFF" else 1
            if least:
                image.draft(None, (least, least))
            image.load()
            found = shown(_upright(image))
        except Exception:
            raise UnusableError("is an image that is cut off or corrupt; replace it") from None
    if pages > 1:
        raise UnusableError(f"has {pages} pages; give a file for each")
    return found


def _numbers(image: Image.Image) -> Image.Image:
    """The numbers of an image's pixels, whatever they look like."""
    if image.mode == "P":
        return Image.frombytes("L", image.size, image.tobytes())
    return image.convert("L")


def _opened(file: Path | IO[bytes]) -> Image.Image:
    """An image whose header was read, and no more; UnusableError if it is none, or far beyond PIXELS."""
    try:
        return Image.open(file, formats=FORMATS)
    except Image.DecompressionBombError as error:
        raise UnusableError(f"is refused ({error}); give a smaller image") from None
    except Exception:  # Pillow raises whatever it likes for a damaged file
        raise UnusableError("is not an image that can be decoded; give a PNG or JPEG") from None


def _upright(image: Image.Image) -> Image.Image:
    try:
        return ImageOps.exif_transpose(image)
    except Exception:  # Pillow raises whatever it likes for damaged EXIF data, which viewers pass over
        return image


def _on_white(image: Image.Image) -> Image.Image:
    if not image.has_transparency_data:
        return image
    seen = image.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", seen.size, "white"), seen)


def _place(matches: list[tuple[str, re.Match[str]]], again: bool) -> tuple[str, dict[str, str]]:
    """The one pattern that takes a name, and what the name says; UnusableError if there is no such one."""
    if not matches:
        raise UnusableError("is an image that no pattern takes; widen a pattern, or name it by `ignore`")
    if len(matches) > 1:
        options = " and ".join(option for option, _ in matches)
        raise UnusableError(f"is taken by {options}; let only one pattern take it")
    if again:
        raise UnusableError("stands twice in the archive; keep one")
    ((option, match),) = matches
    if silent := [group for group, text in match.groupdict().items() if not text]:
        raise UnusableError(f"carries no {silent[0]} in its name; rename it, or name it by `ignore`")
    return option, match.groupdict()


def _is_image(name: str, content: packed.Content) -> bool:
    return name.lower().endswith(SUFFIXES) or _opens(content)


def _opens(content: packed.Content) -> bool:
    try:
        Image.open(io.BytesIO(content()), formats=FORMATS).close()
    except Image.DecompressionBombError:
        return True
    except Exception:  # Pillow raises whatever it likes for what is no image
        return False
    return True


def _require_match(archive: Path, option: str, pattern: re.Pattern[str], names: set[str]) -> None:
    if not any(map(pattern.fullmatch, names)):
        found = ", ".join(sorted(names, key=packed.natural)[:3]) or "nothing"
        raise EvermodelError(
            f"{archive}: no name matches {pattern.pattern!r}; it holds {found}; "
            f"correct {option} in {raw_files.described(archive)}"
        )


def _pattern(archive: Path, option: str, expression: str) -> re.Pattern[str]:
    try:
        return re.compile(expression)
    except re.error as error:
        raise EvermodelError(
            f"{archive}: {expression!r} is no regular expression ({error}); "
            f"correct {option} in {raw_files.described(archive)}"
        ) from None
