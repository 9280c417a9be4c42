"""What each stage needs of memory and time as a data set grows: a table, and a set of pictures.

    PYTHONPATH=src .venv/bin/python -m benchmarks.size --rows 5000000 --pictures 50000

Made data, called so, in a copy of the project in a temporary folder (TMPDIR says where; a table of 20 million
rows takes 30 GB there): a table of 20 columns of all kinds with gaps, in Parquet, and a zip of pictures of 64
pixels, of so many and of four times as many. Each stage is a process of its own, as a user starts it. Prints
seconds, seconds of all processors, rows per second, and the peak of private memory: the pages that belong to
the processes of a stage alone (RssAnon, and where that is highest Pss_Anon). Resident memory would count the
mapped files too, of which the system keeps what it has room for, and which it drops as soon as somebody needs
the room.
"""

import argparse
import io
import os
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import psutil
import pyarrow as pa
import pyarrow.parquet as pq
import yaml
from PIL import Image

from evermodel.core import data

ROOT = Path(__file__).parents[1]
COPIED = ("pipelines", "requirements", "src", "params.yaml", "dvc.yaml")
ROWS = 65_536  # that are made at a time
TIMES = 4  # as many rows at the second time
PIXELS = 64
EVERY = 0.05  # seconds between two looks at the memory
BATCH = 1024  # rows
LEARNED = "_learned"  # what the experiment's name has beside the data set's
LABELS = ("dark", "light")
TESTED = 100_000  # rows at most that are for the test; their scores are held


@dataclass(frozen=True)
class Used:
    """Seconds of a process with its children, of all processors too, and its peak of private memory in MB."""

    seconds: float
    processor: float
    memory: float


def main(rows: int, pictures: int) -> None:
    for name, count, make in (("made_table", rows, table), ("made_pictures", pictures, images)):
        for many in (count, TIMES * count) if count else ():
            with tempfile.TemporaryDirectory() as folder:
                measure(Path(folder), name, many, make)


def measure(folder: Path, name: str, rows: int, make: Callable[[Path, int], Path]) -> None:
    """Print what every stage uses."""
    project = copy_of_project(folder / "project")
    file = make(folder, rows)
    (settings if name == "made_table" else settings_of_images)(project, name, file)
    print(f"{name}: {rows:,} rows, {file.stat().st_size / 2**20:,.0f} MB")
    print("  stage     seconds     CPU  rows/s  MB private")
    for stage, where in stages(name):
        show(
            stage,
            rows,
            run(project, project / where, "sh", "../../pipelines/stage.sh", stage, Path(where).name),
        )
    if name == "made_table":
        predict = (str(Path(sys.executable).parent / "evermodel"), "predict", name + LEARNED, str(file))
        show("predict", rows, run(project, project, *predict, "--out", str(folder / "answers.parquet")))


def stages(name: str) -> Iterator[tuple[str, str]]:
    """The stages in their order, and the folder that each runs in."""
    yield from ((stage, f"data/{name}") for stage in ("fetch", "validate", "prepare"))
    yield from ((stage, f"experiments/{name}{LEARNED}") for stage in ("train", "evaluate", "promote"))


def show(stage: str, rows: int, used: Used) -> None:
    per_second = rows / used.seconds
    print(
        f"  {stage:9}{used.seconds:8.1f}{used.processor:8.1f}{per_second:8,.0f}{used.memory:8,.0f}",
        flush=True,
    )


def run(project: Path, folder: Path, *command: str) -> Used:
    """Run a command and look at what it and its children use; RuntimeError if it fails."""
    start, memory = time.perf_counter(), 0.0
    with tempfile.TemporaryFile("w+") as told:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env=os.environ | {"PYTHONPATH": str(project / "src")},
            stdout=told,
            stderr=subprocess.STDOUT,
        )
        before = os.times()
        while process.poll() is None:
            if private(process.pid) > memory:  # pages of a process that forks count twice there
                memory = max(memory, private(process.pid, "smaps_rollup", "Pss_Anon:"))
            time.sleep(EVERY)
        after = os.times()
        if process.returncode:
            told.seek(0)
            raise RuntimeError(f"{' '.join(command)}: {told.read()[-2000:]}")
    processor = sum(
        getattr(after, name) - getattr(before, name) for name in ("children_user", "children_system")
    )
    return Used(time.perf_counter() - start, processor, memory)


def private(pid: int, told: str = "status", key: str = "RssAnon:") -> float:
    """MB that belong to a process and its children alone, now, as a file of /proc tells; status is quick."""
    try:
        found = psutil.Process(pid)
        return sum(anonymous(one.pid, told, key) for one in (found, *found.children(recursive=True))) / 2**10
    except psutil.NoSuchProcess:
        return 0.0


def anonymous(pid: int, told: str = "status", key: str = "RssAnon:") -> int:
    """KB of one process; 0 if it has ended."""
    try:
        lines = Path(f"/proc/{pid}/{told}").read_text().splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) for line in lines if line.startswith(key))


def copy_of_project(folder: Path) -> Path:
    """What the stages need of the project, in a repository of its own."""
    folder.mkdir(parents=True)
    for name in COPIED:
        of = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        of(ROOT / name, folder / name)
    shared = yaml.safe_load((folder / "params.yaml").read_text())
    (folder / "params.yaml").write_text(yaml.safe_dump(shared | {"profile": "full"}))
    (folder / ".venv").symlink_to(ROOT / ".venv")
    for command in (("init", "-q"), ("add", "params.yaml"), ("commit", "-qm", "Made")):
        subprocess.run(
            ["git", "-c", "user.name=made", "-c", "user.email=made@localhost", *command],
            cwd=folder,
            check=True,
        )
    return folder


