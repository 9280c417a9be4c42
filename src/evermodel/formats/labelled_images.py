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
from evermodel.formats.image_files import ImageFile, Mode, Rejected

TEXTS = ("split", "label")
MEMBERS = "members"


@with_config(Section.model_config)
class Options(TypedDict):
    """What a reader has to know of an archive of labelled images.

    archive: the file. members: a regular expression over whole names, whose named groups become columns:
    split and label as text, any other as int64 if it is digits throughout. mode: "RGB" or "L", to which
    every image is converted: a grey one among colour images gets three equal channels. shape: height and
    width, those of the first image by default; nothing is resized here. labels: the names of all labels
    that files are named by, where those speak in codes. ignore: a regular expression over the whole names
    of images that are left out on purpose.
    """

    archive: str
    members: str
    mode: Mode
    shape: NotRequired[Sequence[int] | None]
    labels: NotRequired[Mapping[str, str] | None]
    ignore: NotRequired[str | None]


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


def load(folder: Path, options: Options) -> LabelledImages:
    """The images in a zip or tar.gz archive of a raw folder, in natural order of names.

    Rejected, with the reason: what image_files.unpack rejects, an image of another size than the others,
    and one of a label that `labels` does not name. Raises EvermodelError if the archive is missing or
    changed, as image_files.unpack does, or if no image can be used.
    """
    file, labels = raw_files.checked(folder, options["archive"]), options.get("labels")
    album = image_files.unpack(file, {MEMBERS: options["members"]}, options["mode"], options.get("ignore"))
    images = album.images[MEMBERS]
    wanted = tuple(options.get("shape") or (images[0].size if images else ()))
    nameless = f"which labels in {raw_files.described(file)} does not name"
    misfits = [(image.name, _misfit(image, wanted, labels, nameless)) for image in images]
    good = [image for image, (_, reason) in zip(images, misfits, strict=True) if not reason]
    rejected = image_files.in_order([*album.rejected, *(one for one in misfits if one[1])])
    if not good:
        raise EvermodelError(
            f"{file} holds no image that can be used; mend the files or {raw_files.described(file)}: "
            f"{' '.join(rejected[0])}"
        )
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
