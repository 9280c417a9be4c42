"""What DVC costs as experiments become more: CPU seconds with 1, 2 and 4 copies of all of them.

    .venv/bin/python benchmarks/growth.py

Runs in a temporary folder, with commands that write a line instead of learning anything, so that what is left is
DVC itself. Prints the CPU seconds of each command and how they grow: where the whole is linear, twice the
experiments take twice the time.
"""

import os
import re
import resource
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).parents[1]
COPIES = (1,)
STAND_IN = """\
name=$(basename "$PWD")
case $1 in
  fetch) mkdir -p raw && echo "$name" > raw/file ;;
  validate) mkdir -p validation && echo "$name" > validation/file ;;
  prepare) mkdir -p prepared && echo "$name" > prepared/file ;;
  train) mkdir -p model && echo "$name" > model/file ;;
  evaluate)
    mkdir -p figures
    echo '{"mae": 1}' > metrics.json
    echo "$name" | tee scores.parquet figures/file > curves.csv
    ;;
  promote) echo "$name" > promotion.json ;;
esac
"""
COMMANDS = {
    "everything, forced": ("repro", "--force"),
    "everything, nothing to do": ("repro",),
    "one pipeline, nothing to do": ("repro", "{experiment}/dvc.yaml"),
    "one new experiment": ("repro", "{new}/dvc.yaml"),
    "status": ("status",),
}


def main() -> None:
    """Measure each size in a folder of its own and print the table."""
    columns = [measured(copies) for copies in COPIES]
    sizes = [column["experiments"] for column in columns]
    table = Table("CPU seconds of DVC", *(f"{size:.0f} experiments" for size in sizes), "growth")
    for row in COMMANDS:
        seconds = [column[row] for column in columns]
        growth = " ".join(f"{after / before:.2f}" for before, after in zip(seconds, seconds[1:], strict=False))
        table.add_row(row, *(f"{one:.1f}" for one in seconds), growth)
    Console(width=None if sys.stdout.isatty() else 110).print(table)


def measured(copies: int) -> dict[str, float]:
    """CPU seconds of each command, and how many experiments there are."""
    with tempfile.TemporaryDirectory() as folder:
        repository = Path(folder)
        copy_repository(repository)
        multiply(repository, copies)
        experiments = sorted((repository / "experiments").iterdir())
        new = repository / "experiments/new_one"
        seconds = {"experiments": float(len(experiments))}
        dvc(repository, "repro")
        for row, command in COMMANDS.items():
            shutil.copytree(experiments[0], new, ignore=made) if row.endswith("new experiment") else None
            names = {"experiment": f"experiments/{experiments[0].name}", "new": "experiments/new_one"}
            seconds[row] = dvc(repository, *(part.format(**names) for part in command))
        return seconds


def copy_repository(folder: Path) -> None:
    """The files of the repository without what DVC wrote, with commands that learn nothing."""
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    for name in listed.stdout.splitlines():
        if os.path.lexists(ROOT / name) and not name.endswith("/dvc.lock"):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name, follow_symlinks=False)
    (folder / "pipelines/stage.sh").write_text(STAND_IN)
    subprocess.run(["git", "init", "--quiet"], cwd=folder, check=True)


def multiply(repository: Path, copies: int) -> None:
    """Have each data set and each experiment so often; each copy of an experiment has a data set of its own."""
    for parent in ("data", "experiments"):
        for folder in [file.parent for file in (repository / parent).glob("*/params.yaml")]:
            for number in range(1, copies):
                copy = folder.with_name(f"{folder.name}_{number}")
                shutil.copytree(folder, copy)
                params = copy / "params.yaml"
                params.write_text(re.sub(r"(?m)^(dataset: \w+)", rf"\1_{number}", params.read_text()))


def made(folder: str, names: list[str]) -> list[str]:
    """What a new experiment does not have yet."""
    return [name for name in names if name not in ("params.yaml", "dvc.yaml")]


def dvc(folder: Path, *arguments: str) -> float:
    """CPU seconds of a command of DVC's and of all that it starts."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [sys.executable, "-m", "dvc", *arguments]
    subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


if __name__ == "__main__":
    main()
