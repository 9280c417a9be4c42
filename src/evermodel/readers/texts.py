"""Texts as people have them: a column of a table, or a file each in the folder of its class."""

import hashlib
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Unpack

import numpy as np
import pandas as pd

from evermodel.core.data import Kind, Raw
from evermodel.core.errors import EvermodelError, UnusableError
from evermodel.core.terms import TableFiles
from evermodel.formats import packed, raw_files, table_file, tables
from evermodel.formats.litter import is_litter

KIND: Kind = "text"

# A file in the folder of its class, whatever lies above; a name that begins with a dot is a system's.
SPLITS = {"train": "train", "training": "train", "test": "test", "testing": "test"}
SPLITS |= dict.fromkeys(("val", "valid", "validation", "dev"), "validation")
CLASSES = rf"(.*?/)??((?P<split>(?i:{'|'.join(SPLITS)}))/)?(?P<label>[^/.][^/]*)/[^/.][^/]*\.txt"
TOLD = ("words", "unknown", "sha256")  # columns of the manifest that tell of each text


def read(
    folder: Path,
    *,
    text: str | None = None,
    split: str | None = None,
    archive: str | None = None,
    members: str = CLASSES,
    ignore: str | None = None,
    encoding: str = table_file.UTF_8,
    **options: Unpack[TableFiles],
) -> Raw:
    """The texts, (n,) str objects, in the order of the table, or in natural order of the files' names.

    text: the column of a table; split: the one that says which split each is in, if the source declares them;
    the others are those of TableFiles. archive: instead, a zip, tar or tar.gz of files. members: a regular
    expression over whole names, whose groups, such as label and split, become columns; by default the label
    is the folder that a file lies in, and the split the one above, if that has such a name. ignore: one
    over those that are left out on purpose. encoding: of the files.

    All is held in memory: a million texts of a thousand characters take two gigabytes. The manifest has a row
    per text: what the table's other columns or the names tell, words (their number), unknown (0, as nobody
    tells a vocabulary) and the sha256 of the text in UTF-8. Files that are no text in the encoding, or have
    another name, are rejected. Raises EvermodelError unless there is either a column or an archive, if a
    column is missing or has a name that the manifest needs, if no file can be used, or as tables.read and
    packed.opened do.
    """
    if (text is None) == (archive is None):
        raise EvermodelError(
            f"{raw_files.described(folder / 'raw')}: a source of texts needs either `text`, a column of a "
            "table, or `archive`, a file of files; give one of them"
        )
    _require_used(folder, archive is not None, {"split": split, **options}, members, ignore)
    if archive is not None:
        return _files(raw_files.checked(folder, archive), members, ignore, encoding)
    table = tables.read(folder, encoding=encoding, **options)
    named = {split: "split"} if split else {}
    for name in (text, split):
        if name and name not in table.columns:
            raise EvermodelError(
                f"{folder} has no column {name!r}; its columns are {', '.join(table.columns)}; correct "
                f"{raw_files.described(folder / 'raw')}"
            )
    others = [name for name in table.columns if name != text]
    if taken := [name for name in others if name in TOLD or (split not in (None, name) and name == "split")]:
        raise EvermodelError(
            f"{folder} has a column {taken[0]!r}, as which something else is kept; rename it in the file"
        )
    found, manifests = [], []
    for piece in table.pieces():
        texts = piece[text].astype(object).where(piece[text].notna(), "").astype(str)
        found.append(texts.to_numpy(dtype=object))
        manifests.append(piece[others].rename(columns=named).join(_told(texts)))
    return Raw(KIND, pd.concat(manifests, ignore_index=True), np.concatenate(found))


def _require_used(
    folder: Path, is_archive: bool, of_table: Mapping[str, object], members: str, ignore: str | None
) -> None:
    """Raise an EvermodelError if there are options of what the texts do not lie in."""
    of_files = {"members": None if members == CLASSES else members, "ignore": ignore}
    unused = [option for option, value in (of_table if is_archive else of_files).items() if value is not None]
    if unused:
        file = raw_files.described(folder / "raw")
        where, other = ("an archive", "a table") if is_archive else ("a table", "an archive")
        raise EvermodelError(f"{file}: {unused[0]} is for {other}, but the texts are in {where}; remove it")


def _files(archive: Path, members: str, ignore: str | None, encoding: str) -> Raw:
    rows, texts, rejected = [], [], []
    with packed.opened(archive) as files:
        for name, content in files:
            if is_litter(name) or (ignore and re.fullmatch(ignore, name)):
                continue
            try:
                found = re.fullmatch(members, name)
                if not found:
                    raise UnusableError("has a name, or a folder, that `members` does not know")
                texts.append(_decoded(content(), encoding))
                rows.append(found.groupdict())
            except UnusableError as reason:
                rejected.append((name, str(reason)))
    if not rows:
        first = " ".join(rejected[0]) if rejected else "it is empty"
        raise EvermodelError(
            f"{archive} holds no text that can be used; mend the files or "
            f"{raw_files.described(archive)}: {first}"
        )
    manifest = pd.DataFrame(rows).dropna(axis="columns", how="all")
    if "split" in manifest:
        manifest = manifest.assign(split=manifest["split"].str.lower().map(SPLITS))
    texts_of = pd.Series(texts, dtype=object)
    return Raw(KIND, manifest.join(_told(texts_of)), texts_of.to_numpy(), rejected=tuple(rejected))


def _decoded(content: bytes, encoding: str) -> str:
    try:
        return content.decode("utf-8-sig" if encoding == "utf-8" else encoding)
    except UnicodeDecodeError as error:
        raise UnusableError(f"is no text in {encoding} (byte {error.start + 1}); save it as that") from None


def _told(texts: pd.Series) -> pd.DataFrame:
    """What the manifest tells of each text."""
    hashes = (hashlib.sha256(text.encode()).hexdigest() for text in texts)
    values = ([len(text.split()) for text in texts], 0.0, list(hashes))
    return pd.DataFrame(dict(zip(TOLD, values, strict=True)), index=texts.index)
