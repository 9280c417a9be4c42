"""The one format between stages: what a reader returns, and what `prepare` writes for everybody after it."""

import hashlib
import heapq
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np
from pydantic import BaseModel, ConfigDict

from evermodel.core import generation, rows
from evermodel.core.columns import Column
from evermodel.core.errors import EvermodelError
from evermodel.core.parts import Parts, StoredRows
from evermodel.core.rows import Rows
from evermodel.core.terms import Fit

if TYPE_CHECKING:
    import pandas as pd  # half a second, of which most processes that come here have no use

    from evermodel.formats import tables

Kind = Literal["table", "images", "text", "series"]
Gaps = Literal["refuse", "forward", "interpolate"]
Target = Literal["class", "number", "numbers", "labels", "mask", "image", "example", "captioned", "text"]
Array = np.ndarray[Any, Any]
Examples: TypeAlias = "Array | Rows | Chosen"
WEIGHTS = "weights"
SKETCH = 64  # rows by which a set of them is known again
# Beyond this a target names its rows rather than their classes.
MOST_CLASSES = 1000
STORED = "rows"  # the folder of a split whose rows are in Parquet
PIECE = 1024  # examples that are written at a time
SPLITS = ("train", "validation", "test")
# The file of the answers of a split, by their dimensions and dtype; which one is read is up to the task.
ANSWERS = {(1, "i"): "class", (1, "f"): "number"}
OF_CLASS = "class_"  # and its number: the share of a mask's pixels that are of that class, in a manifest
OF_SERIES = ("split", "date", "series")  # columns that the manifest of a series has beside those of its steps


