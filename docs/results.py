"""Write the results table of README.md from what `evermodel list --json` said of each profile.

.venv/bin/evermodel list --json > docs/results/full.json && .venv/bin/python docs/results.py
"""

import json
import re
import sys
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "docs/results"
HEAD = """\
| experiment | metric | published | bar | full: ours [95 %] | baseline | s | sample: ours | baseline | s |
|---|---|---|---|---|---|---|---|---|---|"""


def table() -> str:
    """The table in Markdown, one row per experiment."""
    full, sample = (_rows(profile) for profile in ("full", "sample"))
    published = yaml.safe_load((RESULTS / "published.yaml").read_text(encoding="utf-8"))
    lines = [
        f"| {name} | {row['metric']} | {published[name]['published']} | {published[name]['bar']} "
        f"| {_cells(full[name])} | {_cells(row)} |"
        for name, row in sample.items()
    ]
    return "\n".join([HEAD, *lines])


def _rows(profile: str) -> dict[str, dict[str, Any]]:
    rows = json.loads((RESULTS / f"{profile}.json").read_text(encoding="utf-8"))
    if wrong := {row["profile"] for row in rows} - {profile}:
        sys.exit(f"docs/results/{profile}.json holds results of profile {wrong.pop()}; run it again")
    return {row["experiment"]: row for row in rows}


def _cells(row: dict[str, Any]) -> str:
    numbers = (_number(row[key], row["metric"]) for key in ("value", "low", "high", "baseline"))
    value, low, high, baseline = numbers
    better = "**" if row["champion"] else ""
    made = " made" if row["made"] else ""
    return f"{better}{value}{better} [{low}, {high}]{made} | {baseline} | {row['seconds']:.0f}"


def _number(value: float, metric: str) -> str:
    return f"{value:.4f}" if metric == "accuracy" else f"{value:.2f}"


if __name__ == "__main__":
    readme = ROOT / "README.md"
    text = readme.read_text(encoding="utf-8")
    fenced = re.compile(r"(<!-- results -->).*?(<!-- /results -->)", re.DOTALL)
    readme.write_text(fenced.sub(lambda m: f"{m[1]}\n{table()}\n{m[2]}", text), encoding="utf-8")
