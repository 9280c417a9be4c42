"""What DVC costs as experiments become more: CPU seconds with 1, 2 and 4 copies of all of them.

    .venv/bin/python benchmarks/growth.py

Runs in a temporary folder, with commands that write a line instead of learning anything, so that what is
left is DVC itself. Prints the CPU seconds of each command, and how often those of the first size they are:
where the whole is linear, four times the experiments cost four times as much.
"""

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
COPIES = (1, 2, 4)
# Instead of pipelines/stage.sh: writes what each stage writes, and learns nothing.
STAND_IN = """\
case $1 in
  fetch) mkdir -p raw && echo "$2" > raw/file ;;
  validate) mkdir -p validation && echo "$2" > validation/file ;;
  prepare) mkdir -p prepared && echo "$2" > prepared/file ;;
  train) mkdir -p model && echo "$2" > model/file ;;
  evaluate)
    mkdir -p figures
    echo '{"mae": 1}' > metrics.json
    echo "$2" | tee scores.parquet figures/file > curves.csv
    ;;
  promote) echo "$2" > promotion.json ;;
esac
"""


def main() -> None:
    """Measure each size in a folder of its own and print the table."""
    columns = {}
    for copies in COPIES:
        with tempfile.TemporaryDirectory() as folder:
            experiments = fill(Path(folder), copies)
            columns[len(experiments)] = measured(Path(folder), experiments)
    table = Table("CPU seconds of DVC, with so many experiments", *map(str, columns), "growth")
    first, *_ = columns.values()
    for row in first:
        seconds = [column[row] for column in columns.values()]
        growth = ", ".join(f"{one / seconds[0]:.1f}" for one in seconds[1:])
        table.add_row(row, *(f"{one:.1f}" for one in seconds), growth)
    Console(width=None if sys.stdout.isatty() else 100).print(table)


def measured(repository: Path, experiments: list[str]) -> dict[str, float]:
    """CPU seconds of some commands in a repository in which nothing ever ran."""
    first = f"experiments/{experiments[0]}"
    seconds = {
        "everything, for the first time": dvc(repository, "repro"),
        "everything, nothing to do": dvc(repository, "repro"),
        "one pipeline, nothing to do": dvc(repository, "repro", f"{first}/dvc.yaml"),
    }
    copy(repository / first, repository / "experiments/new_one")
    return seconds | {"one new experiment": dvc(repository, "repro", "experiments/new_one/dvc.yaml")}


def fill(folder: Path, copies: int) -> list[str]:
    """Copy the repository, with so many of each experiment; returns their names."""
    for part in ("pipelines", "requirements", "src"):
        shutil.copytree(ROOT / part, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
    (folder / ".dvc").mkdir()
    for part in (".dvc/config", ".dvcignore", "dvc.lock", "dvc.yaml", "params.yaml"):
        shutil.copy(ROOT / part, folder / part, follow_symlinks=False)
    (folder / "pipelines/stage.sh").write_text(STAND_IN)
    subprocess.run(["git", "init", "--quiet"], cwd=folder, check=True)
    for one in ROOT.glob("data/*/params.yaml"):
        copy(one.parent, folder / "data" / one.parent.name)
    for one in ROOT.glob("experiments/*/params.yaml"):
        for end in ["", *(f"_{number}" for number in range(1, copies))]:
            copy(one.parent, folder / "experiments" / f"{one.parent.name}{end}")
    return sorted(path.name for path in (folder / "experiments").iterdir())


def copy(folder: Path, to: Path) -> None:
    """Copy what a data set or an experiment is, without what it has made."""
    to.mkdir(parents=True)
    shutil.copy(folder / "dvc.yaml", to)
    text = (folder / "params.yaml").read_text()
    (to / "params.yaml").write_text(re.sub(r"(?m)^name: \w+", f"name: {to.name}", text))


def dvc(folder: Path, *arguments: str) -> float:
    """CPU seconds of a command of DVC's and of all that it starts."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [sys.executable, "-m", "dvc", *arguments]
    subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


if __name__ == "__main__":
    main()