class Layout(BaseModel):
    r"""How the source is written, as what a model is asked may be written, too.

    separator: a character, or \s+ for white space. header: whether the first line names the columns; without,
    columns are the names of all, in order. encoding: of text. decimal, thousands: the marks in a number that
    is text; "" if nothing sets thousands apart. fit: how an image of another size than the examples becomes
    one (image_files.fitted). date, date_format, key: of series, the column of dates, how they are written
    (formats/dates.py), and the column that tells one from another, if there are several.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    separator: str = ","
    header: bool = True
    columns: tuple[str, ...] = ()
    encoding: str = "utf-8"
    decimal: Literal[".", ","] = "."
    thousands: Literal["", ",", ".", " ", "'"] = ""
    fit: Fit = "stretch"
    date: str = ""
    date_format: str = ""
    key: str = ""


CSV = Layout()


@dataclass(frozen=True)
class Raw:
    """What a reader returns.

    manifest: one row per example, for Great Expectations; of a table none. Of images and texts it has `label`
        or other named targets, metadata of each example, and `split` ("train", "validation" or "test") where
        the source declares one. Of a series it has a row per step, in order of time.
    inputs: the examples in the manifest's order: images (n, height, width, channels) uint8, texts (n,)
        objects; None where the columns are the inputs.
    targets: masks (n, height, width, 1) uint8, 0 or 255, or numbers of more than two classes; None where a
        column is the target.
    rejected: the files that could not be used, each with the reason.
    layout: of the files, where columns are the inputs.
    pieces: of a table its rows, some at a time, from the first one whenever it is called: columns as the
        source has them, which core/fields.py reads, and a RangeIndex that goes on counting.
    table: of a table in files what gives them, which can be read in parts.
    """

    kind: Kind
    manifest: "pd.DataFrame"
    inputs: Array | None = None
    targets: Array | None = None
    rejected: tuple[tuple[str, str], ...] = ()
    layout: Layout = CSV
    pieces: "Callable[[], Iterator[pd.DataFrame]] | None" = None
    table: "tables.Table | None" = None


@dataclass(frozen=True)
class Chosen:
    """Some rows of an array, copied when they are asked for."""

    source: Array
    rows: Array

    @property
    def dtype(self) -> Any:
        """Of the array."""
        return self.source.dtype

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, places: Any) -> Array:
        return np.asarray(self.source[self.rows[places]])


@dataclass(frozen=True)
class Split:
    """The rows of one split.

    x: of a table Rows, of others an array as `Spec.input_shape` says. y: (n,) float64, or int64 class
    numbers; (n, k) float64 of k targets; or masks (n, height, width, 1) uint8. group: (n,) int64, equal where
    rows belong together; None if no row has to do with another. weight: (n,) float64, how much a row counts
    in training; None if all count alike.
    """

    x: Any
    y: Array
    group: Array | None = None
    weight: Array | None = None

    def __len__(self) -> int:
        return len(self.y)

    def __getitem__(self, rows: Any) -> "Split":
        """The rows of a slice, of an array of row numbers, or where an array of booleans is true."""
        beside = (None if one is None else one[rows] for one in (self.group, self.weight))
        return Split(self.x[rows], self.y[rows], *beside)


def joined(splits: Sequence[Split]) -> Split:
    """The rows of some splits, one after the other, in memory."""
    beside = ([getattr(one, name) for one in splits] for name in ("group", "weight"))
    known = (None if of[0] is None else np.concatenate(of) for of in beside)
    examples = [one.x for one in splits]
    x = rows.joined(examples) if isinstance(examples[0], Rows) else np.concatenate(examples)
    return Split(x, np.concatenate([one.y for one in splits]), *known)


class StoredSplit(Split):
    """A split whose rows are in Parquet files, read when they are asked for.

    What is asked for of all rows, as y is, is in memory from then on; x never.
    """

    def __init__(self, parts: Parts, answer: str) -> None:
        for name, value in {"parts": parts, "answer": answer, "x": StoredRows(parts)}.items():
            object.__setattr__(self, name, value)

    parts: Parts
    answer: str

    def __len__(self) -> int:
        return len(self.parts)

    def __getitem__(self, rows: Any) -> Split:
        x, answers = self.parts.take(rows)
        return Split(x, answers[self.answer], answers.get("group"), answers.get("weight"))

    @cached_property
    def y(self) -> Array:
        """The answers of all rows."""
        found = self.parts.answer(self.answer)
        assert found is not None, "there is one of that name"
        return found

    @cached_property
    def group(self) -> Array | None:
        """Which rows belong together."""
        return self.parts.answer("group")

    @cached_property
    def weight(self) -> Array | None:
        """How much each row counts."""
        return self.parts.answer("weight")


@dataclass(frozen=True)
class Predictions:
    """What a model and its baseline answered for the test rows.

    inputs: what they were shown, where that is not test.x itself. train: the training rows, and ask and
    ask_baseline: what model and baseline answer to more; for figures.
    """

    test: Split
    model: Array
    baseline: Array
    inputs: Any
    train: Split | None = None
    ask: Any = None
    ask_baseline: Any = None


class Spec(BaseModel):
    """What everybody after `prepare` knows of a data set; every statistic is of its training rows only.

    classes: the labels, if they can be classes; target_mean and target_sd: if it can be a number. What is
    loaded for a task has the one that the task predicts (see `predicting`). class_rows: the rows of each
    class, or the groups that it is in, by split, unless classes are what the rows are grouped by; a mask is a
    row of all classes that its pixels have, named only if that is more than foreground and the rest. novel:
    classes that no training row has to have. groups: how many groups of rows each split has, if rows belong
    together. duplicates: test rows that stand among the others as well. test_hash and test_sketch: by which
    the test rows are known, all at once (`split_hash`) and one by one (`sketch`). layout: of the files of a
    table or series. Of a series, horizon: the steps that are predicted. season: the steps after which it
    repeats itself. step: how far apart its steps are (formats/steps.py). gaps: what a missing one means.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    dataset: str
    edition: str
    synthetic: bool
    kind: Kind
    input_shape: tuple[int, ...]
    input_dtype: str
    columns: tuple[Column, ...] = ()
    target: str
    targets: tuple[str, ...] = ()
    masks: bool = False
    classes: tuple[str, ...] = ()
    novel: tuple[str, ...] = ()
    class_rows: dict[str, tuple[int, ...]] = {}
    rows: dict[str, int]
    groups: dict[str, int] = {}
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

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the columns."""
        return tuple(column.name for column in self.columns)

    def predicting(self, target: Target) -> "Spec":
        """The same data for a task that predicts a class, a number, or something else.

        Raises EvermodelError if the target of the data can't be that.
        """
        where = f"data/{self.dataset}/params.yaml"
        if target == "class" and (self.masks or not self.classes):
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
        several = target in ("labels", "numbers")
        if (several and not self.targets) or (target == "mask" and not self.masks):
            missing = "targets" if several else "masks"
            raise EvermodelError(
                f"data set {self.dataset} has no {missing}, which the task predicts; choose another task, or "
                f"a source that has them in {where}"
            )
        if target in ("class", "mask"):
            return self.model_copy(update={"target_mean": (), "target_sd": ()})
        shown = target in generation.JUDGED and not self.masks
        known = self.classes if shown else ()
        return self.model_copy(update={"classes": known, "class_rows": {}})

    def asked(self, target: Target) -> "Spec":
        """What a model with that target is asked: such examples, or rows of seeds if it makes something."""
        if (columns := generation.columns(target, self.classes)) is None:
            return self
        row = {"columns": columns, "input_shape": (len(columns),), "input_dtype": "float64"}
        return self.model_copy(update={"kind": "table", "layout": CSV, "targets": (), "classes": (), **row})


@dataclass(frozen=True)
class Prepared:
    """A prepared data set: its spec, the splits that were asked for, and pretrained weights by their base."""

    spec: Spec
    splits: dict[str, Split]
    weights: dict[str, Path]


def load(folder: Path, target: Target, *splits: str) -> Prepared:
    """A prepared data set with those splits, for a task with that target."""
    weights = {file.parent.name: file for file in sorted((folder / WEIGHTS).glob("*/*"))}
    spec = load_spec(folder, target)
    return Prepared(spec, {split: _split(folder / split, spec, target) for split in splits}, weights)


def load_spec(folder: Path, target: Target) -> Spec:
    """The spec of a prepared data set, for a task with that target; EvermodelError if it can't have that."""
    return _spec(folder).predicting(target)


