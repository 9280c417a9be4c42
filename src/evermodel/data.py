"""The one format between stages: what a reader returns, and what `prepare` writes for everybody after it."""

import hashlib
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import BaseModel, ConfigDict

from evermodel.errors import EvermodelError

Kind = Literal["table", "images", "text"]
Array = np.ndarray[Any, Any]
RAW = Path("data/raw")
PREPARED = Path("data/prepared")
REPORTS = Path("reports")
SPLITS = ("train", "validation", "test")


@dataclass(frozen=True)
class Raw:
    """What a reader returns.

    manifest: one row per example, for Great Expectations. Of a table it is the table as read; of images
        and texts it has `split` ("train" or "test"), `label` and facts of each example.
    inputs: the examples in the manifest's order: images (n, height, width, channels) uint8, texts (n,)
        objects; None where the manifest's own columns are the inputs.
    """

    kind: Kind
    manifest: pd.DataFrame
    inputs: Array | None = None


@dataclass(frozen=True)
class Split:
    """The rows of one split: x as `Spec.input_shape` says, y (n,) float64, or int64 class numbers."""

    x: Array
    y: Array

    def __len__(self) -> int:
        return len(self.y)


class Spec(BaseModel):
    """What everybody after `prepare` knows of a data set; every statistic is of its training rows only."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    dataset: str
    edition: str
    made: bool
    kind: Kind
    input_shape: tuple[int, ...]
    input_dtype: str
    columns: tuple[str, ...] = ()
    target: str
    classes: tuple[str, ...] = ()
    rows: dict[str, int]
    mean: tuple[float, ...] = ()
    variance: tuple[float, ...] = ()
    vocabulary: tuple[str, ...] = ()
    target_mean: float = 0.0
    target_sd: float = 1.0
    duplicates: int
    test_hash: str


def load_spec(folder: Path) -> Spec:
    """The spec of a prepared data set."""
    return Spec.model_validate_json(_present(folder / "spec.json").read_text(encoding="utf-8"))


def load_split(folder: Path, split: str) -> Split:
    """One split of a prepared data set; arrays are mapped into memory, not read."""
    y = np.load(_present(folder / split / "y.npy"), mmap_mode="r")
    if (arrays := folder / split / "x.npy").exists():
        return Split(np.load(arrays, mmap_mode="r"), y)
    texts = pq.read_table(_present(folder / split / "x.parquet")).column("text")
    return Split(texts.to_numpy(zero_copy_only=False), y)


def save(folder: Path, spec: Spec, splits: dict[str, Split]) -> None:
    """Write a prepared data set; the same values give the same bytes."""
    for name, split in splits.items():
        (folder / name).mkdir(parents=True)
        np.save(folder / name / "y.npy", split.y)
        if split.x.dtype == object:
            pq.write_table(pa.table({"text": pa.array(split.x, pa.string())}), folder / name / "x.parquet")
        else:
            np.save(folder / name / "x.npy", split.x)
    (folder / "spec.json").write_text(spec.model_dump_json(indent=1) + "\n", encoding="utf-8")


def row_hashes(x: Array) -> Array:
    """One sha256 per example, (n,) objects: equal examples, and only they, have equal hashes."""
    examples = (text.encode() for text in x) if x.dtype == object else (row.tobytes() for row in x)
    return np.array([hashlib.sha256(example).hexdigest() for example in examples], dtype=object)


def split_hash(split: Split) -> str:
    """The identity of a split: sha256 over its examples and targets, in order."""
    digest = hashlib.sha256("".join(row_hashes(split.x)).encode())
    digest.update(np.ascontiguousarray(split.y).tobytes())
    return digest.hexdigest()


def file_hash(file: Path) -> str:
    """The sha256 of a file, read in pieces."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


@contextmanager
def whole_folder(folder: Path) -> Iterator[Path]:
    """A folder that appears under its name complete or not at all."""
    partial = folder.with_name(folder.name + ".partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    try:
        yield partial
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise
    shutil.rmtree(folder, ignore_errors=True)
    partial.replace(folder)


def _present(file: Path) -> Path:
    if not file.exists():
        raise EvermodelError(f"{file} is missing; `dvc repro` makes it")
    return file
