"""The one format between stages: what a reader returns, and what `prepare` writes for everybody after it."""

import hashlib
import heapq
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict

from evermodel.core.errors import EvermodelError

if TYPE_CHECKING:
    import pandas as pd  # half a second, of which most processes that come here have no use

Kind = Literal["table", "images", "text", "series"]
Gaps = Literal["refuse", "forward", "interpolate"]
Target = Literal["class", "number", "numbers", "mask", "image"]
Array = np.ndarray[Any, Any]
WEIGHTS = "weights"
SKETCH = 64  # rows by which a set of them is known again
# Beyond this a target names its rows rather than their classes.
MOST_CLASSES = 1000
VOCABULARY = 20_000  # words of the training rows, the most frequent, that a spec keeps
SPLITS = ("train", "validation", "test")
OF_SERIES = ("split", "date", "series")  # columns that the manifest of a series has beside those of its steps


class Layout(BaseModel):
    r"""How the text files of a table or series are written, as what a model is asked may be written, too.

    separator: a character, or \s+ for white space. header: whether the first line names the columns; without,
    columns are the names of all, in order. thousands: whether commas may set them apart in a number. date,
    date_format, key: of series the columns of dates and of what tells one from another, if there are several.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    separator: str = ","
    header: bool = True
    columns: tuple[str, ...] = ()
    thousands: bool = False
    date: str = ""
    date_format: str = ""
    key: str = ""


CSV = Layout()


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
    layout: of the files, where the manifest's own columns are the inputs.
    """

    kind: Kind
    manifest: "pd.DataFrame"
    inputs: Array | None = None
    targets: Array | None = None
    rejected: tuple[tuple[str, str], ...] = ()
    layout: Layout = CSV


@dataclass(frozen=True)
class Split:
    """The rows of one split.

    x: as `Spec.input_shape` says. y: (n,) float64, or int64 class numbers; (n, k) float64 of k targets; or
    masks (n, height, width, 1) uint8. As `prepare` writes it, a column of labels is (n,) objects, the text of
    the source: whether it is a class or a number is up to the task. group: (n,) int64, equal where rows
    belong together; None if no row has to do with another.
    """

    x: Array
    y: Array
    group: Array | None = None

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
    """What everybody after `prepare` knows of a data set; every statistic is of its training rows only.

    classes: the labels, if they can be classes; target_mean and target_sd: if it can be a number. What is
    loaded for a task has the one that the task predicts (see `predicting`). class_rows: the rows of each
    class, or the groups that it is in, by split, unless classes are what the rows are grouped by. novel:
    classes that no training row has to have. groups: how many groups of rows each split has, if rows belong
    together. duplicates: test rows that stand among the others as well. test_hash and test_sketch: by which
    the test rows are known, all at once (`split_hash`) and one by one (`sketch`). layout: of the files of a
    table or series. Of a series, horizon: the steps that are predicted. season: the steps after which it
    repeats itself. step: how far apart its steps are (formats/steps.py). gaps: what one that is missing means.
    """

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
    masks: bool = False
    classes: tuple[str, ...] = ()
    novel: tuple[str, ...] = ()
    class_rows: dict[str, tuple[int, ...]] = {}
    rows: dict[str, int]
    groups: dict[str, int] = {}
    mean: tuple[float, ...] = ()
    variance: tuple[float, ...] = ()
    vocabulary: tuple[str, ...] = ()
    target_mean: tuple[float, ...] = ()
    target_sd: tuple[float, ...] = ()
    horizon: int = 1
    season: int | None = None
    step: str = ""
    gaps: Gaps = "refuse"
    duplicates: int
    test_hash: str
    test_sketch: tuple[str, ...] = ()
    layout: Layout = CSV

    def predicting(self, target: Target) -> "Spec":
        """The same data for a task that predicts a class, a number, or something else.

        Raises EvermodelError if the target of the data can't be that.
        """
        where = f"data/{self.dataset}/params.yaml"
        if target == "class" and not self.classes:
            raise EvermodelError(
                f"the target of data set {self.dataset}, {self.target}, is a number or has more than "
                f"{MOST_CLASSES} different values, but the task needs classes; choose a task that predicts "
                f"numbers, or name the classes in {where}"
            )
        if target == "number" and (not self.target_mean or self.targets):
            raise EvermodelError(
                f"the target of data set {self.dataset}, {self.target}, holds classes, text or several "
                "numbers, but the task predicts a number; choose a task that predicts classes, or another "
                f"target in {where}"
            )
        if (target == "numbers" and not self.targets) or (target == "mask" and not self.masks):
            missing = "targets" if target == "numbers" else "masks"
            raise EvermodelError(
                f"data set {self.dataset} has no {missing}, which the task predicts; choose another task, or "
                f"a source that has them in {where}"
            )
        if target == "class":
            return self.model_copy(update={"target_mean": (), "target_sd": ()})
        return self.model_copy(update={"classes": (), "class_rows": {}})


