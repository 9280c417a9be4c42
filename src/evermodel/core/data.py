"""The one format between stages: what a reader returns, and what `prepare` writes for everybody after it."""

import hashlib
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict

from evermodel.core.errors import EvermodelError

if TYPE_CHECKING:
    import pandas as pd  # half a second, of which most processes that come here have no use

Kind = Literal["table", "images", "text", "series"]
Array = np.ndarray[Any, Any]
WEIGHTS = "weights"
SPLITS = ("train", "validation", "test")


@dataclass(frozen=True)
class Raw:
    """What a reader returns.

    manifest: one row per example, for Great Expectations. Of a table it is the table as read; of images
        and texts it has `label` or other named targets, metadata of each example, and `split` ("train" or
        "test") where the source declares one. Of a series it has a row per step, in order of time.
    inputs: the examples in the manifest's order: images (n, height, width, channels) uint8, texts (n,)
        objects; None where the manifest's own columns are the inputs.
    targets: masks (n, height, width, 1) uint8, 0 or 255; None where a column is the target.
    rejected: the files that could not be used, each with the reason.
    """

    kind: Kind
    manifest: "pd.DataFrame"
    inputs: Array | None = None
    targets: Array | None = None
    rejected: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Split:
    """The rows of one split.

    x: as `Spec.input_shape` says. y: (n,) float64, or int64 class numbers; (n, k) float64 of k targets; or
    masks (n, height, width, 1) uint8.
    """

    x: Array
    y: Array

    def __len__(self) -> int:
        return len(self.y)


@dataclass(frozen=True)
class Predictions:
    """What a model and its baseline answered for the test rows.

    inputs: what they were shown, where that is not test.x itself.
    """

    test: Split
    model: Array
    baseline: Array
    inputs: Array


class Spec(BaseModel):
    """What everybody after `prepare` knows of a data set; every statistic is of its training rows only."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    dataset: str
    edition: str
    synthetic: bool
    kind: Kind
    input_shape: tuple[int, ...]
    input_dtype: str
    columns: tuple[str, ...] = ()
    target: str
    targets: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()
    rows: dict[str, int]
    mean: tuple[float, ...] = ()
    variance: tuple[float, ...] = ()
    vocabulary: tuple[str, ...] = ()
    target_mean: tuple[float, ...] = ()
    target_sd: tuple[float, ...] = ()
    duplicates: int
    test_hash: str


@dataclass(frozen=True)
class Prepared:
    """A prepared data set: its spec, the splits that were asked for, and pretrained weights by base."""

    spec: Spec
    splits: dict[str, Split]
    weights: dict[str, Path]


def load(folder: Path, *splits: str) -> Prepared:
    """A prepared data set with those splits."""
    weights = {file.stem: file for file in sorted((folder / WEIGHTS).glob("*.h5"))}
    return Prepared(load_spec(folder), {split: load_split(folder, split) for split in splits}, weights)


def load_spec(folder: Path) -> Spec:
    """The spec of a prepared data set."""
    return Spec.model_validate_json(_present(folder / "spec.json").read_text(encoding="utf-8"))


def load_split(folder: Path, split: str) -> Split:
    """One split of a prepared data set; arrays are mapped into memory, not read."""
    y = np.load(_present(folder / split / "y.npy"), mmap_mode="r")
    if (arrays := folder / split / "x.npy").exists():
        return Split(np.load(arrays, mmap_mode="r"), y)
    return Split(_texts(folder / split / "x.parquet"), y)


def save(
    folder: Path, spec: Spec, splits: dict[str, Split], weights: Mapping[str, Path] | None = None
) -> None:
    """Write a prepared data set; the same values give the same bytes."""
    for base, file in (weights or {}).items():
        (folder / WEIGHTS).mkdir(exist_ok=True)
        shutil.copyfile(file, folder / WEIGHTS / f"{base}.h5")
    for name, split in splits.items():
        (folder / name).mkdir(parents=True)
        np.save(folder / name / "y.npy", split.y)
        if split.x.dtype == object:
            _save_texts(folder / name / "x.parquet", split.x)
        else:
            np.save(folder / name / "x.npy", split.x)
    (folder / "spec.json").write_text(spec.model_dump_json(indent=1) + "\n", encoding="utf-8")


def _texts(file: Path) -> Array:
    import pyarrow.parquet as pq

    return np.asarray(pq.read_table(_present(file)).column("text").to_numpy(zero_copy_only=False))


def _save_texts(file: Path, texts: Array) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    pq.write_table(pa.table({"text": pa.array(texts, pa.string())}), file)


def row_hashes(x: Array) -> Array:
    """One sha256 per example, (n,) objects: equal examples, and only they, have equal hashes."""
    examples = (text.encode() for text in x) if x.dtype == object else (row.tobytes() for row in x)
    return np.array([hashlib.sha256(example).hexdigest() for example in examples], dtype=object)


def split_hash(split: Split) -> str:
    """The identity of a split: sha256 over its examples and targets, in order."""
    digest = hashlib.sha256("".join(row_hashes(split.x)).encode())
    digest.update(np.ascontiguousarray(split.y).tobytes())
    return digest.hexdigest()


def file_hash(file: Path, algorithm: str = "sha256") -> str:
    """The hash of a file, read in pieces."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, algorithm).hexdigest()


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


def write_whole(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write files, by their paths below `folder`: none under its name before all are on disk."""
    with whole_folder(folder / "new.partial") as new:
        for name, content in files.items():
            (new / name).parent.mkdir(parents=True, exist_ok=True)
            (new / name).write_bytes(content)
    for path in (folder / "new.partial").iterdir():
        if (old := folder / path.name).is_dir():
            shutil.rmtree(old)
        path.replace(old)
    (folder / "new.partial").rmdir()


def _present(file: Path) -> Path:
    if not file.exists():
        raise EvermodelError(f"{file} is missing; `dvc repro` makes it")
    return file
