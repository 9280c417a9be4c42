"""Archives of images whose names, or a table beside them, say what is on them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from evermodel.core import fields
from evermodel.core.data import Array, Layout, Raw
from evermodel.core.errors import EvermodelError, UnusableError
from evermodel.core.terms import Fit, ImageOptions
from evermodel.formats import image_files, image_labels, packed, raw_files
from evermodel.formats.image_files import ImageFile, Rejected
from evermodel.formats.scratch import Scratch

TEXTS = ("split", "label")
MEMBERS = "members"
# An image in the folder of its class, whatever lies above; a name that begins with a dot is a system's.
IN_CLASS = rf"(?P<label>[^/.][^/]*)/[^/.][^/]*{image_files.SUFFIX}"
CLASSES = rf"(.*/)?{IN_CLASS}"
SPLITS = {"train": "train", "training": "train", "test": "test", "testing": "test"}
SPLITS |= dict.fromkeys(("val", "valid", "validation", "dev"), "validation")
SPLIT_CLASSES = rf"(.*/)?(?P<split>(?i:{'|'.join(SPLITS)}))/{IN_CLASS}"


@dataclass(frozen=True)
class LabelledImages:
    """Images (n, height, width, channels) uint8, mapped from disk, with what is known of each.

    columns: a row per image. rejected: the files that can't be used, each with the reason. fit: how images
    of another size became these.
    """

    columns: pd.DataFrame
    pixels: Array
    rejected: tuple[Rejected, ...]
    fit: Fit = "stretch"

    def raw(self) -> Raw:
        """As a reader returns them; the manifest has the columns, and what image_files.metadata tells."""
        manifest = self.columns.join(image_files.metadata(self.pixels))
        return Raw("images", manifest, self.pixels, rejected=self.rejected, layout=Layout(fit=self.fit))


def load(folder: Path, options: ImageOptions) -> LabelledImages:
    """The images in an archive of a raw folder, in natural order of names.

    Rejected, with the reason: what image_files.album rejects and what image_files.decode can't read, an image
    of another size than the others unless it is to be fitted, and one of a label that `labels` does not name;
    with a table also an image without a row, and a row without an image. Raises EvermodelError if a file is
    missing or changed, options do not go together, as packed.opened, image_files.album and image_labels.load
    do, or if no image can be used.
    """
    file = raw_files.checked(folder, options["archive"])
    _require_sense(file, options)
    with packed.opened(file) as files:
        images, columns, rejected = _placed(file, files, options)
        scratch, kept = Scratch(), []
        for place, pixels in _pixels(images, columns, options, raw_files.described(file), rejected):
            scratch.extend([pixels])
            kept.append(place)
    ordered = image_files.in_order(rejected)
    if not kept:
        raise EvermodelError(
            f"{file} holds no image that can be used; mend the files or {raw_files.described(file)}: "
            f"{' '.join(ordered[0])}"
        )
    known = _typed(columns.iloc[kept].reset_index(drop=True), options)
    return LabelledImages(known, scratch.array(), ordered, options.get("fit") or "stretch")


def _require_sense(file: Path, options: ImageOptions) -> None:
    params = raw_files.described(file)
    if options.get("fit") and not options.get("shape"):
        raise EvermodelError(f"{params}: fit needs the size of the examples; add shape: [height, width]")
    if options.get("table") and options.get("members"):
        raise EvermodelError(f"{params}: members and table both tell what is on the images; remove one")


def _placed(
    file: Path, files: packed.Files, options: ImageOptions
) -> tuple[Sequence[ImageFile], pd.DataFrame, list[Rejected]]:
    """The images, a row of text for each, and the others with the reason."""
    table, pattern = options.get("table"), options.get("members") or CLASSES
    if not table:
        album = image_files.album(file, files, {MEMBERS: pattern}, options.get("ignore"))
        images = album.images[MEMBERS]
        return images, pd.DataFrame([image.groups for image in images], dtype="str"), album.rejected
    labels = image_labels.load(file, files, table, options.get("file_column"), options.get("separator", ","))
    album = image_files.album(file, files, {MEMBERS: f"(?s:.*){image_files.SUFFIX}"}, options.get("ignore"))
    images, columns, rejected = image_labels.matched(labels, album.images[MEMBERS])
    return images, columns, [*album.rejected, *rejected]


def _pixels(
    images: Sequence[ImageFile],
    columns: pd.DataFrame,
    options: ImageOptions,
    params: Path,
    rejected: list[Rejected],
) -> Iterator[tuple[int, Array]]:
    """The place and the pixels of each image that can stand beside the others; why the rest can't."""
    mode, fit, labels = options.get("mode", "RGB"), options.get("fit"), options.get("labels")
    wanted = tuple(options.get("shape") or ())
    named = columns.get("label", pd.Series(index=columns.index, dtype="str"))
    for place, (image, label) in enumerate(zip(images, named, strict=True)):
        try:
            if labels is not None and label not in labels:
                raise UnusableError(f"carries the label {label!r}, which labels in {params} does not name")
            if fit:
                yield place, image_files.example(image.opened(), mode, wanted, fit)
                continue
            pixels = image_files.array(image_files.decode(image.opened(), mode))
            wanted = wanted or pixels.shape[:2]
            if pixels.shape[:2] != wanted:
                size, right = ("x".join(map(str, one)) for one in (pixels.shape[:2], wanted))
                raise UnusableError(f"is {size} pixels, not {right} (height x width); fit would resize it")
            yield place, pixels
        except UnusableError as reason:
            rejected.append((image.name, str(reason)))


def _typed(columns: pd.DataFrame, options: ImageOptions) -> pd.DataFrame:
    """Numbers as such, splits by the names that they have here, and labels by their own."""
    if options.get("table"):
        numbers = {str(name): fields.numbers(column) for name, column in columns.items()}
        columns = columns.assign(**{name: column for name, column in numbers.items() if column.notna().all()})
    else:
        others = (name for name in columns if name not in TEXTS)
        digits = [name for name in others if columns[name].str.fullmatch(r"[0-9]{1,18}").all()]
        columns = columns.astype(dict.fromkeys(digits, np.int64))
    if "split" in columns:
        split = columns["split"]
        columns = columns.assign(split=split.str.lower().map(SPLITS).fillna(split))
    labels = options.get("labels")
    return columns if labels is None else columns.assign(label=columns["label"].map(dict(labels)))
