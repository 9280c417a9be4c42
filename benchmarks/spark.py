"""What a table takes through validate and prepare on Spark, beside one process that streams it.

    make .venv/spark && PYTHONPATH=src .venv/bin/python -m benchmarks.spark --rows 10000000

The made table of benchmarks/size.py, in a copy of the project in a temporary folder (TMPDIR says where), and
a stand-alone cluster on this machine: a master and two workers of one core each. Prints the seconds of each
stage and the peak of private memory (RssAnon) of the largest process of each program; whether the report and
the rows of each split are those of the streaming path; and whether a second run left every byte as it was.
"""

import argparse
import hashlib
import json
import os
import subprocess
import tempfile
import threading
import time
from pathlib import Path

import psutil
import yaml

from benchmarks import size
from tests.spark import cluster

NAME = "made_table"
STAGES = ("validate", "prepare")
KEPT = ("rows", "duplicates", "test_hash", "test_sketch")  # of spec.json; means are added up in another order


class Largest(threading.Thread):
    """Looks at the processes that this one has started, until it is told to stop.

    memory: MB, the most that one process of each name had.
    """

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.memory: dict[str, float] = {}
        self.goes_on = True

    def run(self) -> None:
        while self.goes_on:
            for one in psutil.Process().children(recursive=True):
                try:
                    name, memory = one.name(), size.anonymous(one.pid) / 2**10
                except psutil.NoSuchProcess:
                    continue
                self.memory[name] = max(self.memory.get(name, 0.0), memory)
            time.sleep(size.EVERY * 4)


def main(rows: int) -> None:
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        project = size.copy_of_project(folder / "project")
        file = size.table(folder, rows)
        size.settings(project, NAME, file)
        print(f"{rows:,} rows, {file.stat().st_size / 2**20:,.0f} MB")
        stage(project, "fetch", "")
        engine(project, "pandas")
        for one in STAGES:
            stage(project, one, "")
        streamed = {one: known(project, one) for one in STAGES}
        engine(project, "spark")
        (folder / "cluster").mkdir()
        with cluster.started(folder / "cluster") as master:
            for one in STAGES:
                stage(project, one, master)
            first = {one: hashes(project, one) for one in STAGES}
            for one in STAGES:
                print(f"  {one}: as streamed: {known(project, one) == streamed[one]}")
                stage(project, one, master)
                print(f"  {one}: the same bytes again: {hashes(project, one) == first[one]}")


def engine(project: Path, chosen: str) -> None:
    file = project / "data" / NAME / "params.yaml"
    rules = yaml.safe_load(file.read_text()) | {"engine": chosen}
    file.write_text(yaml.safe_dump(rules, sort_keys=False))


def stage(project: Path, name: str, master: str) -> None:
    """Run a stage as DVC does, and print what it took."""
    spark = {"EVERMODEL_SPARK": master, "SPARK_LOCAL_IP": "127.0.0.1"} if master else {}
    looking, start = Largest(), time.perf_counter()
    looking.start()
    subprocess.run(
        ["sh", "../../pipelines/stage.sh", name, NAME],
        cwd=project / "data" / NAME,
        env=os.environ | {"PYTHONPATH": str(project / "src")} | spark,
        check=True,
    )
    seconds, looking.goes_on = time.perf_counter() - start, False
    looking.join()
    memory = ", ".join(f"{name} {most:,.0f} MB" for name, most in sorted(looking.memory.items()) if most > 50)
    print(f"  {name:9}{master or 'one process':>28}{seconds:8.1f} s; largest: {memory}", flush=True)


def known(project: Path, name: str) -> object:
    """What must be the same by whichever engine."""
    folder = project / "data" / NAME
    if name == "validate":
        return json.loads((folder / "validation/validation.json").read_text())
    spec = json.loads((folder / "prepared/spec.json").read_text())
    return {key: spec[key] for key in KEPT}


def hashes(project: Path, name: str) -> dict[str, str]:
    folder = project / "data" / NAME / {"validate": "validation", "prepare": "prepared"}[name]
    files = sorted(file for file in folder.rglob("*") if file.is_file())
    return {str(file): hashlib.file_digest(file.open("rb"), "sha256").hexdigest() for file in files}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m benchmarks.spark")
    parser.add_argument("--rows", type=int, default=10_000_000)
    main(parser.parse_args().rows)
