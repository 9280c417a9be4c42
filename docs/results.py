"""Write docs/results.md and its excerpt in README.md from what `evermodel list --json` said of each profile.

.venv/bin/evermodel list --json > docs/results/sample.json && .venv/bin/python docs/results.py
"""

import json
import re
import sys
from pathlib import Path
from typing import Any

import yaml

from evermodel.core import catalog

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "docs/results"
EXCERPT = (  # one of each kind
    "boston_dnn", "stock_lstm", "imdb_linear", "imdb_dnn", "imdb_transformer", "fashion_cnn", "cifar_cnn",
    "efficientnet_lite0_transfer", "autoencoder", "unet", "colorization",
    "face_smile", "age_gender", "face_recognition",
)  # fmt: skip
HEAD = """\
| experiment | metric | published | bar | full [95 %] | baseline | s | sample [95 %] | baseline | s |
|---|---|---|---|---|---|---|---|---|---|"""
PAGE = """\
# Results

Test score with its 95 % bootstrap interval, beside the baseline of the same rows; s is seconds of training,
full on two to four shared cores, embedded as one of three at a time on two; bold is champion; *synthetic*
stands beside what was scored on synthetic data.

"""

SPREAD = """
## Over several splits

Mean ± standard deviation of each headline over folds of the training and validation rows and over seeds, the
model beside its baseline: `.venv/bin/evermodel cv NAME --json > docs/results/NAME_cv_full.json`.

| experiment | metric | folds | seeds | model | baseline |
|---|---|---|---|---|---|"""


def page() -> str:
    """All of docs/results.md."""
    return f"{PAGE}{table()}\n{spread()}"


def table(*names: str) -> str:
    """The table in Markdown: a row for each of those experiments, or for all."""
    full, sample = (_rows(profile) for profile in ("full", "sample"))
    published = yaml.safe_load((RESULTS / "published.yaml").read_text(encoding="utf-8"))
    lines = [
        f"| {name} | {known['metric']} | {known['published']} | {known['bar']} "
        f"| {_cells(full.get(name), known.get('absent', ''))} | {_cells(sample.get(name))} |"
        for name, known in published.items()
        if name in (names or published)
    ]
    return "\n".join([HEAD, *lines])


def spread() -> str:
    """The section of what `evermodel cv --json` said of the real data."""
    kept = [json.loads(file.read_text(encoding="utf-8")) for file in sorted(RESULTS.glob("*_cv_full.json"))]
    lines = [
        f"| {one['experiment']} | {metric} | {one['folds']} | {one['seeds']} "
        f"| {_over(of[one['experiment']])} | {_over(of['baseline'])} |"
        for one in kept
        for metric, of in one["metrics"].items()
        if metric in catalog.headlines(one["task"])
    ]
    return "\n".join([SPREAD, *lines, ""]) if kept else ""


def _over(spread: dict[str, float]) -> str:
    return f"{_number(spread['mean'])} ± {_number(spread['sd'])}"


def _rows(profile: str) -> dict[str, dict[str, Any]]:
    rows = json.loads((RESULTS / f"{profile}.json").read_text(encoding="utf-8"))
    wrong = [row for row in rows if row["profile"] != profile]
    if wrong:
        sys.exit(
            f"docs/results/{profile}.json holds {wrong[0]['experiment']} of the other profile; run it again"
        )
    return {row["experiment"]: row for row in rows if row["value"] is not None}


def _cells(row: dict[str, Any] | None, absent: str = "") -> str:
    if row is None:
        return f"not run{f': {absent}' if absent else ''} | – | –"
    value, low, high, baseline = (_number(row[key]) for key in ("value", "low", "high", "baseline"))
    better = "**" if row["champion"] else ""
    synthetic = " synthetic" if row["synthetic"] else ""
    seconds = "–" if row["seconds"] is None else f"{row['seconds']:.0f}"
    return f"{better}{value}{better} [{low}, {high}]{synthetic} | {baseline} | {seconds}"


def _number(value: float) -> str:
    """Shares to four places, quantities to two."""
    return f"{value:.4f}" if abs(value) < 1 else f"{value:.2f}"


if __name__ == "__main__":
    readme = ROOT / "README.md"
    text = readme.read_text(encoding="utf-8")
    fenced = re.compile(r"(<!-- results -->).*?(<!-- /results -->)", re.DOTALL)
    readme.write_text(fenced.sub(lambda m: f"{m[1]}\n{table(*EXCERPT)}\n{m[2]}", text), encoding="utf-8")
    (ROOT / "docs/results.md").write_text(page(), encoding="utf-8")
