"""Predictions as Parquet files: in parts that a later run finds again, then as the whole."""

import csv
import hashlib
import json
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from filelock import FileLock, Timeout

from evermodel.core.errors import EvermodelError

PARQUET, REJECTED = ".parquet", "rejected.csv"
Rejected = tuple[str, str]


@contextmanager
def opened(out: Path) -> Iterator[Path]:
    """The folder of the parts, beside what will be written; what a killed run left in it is still there.

    Raises EvermodelError if `out` can't be written, or somebody else writes it.
    """
    _require_replaceable(out)
    folder = out.with_name(f"{out.name}.partial")
    folder.mkdir(parents=True, exist_ok=True)
    try:
        ours = FileLock(folder / "lock").acquire(timeout=0)
    except Timeout:
        raise EvermodelError(f"{out} is being written by another process; wait for its end") from None
    with ours:
        yield folder


def name(number: int, origin: str) -> str:
    """The file of a part, told by what it is made of."""
    return f"part-{number:06d}-{hashlib.sha256(origin.encode()).hexdigest()[:16]}{PARQUET}"


def write(file: Path, rows: pa.Table, rejected: Sequence[Rejected]) -> None:
    """Write a part that appears under its name complete or not at all."""
    unfinished = file.with_suffix(".unfinished")
    pq.write_table(rows.replace_schema_metadata({"rejected": json.dumps(rejected)}), unfinished)
    unfinished.replace(file)


def count(file: Path) -> tuple[int, list[Rejected]]:
    """How many answers a part holds, and the files that could not be used."""
    known = pq.read_metadata(file)
    return known.num_rows, [(name, reason) for name, reason in json.loads(known.metadata[b"rejected"])]


def publish(files: Sequence[Path], rejected: Sequence[Rejected], out: Path) -> None:
    """Make one file of the parts, or the folder that `out` names, and take all else away.

    rejected: they go into rejected.csv, in that folder or with the file's name before it.
    """
    folder = files[0].parent
    if out.suffix == PARQUET:
        _join(files, folder / "whole")
        _list(rejected, out.with_suffix(f".{REJECTED}"))
        (folder / "whole").replace(out)
        shutil.rmtree(folder)
        return
    for stray in set(folder.iterdir()) - set(files):
        stray.unlink()
    _list(rejected, folder / REJECTED)
    shutil.rmtree(out, ignore_errors=True)
    folder.replace(out)


def _join(files: Sequence[Path], whole: Path) -> None:
    schema = pq.read_schema(files[0]).remove_metadata()
    with pq.ParquetWriter(whole, schema) as writer:
        for file in files:
            writer.write_table(pq.read_table(file).replace_schema_metadata())


def _list(rejected: Sequence[Rejected], file: Path) -> None:
    if not rejected:
        file.unlink(missing_ok=True)
        return
    with file.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream, lineterminator="\n").writerows([("file", "reason"), *rejected])


def _require_replaceable(out: Path) -> None:
    """Nothing but an older result may be in the way."""
    if out.suffix == PARQUET and out.is_dir():
        raise EvermodelError(f"{out} is a folder; name a file, or a folder without {PARQUET} at its end")
    if out.suffix != PARQUET and out.exists():
        if out.is_file():
            raise EvermodelError(f"{out} is a file; let its name end in {PARQUET}, or name a folder")
        ours = {*out.glob(f"part-*{PARQUET}"), out / REJECTED}
        if foreign := sorted(set(out.iterdir()) - ours):
            raise EvermodelError(f"{out} holds {foreign[0].name}, which is no result; name an empty folder")
