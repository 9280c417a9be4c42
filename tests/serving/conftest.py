"""Champions that need no training, and the server's application with them."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from starlette.testclient import TestClient

from evermodel.serving import app
from evermodel.serving.challengers import Challengers
from evermodel.serving.champion import Champion
from evermodel.serving.limits import Limits
from evermodel.serving.protocol import Plane, Served
from evermodel.serving.request_log import RequestLog
from tests.browser import browser  # noqa: F401  (fixture)
from tests.specs import make_spec

CLASSES = ("bad", "good")
LIMITS = Limits(body=100_000, rows=5, images=2, seconds=5, canary_seconds=5, at_once=2, threads=1)
Predict = Callable[[Any], Any]
COLUMNS = [  # one of each kind; those that may have gaps are the first three
    {"name": "age", "gaps": "fill"},
    {"name": "paid", "kind": "boolean", "gaps": "category"},
    {"name": "colour", "kind": "category", "gaps": "category", "categories": ["red", "blue"]},
    {"name": "stops", "kind": "whole"},
    {"name": "night", "kind": "boolean"},
    {"name": "pickup", "kind": "time"},
    {"name": "note", "kind": "text"},
]
SEED = {"name": "seed", "kind": "whole"}
CAPTION = {
    "name": "caption",
    "kind": "text",
    "categories": ["a bag", "a red bag"],
    "vocabulary": ["a", "bag", "red"],
}
PROMPT = {"name": "prompt", "kind": "text", "gaps": "fill"}
STEPS = [{"name": "Open"}, {"name": "Close"}]
TRIP = {
    "age": 1.5,
    "paid": True,
    "colour": "red",
    "stops": 2,
    "night": False,
    "pickup": "2024-12-31 23:59:58",
    "note": "fast",
}


def mean(x: Any) -> Any:
    return np.asarray(x, dtype=float).reshape(len(x), -1).mean(axis=1, keepdims=True)


def given(x: pd.DataFrame) -> Any:
    """How many fields of each row are there, and 100 for a colour that was seen."""
    return x.notna().sum(axis=1).to_numpy(float)[:, None] + 100.0 * x[["colour"]].isin(["red", "blue"])


def made(x: pd.DataFrame) -> Any:
    """An image of each seed, as bright as the seed is hundredths of white."""
    return np.full((len(x), 2, 2, 1), 0.0) + x["seed"].to_numpy()[:, None, None, None] % 100 / 100


class Drawer:
    """An image of each seed, wider than high, whose patches look at the last word alone."""

    def __call__(self, x: pd.DataFrame) -> Any:
        return np.repeat(np.repeat(made(x), 2, axis=2), 3, axis=3)

    def looks(self, x: pd.DataFrame) -> Any:
        looks = np.zeros((len(x), 1, 2, 3))
        for row, caption in enumerate(x["caption"]):
            looks[row, ..., len(caption.split()) - 1] = 1
        return looks


def written(x: pd.DataFrame) -> Any:
    """A text of each seed and prompt."""
    rows = zip(x["seed"], x["prompt"].fillna(""), strict=True)
    return np.array([f"{prompt.upper()}{seed:g}" for seed, prompt in rows], dtype=object)


def champion(name: str, version: int = 1, predict: Predict | None = None) -> Champion:
    """One that gives the mean of numbers, what is `given`, a text's length over 10, an image, or a text."""
    kinds: dict[str, tuple[str, dict[str, Any], str, Predict]] = {
        "houses": ("table", {}, "regression", mean),
        "trips": ("table", {"columns": COLUMNS, "input_shape": (7,)}, "regression", given),
        "fakes": ("table", {"columns": [SEED], "input_shape": (1,)}, "generation", made),
        "sketches": ("table", {"columns": [SEED, CAPTION], "input_shape": (2,)}, "text_to_image", Drawer()),
        "novels": (
            "table",
            {"columns": [SEED, PROMPT], "input_shape": (2,)},
            "language_modelling",
            written,
        ),
        "prices": ("series", {"columns": STEPS}, "forecasting", mean),
        "reviews": ("text", {"classes": CLASSES}, "binary", lambda x: np.array([[len(t) / 10] for t in x])),
        "masks": ("images", {}, "segmentation", lambda x: x / 255),
        "digits": (
            "images",
            {"classes": ("0", "1", "2")},
            "classification",
            lambda x: [[0.2, 0.7, 0.1]] * len(x),
        ),
    }
    kind, changes, task, own = kinds[name]
    rows = {
        "trips": TRIP,
        "fakes": {"seed": 1.0},
        "sketches": {"seed": 1.0, "caption": "a bag"},
        "novels": {"seed": 1.0, "prompt": None},
    }
    spec = make_spec(kind, **changes)
    examples: dict[str, Callable[[], Any]] = {
        "table": lambda: pd.DataFrame([rows.get(name, {"a": 1.0, "b": 1.0})] * 2),
        "text": lambda: np.array(["A film", "Another"], dtype=object),
    }
    example = examples.get(kind, lambda: np.ones((2, *spec.input_shape), spec.input_dtype))()
    return Champion(name, version, f"run{version}", task, spec, predict or own, example, f"# {name}")


class Running:
    """The application with champions that a test can change."""

    def __init__(self, folder: Path, limits: Limits, token: str | None, share: float) -> None:
        self.limits, self.folder = limits, folder / "requests"
        self.problems: dict[str, str] = {}
        self.plane, self.request_log = Plane(["houses"]), RequestLog(self.folder)
        self.challengers = Challengers(share, limits, self.request_log, self.problems)
        self.app = app.create(self.plane, self.challengers, self.request_log, limits, token)
        # What the server answers is tested, not what it raises.
        self.client = TestClient(self.app, raise_server_exceptions=False)

    def serve(self, one: Champion) -> None:
        self.plane.model_registry.update(Served(one, self.limits))

    @property
    def lines(self) -> list[dict[str, Any]]:
        """The request log, in order of time."""
        files = sorted(self.folder.glob("*.jsonl"))
        lines = [json.loads(line) for file in files for line in file.read_text().splitlines()]
        return sorted(lines, key=lambda line: line["time"])


@pytest.fixture
def start(tmp_path: Path) -> Callable[..., Running]:
    """A function that starts the application with a champion of each kind."""

    def started(limits: Limits = LIMITS, token: str | None = None, share: float = 0) -> Running:
        made = Running(tmp_path, limits, token, share)
        for name in (
            "houses",
            "trips",
            "prices",
            "reviews",
            "masks",
            "digits",
            "fakes",
            "sketches",
            "novels",
        ):
            made.serve(champion(name))
        return made

    return started


@pytest.fixture
def running(start: Callable[..., Running]) -> Running:
    return start()


@pytest.fixture
def client(running: Running) -> TestClient:
    return running.client
