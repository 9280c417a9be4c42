"""A repository without data, and data that lie beside it."""

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def repository(tmp_path, monkeypatch):
    """The current folder is a repository in which there are no data sets yet."""
    folder = tmp_path / "repository"
    folder.mkdir()
    shutil.copy(ROOT / "params.yaml", folder)
    shutil.copytree(ROOT / "pipelines", folder / "pipelines")
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def lying(tmp_path):
    """The folder in which the user's data lie."""
    folder = tmp_path / "lying"
    folder.mkdir()
    return folder


@pytest.fixture
def shop():
    """Orders: an identifier, a category, a boolean, gaps, a date, words, a leak, a constant and a sum."""
    drawn = np.random.default_rng(7)
    rows = 240
    frame = pd.DataFrame(
        {
            "order_id": np.arange(1001, 1001 + rows),
            "colour": drawn.choice(["red", "green", "blue"], rows),
            "gift": drawn.choice(["true", "false"], rows),
            "weight": drawn.gamma(2, 3, rows).round(2),
            "day": pd.date_range("2024-01-15", periods=rows).strftime("%d.%m.%Y"),
            "note": [" ".join(drawn.choice(NOTES, 6)) for _ in range(rows)],
            "shop": "Ulm",
            "tax": drawn.gamma(2, 1, rows).round(2),
            "price": drawn.gamma(9, 2, rows).round(2),
        }
    )
    frame["paid"] = (frame["price"] + frame["tax"]).round(2)
    frame["late"] = np.where(frame["weight"] + drawn.normal(0, 1, rows) > 6, "late", "in time")
    frame["refund"] = np.where(frame["late"] == "late", "R", "N")
    frame.loc[drawn.choice(rows, 20, replace=False), "weight"] = np.nan
    return frame


NOTES = ["fast", "slow", "broken", "lovely", "box", "paper", "again", "never", "thanks", "where"]
