"""The scores of all experiments, and who is champion, read from the files that the stages wrote.

It ends every `dvc repro`, so it imports nothing that takes time: neither MLflow nor pandas nor DVC.
"""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from evermodel import table
from evermodel.core import folders, params
from evermodel.publishing import receipt


def rows(names: Iterable[str] = ()) -> list[dict[str, Any]]:
    """One row per experiment, in the order of their names; all if none is named.

    champion: the version that the ledger says; waiting: whether `dvc exp run` made what is there now, which
    was then never handed in; seconds: of the training; None where nothing is known.
    """
    profile = str(params.read(params.FILE)["profile"])
    return [_row(name, profile) for name in names or folders.names(folders.EXPERIMENTS)]


def show(found: Sequence[dict[str, Any]]) -> None:
    """Print the rows as a table, and what is to be done about those that wait."""
    table.show("test scores with their 95 % intervals", [_cells(row) for row in found])
    for name in (row["experiment"] for row in found if row["waiting"]):
        print(f"{name} comes from `dvc exp run` and was not handed in; `evermodel run {name}` does it")


def _row(name: str, profile: str) -> dict[str, Any]:
    values = params.of_folder(folders.experiment(name), profile)
    figures = _json(folders.experiment(name) / "metrics.json")
    spec = _json(folders.prepared(values["dataset"]) / "spec.json")
    metric = values["promotion"]["metric"]
    return {
        "experiment": name,
        "dataset": values["dataset"],
        "synthetic": spec.get("synthetic", False),
        "model": values["model"],
        "task": values["task"],
        "profile": _profile(spec, profile),
        "metric": metric,
        "value": figures.get(metric),
        "low": figures.get(f"{metric}_low"),
        "high": figures.get(f"{metric}_high"),
        "baseline": figures.get(f"baseline_{metric}"),
        "seconds": _seconds(name),
        "champion": next((line["after"] for line in reversed(_lines(folders.ledger(name)))), None),
        "waiting": receipt.is_pending(name),
    }


def _profile(spec: dict[str, Any], profile: str) -> str:
    """What the score is of: not what params.yaml says, between a switch and the next run."""
    if spec.get("edition", profile) == "sample":
        return "sample"
    return profile if spec.get("synthetic", True) else "full"  # data that are synthetic in either profile


def _seconds(name: str) -> float | None:
    """How long the training took when it first came to its end."""
    key = _json(folders.model(name) / "training.json").get("key", "")
    events = _lines(folders.journal(key))
    ends = (event for event in events if (event["event"], event["stage"]) == ("end", "train"))
    return next((event["seconds"] for event in ends), None)


def _json(file: Path) -> dict[str, Any]:
    return dict(json.loads(file.read_text(encoding="utf-8"))) if file.exists() else {}


def _lines(file: Path) -> list[dict[str, Any]]:
    """The JSON objects of a file, without those that a killed process tore."""
    if not file.exists():
        return []
    *lines, _ = file.read_bytes().split(b"\n")
    return [found for line in lines if (found := _object(line))]


def _object(line: bytes) -> dict[str, Any]:
    try:
        return dict(json.loads(line))
    except ValueError:
        return {}


def _cells(row: dict[str, Any]) -> dict[str, Any]:
    return {
        "experiment": row["experiment"],
        "data": f"{row['dataset']} ({row['profile']}{', synthetic' if row['synthetic'] else ''})",
        "model": row["model"],
        "test score": _score(row),
        "baseline": row["baseline"],
        "seconds": row["seconds"],
        "champion": row["champion"],
    }


def _score(row: dict[str, Any]) -> str:
    if row["value"] is None:
        return "not evaluated"
    value, low, high = (table.number_text(row[key]) for key in ("value", "low", "high"))
    return f"{row['metric']} {value} [{low}, {high}]"