@dataclass(frozen=True)
class Prepared:
    """A prepared data set: its spec, the splits that were asked for, and pretrained weights by base."""

    spec: Spec
    splits: dict[str, Split]
    weights: dict[str, Path]

    def predicting(self, target: Target) -> "Prepared":
        """The same for a task with that target; EvermodelError if the data can't have it."""
        spec = self.spec.predicting(target)
        values = {name: _values(split.y, target, spec.classes) for name, split in self.splits.items()}
        splits = {name: replace(self.splits[name], y=y) for name, y in values.items()}
        return Prepared(spec, splits, self.weights)


def load(folder: Path, target: Target, *splits: str) -> Prepared:
    """A prepared data set with those splits, for a task with that target."""
    weights = {file.stem: file for file in sorted((folder / WEIGHTS).glob("*.h5"))}
    return Prepared(_spec(folder), {split: _split(folder, split) for split in splits}, weights).predicting(
        target
    )


def load_spec(folder: Path, target: Target) -> Spec:
    """The spec of a prepared data set, for a task with that target; EvermodelError if it can't have that."""
    return _spec(folder).predicting(target)


def load_split(folder: Path, split: str, target: Target) -> Split:
    """One split of a prepared data set, for a task with that target; arrays are mapped, not read."""
    return Prepared(_spec(folder), {split: _split(folder, split)}, {}).predicting(target).splits[split]


def load_inputs(folder: Path, split: str) -> Array:
    """The examples of one split alone, whatever is asked of them."""
    return _column(folder / split, "x")


def save(
    folder: Path, spec: Spec, splits: dict[str, Split], weights: Mapping[str, Path] | None = None
) -> None:
    """Write a prepared data set; the same values give the same bytes."""
    for base, file in (weights or {}).items():
        (folder / WEIGHTS).mkdir(exist_ok=True)
        shutil.copyfile(file, folder / WEIGHTS / f"{base}.h5")
    for name, split in splits.items():
        (folder / name).mkdir(parents=True)
        _save_column(folder / name, "x", split.x)
        _save_column(folder / name, "y", split.y)
        if split.group is not None:
            np.save(folder / name / "group.npy", split.group)
    (folder / "spec.json").write_text(spec.model_dump_json(indent=1) + "\n", encoding="utf-8")


def _spec(folder: Path) -> Spec:
    return Spec.model_validate_json(_present(folder / "spec.json").read_text(encoding="utf-8"))


def _split(folder: Path, split: str) -> Split:
    group = folder / split / "group.npy"
    y = _column(folder / split, "y")
    return Split(load_inputs(folder, split), y, np.load(group) if group.exists() else None)


def _column(folder: Path, name: str) -> Array:
    if (arrays := folder / f"{name}.npy").exists():
        return np.asanyarray(np.load(arrays, mmap_mode="r"))
    import pyarrow.parquet as pq

    texts = pq.read_table(_present(folder / f"{name}.parquet")).column("text")
    return np.asarray(texts.to_numpy(zero_copy_only=False))


def _save_column(folder: Path, name: str, values: Array) -> None:
    if values.dtype != object:
        np.save(folder / f"{name}.npy", values)
        return
    import pyarrow as pa
    import pyarrow.parquet as pq

    pq.write_table(pa.table({"text": pa.array(values, pa.string())}), folder / f"{name}.parquet")


def _values(y: Array, target: Target, classes: tuple[str, ...]) -> Array:
    """Labels as they are read (objects) as the class numbers or numbers that they mean."""
    if y.dtype != object or target not in ("class", "number"):
        return y
    if target == "number":
        import pandas as pd

        return np.asarray(pd.to_numeric(y), dtype=np.float64)
    number = {label: place for place, label in enumerate(classes)}
    return np.array([number[label] for label in y], dtype=np.int64)


def row_hashes(x: Array) -> Array:
    """One sha256 per example, (n,) objects: equal examples, and only they, have equal hashes."""
    return np.array([hashlib.sha256(example).hexdigest() for example in _encoded(x)], dtype=object)


def split_hash(split: Split) -> str:
    """The identity of a split: sha256 over its examples and targets, in order."""
    digest = hashlib.sha256("".join(row_hashes(split.x)).encode())
    labels = "".join(row_hashes(split.y)).encode() if split.y.dtype == object else split.y.tobytes()
    digest.update(labels)
    return digest.hexdigest()


def sketch(split: Split) -> tuple[str, ...]:
    """Rows by which a split is known again where some are others: the SKETCH smallest hashes of its rows.

    64 bits of each, of example and target, as hexadecimal digits. Which rows that are depends on nothing but
    the rows, so that the sketches of two editions have about as much in common as the editions themselves
    (bottom-k sample; Cohen & Kaplan 2007, "Summarizing data using bottom-k sketches").
    """
    rows = zip(_encoded(split.x), _encoded(split.y), strict=True)
    hashes = {hashlib.sha256(b"\0".join(row)).digest()[:8] for row in rows}
    return tuple(smallest.hex() for smallest in heapq.nsmallest(SKETCH, hashes))


def _encoded(values: Array) -> Iterator[bytes]:
    """The bytes of each row."""
    return (text.encode() for text in values) if values.dtype == object else (row.tobytes() for row in values)


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