def load_split(folder: Path, split: str, target: Target) -> Split:
    """One split of a prepared data set, for a task with that target; arrays are mapped, not read."""
    return load(folder, target, split).splits[split]


def load_inputs(folder: Path, split: str) -> Any:
    """The examples of one split alone, whatever is asked of them."""
    return _examples(folder / split, _spec(folder))


def save(
    folder: Path, spec: Spec, splits: Mapping[str, Split], weights: Mapping[str, Path] | None = None
) -> None:
    """Write a prepared data set; the same values give the same bytes."""
    save_spec(folder, spec, weights or {})
    for name, split in splits.items():
        save_examples(folder / name, split.x, spec)
        save_column(folder / name, ANSWERS.get((split.y.ndim, split.y.dtype.kind), "y"), split.y)
        for column in ("group", "weight"):
            if (values := getattr(split, column)) is not None:
                save_column(folder / name, column, values)


def save_spec(folder: Path, spec: Spec, weights: Mapping[str, Path]) -> None:
    """Write what is known of a prepared data set, and pretrained weights in a folder of their base.

    A file keeps its name, by whose end Keras knows its layout.
    """
    for base, file in weights.items():
        (folder / WEIGHTS / base).mkdir(parents=True)
        shutil.copyfile(file, folder / WEIGHTS / base / file.name)
    (folder / "spec.json").write_text(spec.model_dump_json(indent=1) + "\n", encoding="utf-8")


def save_examples(folder: Path, x: Any, spec: Spec) -> None:
    """Write the examples of a split into a new folder, a piece at a time."""
    if isinstance(x, Rows):
        writer = rows.Writer(folder / "x", spec.columns, len(x))
        for start in range(0, len(x), rows.PIECE):
            writer.write(x[start : start + rows.PIECE])
    else:
        folder.mkdir(parents=True)
        save_column(folder, "x", x)


def save_column(folder: Path, name: str, values: "Array | Chosen") -> None:
    """Write an array: texts as Parquet, all else as .npy, mapped, so that it may be larger than memory."""
    if values.dtype != object:
        shape = (len(values), *values[:0].shape[1:])
        mapped = np.lib.format.open_memmap(folder / f"{name}.npy", "w+", values.dtype, shape)
        for start in range(0, len(values), PIECE):
            mapped[start : start + PIECE] = values[start : start + PIECE]
        mapped.flush()
        return
    import pyarrow as pa
    import pyarrow.parquet as pq

    pq.write_table(pa.table({"text": pa.array(values[:], pa.string())}), folder / f"{name}.parquet")


def _spec(folder: Path) -> Spec:
    return Spec.model_validate_json(_present(folder / "spec.json").read_text(encoding="utf-8"))


