"""An archive of images, each with a mask that says what each of its pixels belongs to."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import IO

import numpy as np
import pandas as pd
from PIL import Image, ImageColor

from evermodel.core.data import OF_CLASS, Array, Kind, Layout, Raw
from evermodel.core.errors import EvermodelError, UnusableError
from evermodel.core.terms import Fit, Mode
from evermodel.formats import image_files, packed, raw_files
from evermodel.formats.image_files import Album, ImageFile, Rejected
from evermodel.formats.scratch import Scratch

KIND: Kind = "images"

FOREGROUND = 128  # of 255: a mask may come as JPEG, or with smoothed edges
MOST = 255  # classes, whose numbers are bytes

COLOUR = (1 << 16, 1 << 8, 1)  # by which red, green and blue are one number
NO_MASK, NO_IMAGE = "has no mask that can be used", "has no image that can be used"

Decode = Callable[[IO[bytes]], Image.Image]
Id = int | str
Pair = tuple[Id, ImageFile, ImageFile]


def read(
    folder: Path,
    *,
    archive: str,
    images: str,
    masks: str,
    mode: Mode = "L",
    values: Sequence[int | str] | None = None,
    tile: int | None = None,
    shape: Sequence[int] | None = None,
    fit: Fit | None = None,
    ignore: str | None = None,
) -> Raw:
    """Images and their masks, (n, height, width, channels) uint8 mapped from disk, in the order of their ids.

    images, masks: regular expressions over the names in the archive, each with a group `id` that pairs the
    two, by its value if it is a whole number. mode: "L" or "RGB", to which images are converted. values: what
    stands in a mask for each class, in their order: numbers, of a palette those of its entries, or colours
    like "#ff0000". Masks are the numbers of the classes; of two classes, and without values, by which bright
    is told from dark, they are 0 or 255. tile: the side in pixels of the squares into which both are cut,
    row by row; what is left over at the right and bottom is left out. shape and fit: height and width that
    images of any size get instead (image_files.fitted), masks by the nearest pixel. Without either, all
    images must have the size of the first. ignore: a regular expression over the whole names of images that
    are left out on purpose.

    The manifest has a row per piece: slice (the id; int64 if all are whole numbers), row and column (the
    place of the piece, from 0; int64), what image_files.metadata tells, and the share of foreground as label,
    or of more than two classes that of each as class_0, class_1, ….

    Rejected, with the reason: what image_files.album rejects, what can't be decoded, images without a mask of
    the same size, masks without an image or with another value, images smaller than a tile. Raises
    EvermodelError if the archive is missing or changed, options do not go together, as packed.opened and
    image_files.album do, if no pair can be used, or if no mask marks anything.
    """
    file = raw_files.checked(folder, archive)
    params, patterns = raw_files.described(file), {"images": images, "masks": masks}
    _require_sense(params, patterns, values, tile, shape, fit)
    wanted = (tile, tile) if tile else tuple(shape or ())
    inputs, targets = Scratch(), Scratch()
    places: list[tuple[Id, int, int]] = []
    with packed.opened(file) as files:
        pairs, rejected = _pairs(image_files.album(file, files, patterns, ignore))
        for number, name, image, mask in _decoded(pairs, mode, values, rejected):
            if fit:
                image = image_files.fitted(image, wanted, fit)
                mask = image_files.fitted(mask, wanted, fit, Image.Resampling.NEAREST)
            height, width = wanted = wanted or (image.height, image.width)
            if misfit := _misfit(image, tile, wanted):
                rejected.append((name, misfit))
                continue
            inputs.extend(_cut(image_files.array(image), height, width))
            targets.extend(_cut(image_files.array(mask), height, width))
            rows, columns = image.height // height, image.width // width
            places += [(number, row, column) for row in range(rows) for column in range(columns)]
    ordered = image_files.in_order(rejected)
    if not places:
        first = next((one for one in ordered if one[1] not in (NO_MASK, NO_IMAGE)), ordered[0])
        raise EvermodelError(
            f"{file} holds no pair that can be used; mend the files or {params}: {' '.join(first)}"
        )
    shown, marked = inputs.array(), targets.array()
    shares = _shares(marked, values)
    if "label" in shares and not shares["label"].any():
        told = f"{FOREGROUND} or brighter" if values is None else values[1]
        raise EvermodelError(
            f"{file}: no mask has a pixel of {told}; mark what belongs by 255, not by 1, or say as values in "
            f"{params} what it is marked by"
        )
    found = pd.DataFrame(places, columns=["slice", "row", "column"])
    manifest = pd.concat([found, image_files.metadata(shown), shares], axis=1)
    return Raw(KIND, manifest, shown, marked, ordered, Layout(fit=fit or "stretch"))


def _require_sense(
    params: Path,
    patterns: Mapping[str, str],
    values: Sequence[int | str] | None,
    tile: int | None,
    shape: Sequence[int] | None,
    fit: Fit | None,
) -> None:
    for option, pattern in patterns.items():
        if "(?P<id>" not in pattern:
            raise EvermodelError(f"{params}: {pattern!r} has no group (?P<id>...); correct {option} there")
    if fit and (tile or not shape):
        raise EvermodelError(f"{params}: fit needs shape: [height, width], and no tile; correct them there")
    if values is not None and not _tell_apart(values):
        raise EvermodelError(
            f"{params}: values are {list(values)!r}; give each class a number from 0 to 255, or each a "
            'colour like "#ff0000", and no two the same'
        )


def _tell_apart(values: Sequence[int | str]) -> bool:
    try:
        codes = {_code(value) for value in values}
    except ValueError:
        return False
    return len({type(value) for value in values}) == 1 and 2 <= len(codes) == len(values) <= MOST


def _pairs(album: Album) -> tuple[list[Pair], list[Rejected]]:
    """Images and masks of one id, in the order of ids; and what is left alone."""
    (shown, wrong), (marked, amiss) = _by_id(album.images["images"]), _by_id(album.images["masks"])
    rejected = [*album.rejected, *wrong, *amiss]
    rejected += [(shown[one].name, NO_MASK) for one in shown.keys() - marked.keys()]
    rejected += [(marked[one].name, NO_IMAGE) for one in marked.keys() - shown.keys()]
    ids = sorted(shown.keys() & marked.keys(), key=lambda one: packed.natural(str(one)))
    return [(one, shown[one], marked[one]) for one in ids], rejected


def _by_id(images: Sequence[ImageFile]) -> tuple[dict[Id, ImageFile], list[Rejected]]:
    found: dict[Id, ImageFile] = {}
    rejected = []
    for image in images:
        text = image.groups["id"]
        if (first := found.setdefault(int(text) if text.isdecimal() else text, image)) is not image:
            rejected.append((image.name, f"has the id of {first.name}"))
    return found, rejected


def _decoded(
    pairs: Sequence[Pair], mode: Mode, values: Sequence[int | str] | None, rejected: list[Rejected]
) -> Iterator[tuple[Id, str, Image.Image, Image.Image]]:
    """Id, name, image and mask of those pairs that are of one size; why the others can't be used."""
    for one, image, mask in pairs:
        shown = _tried(image, partial(image_files.decode, mode=mode), rejected)
        marked = _tried(mask, _marked if values is None else partial(_classes, values=values), rejected)
        if shown and marked and shown.size == marked.size:
            yield one, image.name, shown, marked
        elif shown and marked:
            rejected.append((image.name, f"is {_size(shown)} pixels, but its mask is {_size(marked)}"))
        elif shown or marked:
            rejected.append((image.name, NO_MASK) if shown else (mask.name, NO_IMAGE))


