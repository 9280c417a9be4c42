"""Learning from a large table: mapped arrays beside Parquet that is read in shuffled blocks.

    PYTHONPATH=src .venv/bin/python -m benchmarks.blocks --rows 10000000 --mixed 1000000

Made data, called so, in a temporary folder (TMPDIR says where; 10 million rows take 4 GB): a table of 20
numbers, and one of 20 columns of all kinds with texts; each of a tenth of the rows and of all of them. Prints
rows per second, by the clock and by the time of all processors, of reading an epoch in its order, and of a
whole epoch of training a small network (the second one: the first compiles), the peak of private memory of
both (see size.py), and what Parquet has of the arrays' figures. Each is a process of its own.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks import size
from evermodel.core import data, fields, parts, rows
from evermodel.core.data import Raw, Spec
from evermodel.core.project import Runtime
from evermodel.datasets.dataset import Dataset
from evermodel.datasets.source import Provenance
from evermodel.preparing import arrays, preparing
from evermodel.runs import determinism
from evermodel.runs.recipe import Recipe
from evermodel.training import order

Pieces = Callable[[int], Iterator[pd.DataFrame]]
RUNTIME = Runtime(seed=42, threads=4, instruction_set="AVX2")
BATCH = 1024  # rows
AHEAD = 8192  # rows that are read at a time, as in training
FEW = 20_000  # rows that tell the kinds of the columns, and rows of the validation
SOURCE = {"title": "Made", "edition": "made", "synthetic": True, "note": "", "licence": "", "terms": ""}
TRAIN = {"optimizer": "adam", "learning_rate": 0.01, "batch_size": BATCH, "epochs": 2}
WAYS = ("arrays", "parquet")


def main(count: int, mixed: int) -> None:
    print(f"{'':28}read: rows/s by processor  MB private   train: rows/s by processor  MB private")
    for name, many, pieces in (("numbers", count, numbers), ("mixed", mixed, size.pieces)):
        for rows_of_it in (many // 10, many) if many else ():
            with tempfile.TemporaryDirectory() as folder:
                compare(Path(folder), name, rows_of_it, pieces)


def compare(folder: Path, name: str, count: int, pieces: Pieces) -> None:
    """Print what both ways of keeping the rows cost, and what one is of the other."""
    found = []
    for way in WAYS:
        write(folder / way, way, count, pieces)
        speeds = []
        for what in ("read", "train"):
            seconds = folder / "seconds"
            used = size.run(
                size.ROOT,
                size.ROOT,
                sys.executable,
                "-m",
                __spec__.name,
                what,
                str(folder / way),
                str(seconds),
            )
            speeds += [*(count / float(one) for one in seconds.read_text().split()), used.memory]
        found.append(speeds)
        print(f"{name:8}{count:11,}  {way:7}" + "".join(f"{one:14,.0f}" for one in speeds), flush=True)
    ratios = "".join(f"{one / other:14.2f}" for other, one in zip(*found, strict=True))
    print(f"{'':21}ratio  {ratios}")


def numbers(count: int) -> Iterator[pd.DataFrame]:
    """20 numbers and a price that follows from some; each piece by a seed of its own."""
    for start in range(0, count, size.ROWS):
        random = np.random.default_rng([20, start])
        x = random.normal(size=(min(size.ROWS, count - start), 20))
        price = x[:, :5].sum(axis=1) + random.normal(size=len(x))
        yield pd.DataFrame({f"size_{place}": x[:, place] for place in range(20)} | {"price": price})


def write(folder: Path, way: str, count: int, pieces: Pieces) -> None:
    """A prepared data set of so many training rows."""
    spec = described(pieces)
    for split, many in {"train": count, "validation": FEW}.items():
        shapes: dict[str, tuple[int, ...]] = {"number": ()}
        writer = (
            arrays.Writer(folder / split, spec.columns, shapes, many)
            if way == "arrays"
            else parts.Writer(folder / split / data.STORED, spec.columns, shapes)
        )
        for piece in pieces(many):
            x = rows.of(fields.typed(piece, spec.columns, decimal=".", thousands=""), spec.columns)
            writer.write(x, {"number": piece["price"].to_numpy(np.float64)})
        writer.close()
    told = {"rows": {"train": count, "validation": FEW, "test": 0}}
    data.save_spec(folder, spec.model_copy(update=told), {})


def described(pieces: Pieces) -> Spec:
    """What a few rows tell of the columns."""
    raw = Raw("table", pd.DataFrame(), pieces=lambda: pieces(FEW))
    with tempfile.TemporaryDirectory() as elsewhere:
        return preparing.prepare("made", raw, dataset(), source(), Path(elsewhere))


def dataset() -> Dataset:
    edition = {"name": "made", "options": {}, "files": [{"name": "made", "bytes": 1, "sha256": "0" * 64}]}
    made = {"title": "Made", "licence": "none", "terms": "none", "reader": "table", "editions": [edition]}
    rules: dict[str, Any] = {"name": "made", "source": made, "target": "price", "gaps": "fill"}
    split = {"method": "order", "test": 0.2, "validation": 0.1}
    return Dataset.model_validate(rules | {"split": split, "expect": {"min_rows": 1}})


def source() -> Provenance:
    return Provenance.model_validate(SOURCE | {"reader": "table", "options": {}, "files": {}})


def read(folder: Path) -> list[tuple[float, float]]:
    """When the reading of the training rows in the order of an epoch begins and ends, by both clocks."""
    split = data.load_split(folder, "train", "number")
    ends = [clocks()]
    ordered = order.shuffled(split, RUNTIME.seed, 0)
    for start in range(0, len(split), AHEAD):
        ordered[start : start + AHEAD]
    return [*ends, clocks()]


def train(folder: Path) -> list[tuple[float, float]]:
    """When each epoch of a small network ends, by both clocks."""
    determinism.fix(RUNTIME)
    determinism.seed_keras(RUNTIME.seed)
    from evermodel.models import mlp
    from evermodel.training import network

    of_model = {"task": "regression", "model": "mlp", "options": {"units": [32]}, "baseline": "constant"}
    recipe = Recipe.model_validate({"dataset": "made", **of_model, "train": TRAIN})
    prepared, ends = data.load(folder, "number", "train", "validation"), list[tuple[float, float]]()
    with tempfile.TemporaryDirectory() as state:
        tell = lambda _: ends.append(clocks())  # noqa: E731
        network.fit(mlp.build, prepared, recipe, RUNTIME.seed, Path(state), tell)
    return ends


def clocks() -> tuple[float, float]:
    """Seconds of the clock, and of all processors."""
    return time.perf_counter(), time.process_time()


if __name__ == "__main__":
    if sys.argv[1:2] in (["read"], ["train"]):
        first, last = (read if sys.argv[1] == "read" else train)(Path(sys.argv[2]))
        Path(sys.argv[3]).write_text(
            " ".join(str(end - start) for start, end in zip(first, last, strict=True))
        )
    else:
        parser = argparse.ArgumentParser(prog="python -m benchmarks.blocks")
        parser.add_argument("--rows", type=int, default=10_000_000, help="of numbers; 0: none")
        parser.add_argument("--mixed", type=int, default=1_000_000, help="of all kinds; 0: none")
        arguments = parser.parse_args()
        main(arguments.rows, arguments.mixed)