def _split(folder: Path, spec: Spec, target: Target) -> Split:
    """A split with the targets of which the task's is made; any, for a task that makes its own."""
    known = [target, "y"] if target in ("class", "number") else ["y", "class", "number"]
    if (folder / STORED).exists():
        stored = _stored(folder, spec)
        if name := next((name for name in known if name in stored.answers), None):
            return StoredSplit(stored, name)
        raise EvermodelError(f"{folder / STORED} has no column {known[0]}; `dvc repro` makes it")
    y = next((found for name in known if (found := _mapped(folder, name)) is not None), None)
    if y is None:
        raise _missing(folder / f"{known[0]}.npy")
    return Split(_examples(folder, spec), y, _mapped(folder, "group"), _mapped(folder, "weight"))


def _examples(folder: Path, spec: Spec) -> Any:
    match spec.kind:
        case "table" if (folder / STORED).exists():
            return StoredRows(_stored(folder, spec))
        case "table":
            _present(folder / "x" / rows.NUMBERS)
            return rows.load(folder / "x", spec.columns)
        case "text":
            import pyarrow.parquet as pq

            texts = pq.read_table(_present(folder / "x.parquet")).column("text")
            return np.asarray(texts.to_numpy(zero_copy_only=False))
    _present(folder / "x.npy")
    return _mapped(folder, "x")


def _stored(folder: Path, spec: Spec) -> Parts:
    """The Parquet files of a split; EvermodelError if not all of its rows are there."""
    found, rows_of_it = Parts(folder / STORED, spec.columns), spec.rows[folder.name]
    if len(found) != rows_of_it:
        raise EvermodelError(
            f"{folder / STORED} has {len(found)} rows, but by spec.json beside it there are {rows_of_it}; "
            "`dvc checkout` brings what is missing"
        )
    return found


def _mapped(folder: Path, name: str) -> Array | None:
    """An array, mapped; None without a file of it."""
    file = folder / f"{name}.npy"
    return np.asanyarray(np.load(file, mmap_mode="r")) if file.exists() else None


def row_hashes(x: Examples) -> Iterator[bytes]:
    """One sha256 per example: equal examples, and only they, have equal hashes."""
    return (hashlib.sha256(example).digest() for example in encoded(x))


def target_hashes(x: Examples, y: "Array | Chosen") -> list[bytes]:
    """One sha256 per example with its target."""
    return [hashlib.sha256(b"\0".join(row)).digest() for row in zip(encoded(x), encoded(y), strict=True)]


class Identity:
    """By what the rows of a split are known: all at once, and one by one.

    hash: the sha256 of all rows, in order. sketch: by which they are known again where some are others: the
    SKETCH smallest hashes of rows, 64 bits of each, as hexadecimal digits. Which rows that are depends on
    nothing but the rows, so that the sketches of two editions have about as much in common as the editions
    themselves (bottom-k sample; Cohen & Kaplan 2007, "Summarizing data using bottom-k sketches").
    """

    def __init__(self) -> None:
        self._all = hashlib.sha256()
        self._smallest: set[bytes] = set()

    def add(self, x: Examples, y: "Array | Chosen") -> None:
        """Take notice of some more rows: their examples, and their targets (text where they are labels)."""
        self.add_hashes(target_hashes(x, y))

    def add_hashes(self, hashes: list[bytes]) -> None:
        """Take notice of some more rows by their `target_hashes`."""
        for one in hashes:
            self._all.update(one)
        self._smallest = set(heapq.nsmallest(SKETCH, self._smallest.union(one[:8] for one in hashes)))

    @property
    def hash(self) -> str:
        """As hexadecimal digits."""
        return self._all.hexdigest()

    @property
    def sketch(self) -> tuple[str, ...]:
        """Smallest first."""
        return tuple(one.hex() for one in sorted(self._smallest))


def split_hash(x: Examples, y: "Array | Chosen") -> str:
    """The identity of a split: one sha256 over its examples and targets, in order."""
    identity = Identity()
    identity.add(x, y)
    return identity.hash


def encoded(values: Examples) -> Iterator[bytes]:
    """The bytes of each row."""
    if isinstance(values, Rows):
        yield from values.encoded()
        return
    for start in range(0, len(values), PIECE):
        piece = values[start : start + PIECE]
        yield from ((one.encode() if isinstance(one, str) else one.tobytes()) for one in piece)


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
        raise _missing(file)
    return file


def _missing(file: Path) -> EvermodelError:
    return EvermodelError(f"{file} is missing; `dvc repro` makes it")