def _tried(file: ImageFile, decode: Decode, rejected: list[Rejected]) -> Image.Image | None:
    try:
        return decode(file.opened())
    except UnusableError as reason:
        rejected.append((file.name, str(reason)))
        return None


def _marked(file: IO[bytes]) -> Image.Image:
    """A mask of bright and dark as 255 and 0."""
    return image_files.decode(file, "L").point([0] * FOREGROUND + [255] * (256 - FOREGROUND))


def _classes(file: IO[bytes], values: Sequence[int | str]) -> Image.Image:
    """A mask whose pixels are the numbers of classes, or 0 and 255 of two; UnusableError at another value."""
    codes, colours = np.array([_code(value) for value in values]), isinstance(values[0], str)
    pixels = np.asarray(image_files.decode_values(file, colours), dtype=np.int64)
    found = pixels @ COLOUR if colours else pixels
    order = np.argsort(codes)
    numbers = order[np.searchsorted(codes, found, sorter=order).clip(max=len(codes) - 1)]
    if (strange := codes[numbers] != found).any():
        first = int(found[strange][0])
        raise UnusableError(
            f"has a pixel of {f'#{first:06x}' if colours else first}, which values does not name; add it"
        )
    return Image.fromarray((numbers * (255 if len(codes) == 2 else 1)).astype(np.uint8))


def _code(value: int | str) -> int:
    """A value of a mask as one number; ValueError if it is neither a byte nor a colour."""
    if isinstance(value, str):
        return int(np.dot(ImageColor.getrgb(value)[:3], COLOUR))
    if not 0 <= value <= 255:
        raise ValueError(value)
    return value


def _misfit(image: Image.Image, tile: int | None, wanted: tuple[int, ...]) -> str:
    """Why an image can't be cut; nothing where it can."""
    if tile and min(image.size) < tile:
        return f"is {_size(image)} pixels, but a tile is {tile}x{tile}"
    if not tile and (image.height, image.width) != wanted:
        right = "x".join(map(str, wanted))
        return f"is {_size(image)} pixels, not {right} (height x width); fit would resize it"
    return ""


def _cut(pixels: Array, height: int, width: int) -> Array:
    """The whole pieces of an image (h, w, c), row by row: (pieces, height, width, c)."""
    rows, columns, channels = pixels.shape[0] // height, pixels.shape[1] // width, pixels.shape[2]
    whole = pixels[: rows * height, : columns * width]
    pieces = whole.reshape(rows, height, columns, width, channels).swapaxes(1, 2)
    return pieces.reshape(-1, height, width, channels)


def _shares(masks: Array, values: Sequence[int | str] | None) -> pd.DataFrame:
    """Of each mask the share of foreground, or of each of more than two classes."""
    if values is None or len(values) == 2:
        return pd.DataFrame({"label": [np.count_nonzero(mask) / mask.size for mask in masks]})
    shares = [np.bincount(mask.ravel(), minlength=len(values)) / mask.size for mask in masks]
    return pd.DataFrame(shares, columns=[f"{OF_CLASS}{number}" for number in range(len(values))])


def _size(image: Image.Image) -> str:
    return f"{image.height}x{image.width}"