def settings(project: Path, name: str, file: Path) -> None:
    """The data set's folder and the experiment's, of a table."""
    tested = min(0.2, TESTED / pq.read_metadata(file).num_rows)
    _data_set(
        project,
        name,
        file,
        {
            "source": {"reader": "table"},
            "target": "price",
            "gaps": "fill",
            "split": {"method": "hash", "key": ["number"], "test": tested, "validation": tested},
            "expect": {"min_rows": 100, "ranges": {"price": [-1000, 1000]}},
        },
    )
    _experiment(project, name, {"task": "regression", "model": "mlp", "options": {"units": [32]}}, "rmse")


def settings_of_images(project: Path, name: str, file: Path) -> None:
    """The data set's folder and the experiment's, of pictures."""
    _data_set(
        project,
        name,
        file,
        {
            "source": {"reader": "image_archive", "options": {"archive": file.name}},
            "split": {"method": "shuffle", "test": 0.2, "validation": 0.1},
            "expect": {"min_rows": 10},
        },
    )
    _experiment(
        project,
        name,
        {"task": "classification", "model": "cnn", "options": {"filters": [8], "dense": [8]}},
        "accuracy",
    )


def _data_set(project: Path, name: str, file: Path, rules: dict) -> None:
    reader = rules["source"]
    known = {
        "name": file.name,
        "bytes": file.stat().st_size,
        "sha256": data.file_hash(file),
        "path": str(file),
    }
    source = {
        "title": "Made data",
        "licence": "CC0-1.0",
        "terms": "none",
        "reader": reader["reader"],
        "editions": [{"name": "made", "options": reader.get("options", {}), "files": [known]}],
    }
    _write(project / "data" / name, "dataset.yaml", {"name": name, **rules, "source": source})


def _experiment(project: Path, name: str, of: dict, metric: str) -> None:
    train = {"optimizer": "adam", "learning_rate": 0.01, "batch_size": BATCH, "epochs": 1}
    policy = {"metric": metric} | ({"ceiling": 1000} if metric == "rmse" else {"floor": 0})
    rules = {
        "name": name + LEARNED,
        "dataset": name,
        **of,
        "baseline": "constant",
        "train": train,
        "promotion": policy,
    }
    _write(project / "experiments" / (name + LEARNED), "experiment.yaml", rules)


def _write(folder: Path, template: str, params: dict) -> None:
    folder.mkdir(parents=True)
    shutil.copy(ROOT / "pipelines" / template, folder / "dvc.yaml")
    (folder / "params.yaml").write_text(yaml.safe_dump(params, sort_keys=False))


def table(folder: Path, rows: int) -> Path:
    """A table in Parquet: a key, 20 columns and a price."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "made.parquet"
    schema = pa.Schema.from_pandas(next(pieces(1)), preserve_index=False)
    with pq.ParquetWriter(file, schema) as writer:
        for piece in pieces(rows):
            writer.write_table(pa.Table.from_pandas(piece, schema, preserve_index=False))
    return file


def pieces(rows: int) -> Iterator[pd.DataFrame]:
    """Columns of all kinds, with gaps; each piece by a seed of its own."""
    for start in range(0, rows, ROWS):
        count, random = min(ROWS, rows - start), np.random.default_rng([16, start])
        number, whole = random.normal(size=(count, 6)), random.integers(0, [100, 7, 100_000], (count, 3))
        found = {"number": np.arange(start, start + count)}
        found |= {f"size_{place}": (number[:, place] * 10**place).round(4) for place in range(6)}
        found |= dict(zip(("age", "rooms", "metres"), whole.T, strict=True))
        for name, many in {
            "colour": 3,
            "month": 12,
            "shop": 200,
            "maker": 40,
            "region": 8,
            "street": 500,
        }.items():
            found[name] = np.array([f"{name} {one}" for one in range(many)])[random.integers(0, many, count)]
        found |= {"used": random.random(count) < 0.3, "sold": random.random(count) < 0.8}
        for name in ("listed", "seen"):
            seconds = random.integers(0, 10**8, count).astype("timedelta64[s]")
            found[name] = np.datetime64("2020-01-01", "us") + seconds
        words = np.array([f"word{one}" for one in range(2000)], object)[random.zipf(1.4, (count, 4)) % 2000]
        found["told"] = [" ".join(row) for row in words]
        found["price"] = (number[:, 0] + whole[:, 0] / 50 + found["used"] + random.normal(size=count)).round(
            3
        )
        frame = pd.DataFrame(found)
        frame.loc[random.random(count) < 0.1, "size_1"] = np.nan
        frame.loc[random.random(count) < 0.05, "maker"] = None
        yield frame


def images(folder: Path, pictures: int) -> Path:
    """A zip of pictures in two folders, darker and lighter ones."""
    folder.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(folder / "made.zip", "w") as archive:
        for number in range(pictures):
            label = number % len(LABELS)
            pixels = np.random.default_rng([16, number]).integers(
                label * 60, 180 + label * 60, (PIXELS, PIXELS, 3)
            )
            stream = io.BytesIO()
            Image.fromarray(pixels.astype(np.uint8)).save(stream, "PNG", compress_level=1)
            archive.writestr(zipfile.ZipInfo(f"{LABELS[label]}/{number}.png"), stream.getvalue())
    return folder / "made.zip"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m benchmarks.size")
    parser.add_argument("--rows", type=int, default=5_000_000, help="0: no table")
    parser.add_argument("--pictures", type=int, default=50_000, help="0: none")
    arguments = parser.parse_args()
    main(arguments.rows, arguments.pictures)
