"""An archive of images, each with a mask that says which of its pixels belong to something."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from evermodel.core.data import Array, Raw
from evermodel.core.errors import EvermodelError
from evermodel.formats import image_files, raw_files
from evermodel.formats.image_files import Album, ImageFile, Rejected

FOREGROUND = 128  # of 255: a mask may come as JPEG, or with smoothed edges

Pair = tuple[ImageFile, ImageFile]


def read(
    folder: Path, *, archive: str, images: str, masks: str, tile: int | None = None, ignore: str | None = None
) -> Raw:
    """Grey images and their masks, 0 or 255, both (n, height, width, 1) uint8, in the order of their ids.

    images, masks: regular expressions over the names in the archive, each with a group `id` of digits that
    pairs the two; colours are converted to grey. tile: the side in pixels of the squares into which both are
    cut, row by row; what is left over at the right and bottom is left out. Without it, all images must
    have the size of the first. ignore: a regular expression over the whole names of images that are left out
    on purpose. The manifest has a row per piece: slice (the id), row and column (the place
    of the piece, from 0; all three int64), what image_files.metadata tells, and label, the share of
    foreground.

    Rejected, with the reason: what image_files.unpack rejects, images without a mask of the same size,
    masks without an image, images smaller than a tile. Raises EvermodelError if the archive is missing or
    changed, as image_files.unpack does, if no pair can be used, or if no mask marks anything.
    """
    file = raw_files.checked(folder, archive)
    pairs, rejected = _pairs(_album(file, {"images": images, "masks": masks}, ignore))
    first = next((image.size for image, mask in pairs if image.size == mask.size), None)
    misfits = [(image.name, _misfit(image, mask, tile, first)) for image, mask in pairs]
    pairs = [pair for pair, (_, reason) in zip(pairs, misfits, strict=True) if not reason]
    rejected += [one for one in misfits if one[1]]
    ordered = image_files.in_order(rejected)
    if not pairs:
        raise EvermodelError(
            f"{file} holds no pair that can be used; mend the files or {raw_files.described(file)}: "
            f"{' '.join(ordered[0])}"
        )
    height, width = (tile, tile) if tile else pairs[0][0].size
    inputs, targets = (
        np.concatenate([_cut(image.pixels, height, width) for image in side])
        for side in zip(*pairs, strict=True)
    )
    targets = np.where(targets >= FOREGROUND, 255, 0).astype(np.uint8)
    if not targets.any():
        raise EvermodelError(
            f"{file}: no mask has a pixel of {FOREGROUND} or brighter; mark what belongs by 255, not by 1"
        )
    places = pd.concat([_places(image, height, width) for image, _ in pairs], ignore_index=True)
    label = (targets > 0).mean(axis=(1, 2, 3))
    manifest = pd.concat([places, image_files.metadata(inputs)], axis=1).assign(label=label)
    return Raw("images", manifest, inputs, targets, ordered)


def _album(file: Path, patterns: Mapping[str, str], ignore: str | None) -> Album:
    for option, pattern in patterns.items():
        if "(?P<id>" not in pattern:
            raise EvermodelError(
                f"{file}: {pattern!r} has no group (?P<id>...); "
                f"correct {option} in {raw_files.described(file)}"
            )
    return image_files.unpack(file, patterns, "L", ignore)


def _pairs(album: Album) -> tuple[list[Pair], list[Rejected]]:
    """Images and masks of one id, in the order of ids; and what can't be used or is left alone."""
    (shown, wrong), (marked, amiss) = _by_id(album.images["images"]), _by_id(album.images["masks"])
    rejected = [*album.rejected, *wrong, *amiss]
    rejected += [(shown[one].name, "has no mask that can be used") for one in shown.keys() - marked.keys()]
    rejected += [(marked[one].name, "has no image that can be used") for one in marked.keys() - shown.keys()]
    return [(shown[one], marked[one]) for one in sorted(shown.keys() & marked.keys())], rejected


def _by_id(images: Sequence[ImageFile]) -> tuple[dict[int, ImageFile], list[Rejected]]:
    found: dict[int, ImageFile] = {}
    rejected = []
    for image in images:
        if not image.groups["id"].isdecimal():
            rejected.append((image.name, "has an id that is no whole number"))
        elif (first := found.setdefault(int(image.groups["id"]), image)) is not image:
            rejected.append((image.name, f"has the id of {first.name}"))
    return found, rejected


def _misfit(image: ImageFile, mask: ImageFile, tile: int | None, first: tuple[int, int] | None) -> str:
    """Why a pair can't be cut; nothing where it can."""
    if image.size != mask.size:
        return f"is {_size(image)} pixels, but its mask is {_size(mask)}"
    if tile and min(image.size) < tile:
        return f"is {_size(image)} pixels, but a tile is {tile}x{tile}"
    if not tile and image.size != first:
        return f"is {_size(image)} pixels, unlike the first one"
    return ""


def _cut(pixels: Array, height: int, width: int) -> Array:
    """The whole pieces of an image (h, w, 1), row by row: (pieces, height, width, 1)."""
    rows, columns = pixels.shape[0] // height, pixels.shape[1] // width
    whole = pixels[: rows * height, : columns * width]
    return whole.reshape(rows, height, columns, width, 1).swapaxes(1, 2).reshape(-1, height, width, 1)


def _places(image: ImageFile, height: int, width: int) -> pd.DataFrame:
    rows, columns = image.size[0] // height, image.size[1] // width
    row, column = np.divmod(np.arange(rows * columns, dtype=np.int64), columns)
    return pd.DataFrame({"slice": int(image.groups["id"]), "row": row, "column": column})


def _size(image: ImageFile) -> str:
    return "x".join(map(str, image.size))
