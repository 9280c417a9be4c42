"""Archives of images whose names say what is on them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NotRequired

import numpy as np
import pandas as pd
from pydantic import with_config
from typing_extensions import TypedDict  # the one that pydantic takes in Python 3.11

from evermodel.core.data import Array, Raw
from evermodel.core.errors import EvermodelError
from evermodel.core.section import Section
from evermodel.formats import image_files, raw_files
from evermodel.formats.image_files import Album, ImageFile, Mode, Rejected

TEXTS = ("split", "label")
SUFFIXES = (".bmp", ".jpeg", ".jpg", ".pgm", ".png")


@with_config(Section.model_config)
class Options(TypedDict):
    """What `load` takes, where a reader has it as an option of its own."""

    archive: str
    members: str
    mode: Mode
    size: NotRequired[Sequence[int]]
    labels: NotRequired[Mapping[str, str]]


@dataclass(frozen=True)
class LabelledImages:
    """Images (n, height, width, channels) uint8, with what their names say of each.

    columns: a row per image. rejected: the files that can't be used, each with the reason.
    """

    columns: pd.DataFrame
    pixels: Array
    rejected: tuple[Rejected, ...]

    def raw(self) -> Raw:
        """As a reader returns them; the manifest has the columns, and what image_files.metadata tells."""
        manifest = self.columns.join(image_files.metadata(self.pixels))
        return Raw("images", manifest, self.pixels, rejected=self.rejected)


def load(
    folder: Path,
    *,
    archive: str,
    members: str,
    mode: Mode,
    size: Sequence[int] | None = None,
    labels: Mapping[str, str] | None = None,
) -> LabelledImages:
    """The images in a zip or tar.gz archive of a raw folder, in natural order of names.

    members: a regular expression; names that do not match it as a whole are ignored. Its named groups
    become columns: split and label as text, any other as int64 if it is digits throughout.
    mode: "RGB" or "L", to which every image is converted: a grey one among colour images gets three
    equal channels. size: height and width, those of the first image by default; nothing is resized here.
    labels: the names of all labels that files are named by, where those speak in codes.

    Rejected, with the reason: a damaged, too large or wrongly sized image, one that is none, one whose
    name does not match beside others that do, and one of a label that `labels` does not name. Raises
    EvermodelError if the archive is missing, changed, encrypted or none, if no name matches, or if no
    image can be used.
    """
    file = raw_files.checked(folder, archive)
    album = image_files.unpack(file, members, mode)
    wanted = tuple(size or (album.images[0].size if album.images else ()))
    nameless = f"which labels in {raw_files.described(file)} does not name"
    misfits = [(image.name, _misfit(image, wanted, labels, nameless)) for image in album.images]
    good = [image for image, (_, reason) in zip(album.images, misfits, strict=True) if not reason]
    wrong = [one for one in misfits if one[1]]
    rejected = image_files.in_order([*album.rejected, *_unlabelled(album), *wrong])
    if not good:
        raise EvermodelError(f"{file} holds no image that can be used: {' '.join(rejected[0])}")
    columns = _columns([image.groups for image in good], labels)
    return LabelledImages(columns, np.stack([image.pixels for image in good]), rejected)


def _misfit(
    image: ImageFile, wanted: tuple[int, ...], labels: Mapping[str, str] | None, nameless: str
) -> str:
    """Why an image can't stand beside the others; nothing where it can."""
    if image.size != wanted:
        size, right = ("x".join(map(str, one)) for one in (image.size, wanted))
        return f"is {size} pixels, not {right} (height x width)"
    if labels is not None and (label := image.groups.get("label")) not in labels:
        return f"carries the label {label!r}, {nameless}"
    return ""


def _columns(groups: Sequence[Mapping[str, str]], labels: Mapping[str, str] | None) -> pd.DataFrame:
    frame = pd.DataFrame(groups)
    digits = [name for name in frame if name not in TEXTS and frame[name].str.fullmatch(r"[0-9]{1,18}").all()]
    frame = frame.astype(dict.fromkeys(digits, np.int64))
    return frame if labels is None else frame.assign(label=frame["label"].map(labels))


def _unlabelled(album: Album) -> list[Rejected]:
    names = [*(image.name for image in album.images), *(name for name, _ in album.rejected)]
    folders = set(map(_folder, names))
    others = (name for name in album.ignored if name.lower().endswith(SUFFIXES))
    return [(name, "carries no label in its name") for name in others if _folder(name) in folders]


def _folder(name: str) -> str:
    return name.rpartition("/")[0]
