"""How pictures become examples, in the terms of params.yaml; `evermodel check` needs no more of them."""

from collections.abc import Mapping, Sequence
from typing import Literal, NotRequired

from pydantic import with_config
from typing_extensions import TypedDict  # the one that pydantic takes in Python 3.11

from evermodel.core.section import Section

Fit = Literal["stretch", "crop", "pad"]
Mode = Literal["RGB", "L"]


@with_config(Section.model_config)
class ArchiveOptions(TypedDict):
    """What a reader has to know of an archive of labelled images.

    archive: the file. members: a regular expression over whole names, whose named groups become columns:
    split and label as text, any other as int64 if it is digits throughout; by default label, the
    folder that an image lies in. table: instead, a CSV file beside the archive or in it, with a row per
    image; file_column: the column of their names, the first by default, with or without folders and suffix;
    separator: of its fields. mode: "RGB" or "L", to which every image is converted: a grey one among colour
    images gets three equal channels. shape: height and width, those of the first image by default. fit: how
    an image of any size gets that shape (image_files.fitted); without it others are rejected. labels: the
    names of all labels that files are named by, where those speak in codes. ignore: a regular expression
    over the whole names of images that are left out on purpose.
    """

    archive: str
    members: NotRequired[str | None]
    table: NotRequired[str | None]
    file_column: NotRequired[str | None]
    separator: NotRequired[str]
    mode: NotRequired[Mode]
    shape: NotRequired[Sequence[int] | None]
    fit: NotRequired[Fit | None]
    labels: NotRequired[Mapping[str, str] | None]
    ignore: NotRequired[str | None]
