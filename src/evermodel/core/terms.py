"""What several readers have to know, in the terms of params.yaml; a check of it needs no library."""

from collections.abc import Mapping, Sequence
from typing import Literal, NotRequired

from pydantic import with_config
from typing_extensions import TypedDict  # the one that pydantic takes in Python 3.11

from evermodel.core.section import Section

Fit = Literal["stretch", "crop", "pad"]
Mode = Literal["RGB", "L"]


class TableFiles(TypedDict, total=False):
    r"""Which files a table is, and where their columns are.

    files: a pattern of their names, such as `part-*.csv`; the order is the natural one of names. splits: the
    pattern of each split, if they are split already; the table then has a column `split`. columns: the names
    of all; without, those that the first file has, or their places from "0". Where files name their columns,
    these may stand in any order. sheet: of Excel; without, the first.

    Of text: separator is a character, or \s+ for white space; without, what the first lines show. header:
    whether the first line names the columns, as it does unless this is false.
    """

    files: str | None
    splits: Mapping[Literal["train", "validation", "test"], str] | None
    columns: Sequence[str] | None
    separator: str | None
    header: bool
    sheet: str | None


class TableOptions(TableFiles, total=False):
    """How a table is written, where it is not as core/data.Layout has it.

    encoding: of text, as Python calls it. decimal and thousands are told to who reads the fields.
    """

    encoding: str
    decimal: Literal[".", ","]
    thousands: Literal["", ",", ".", " ", "'"]


@with_config(Section.model_config)
class ImageOptions(TypedDict):
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
