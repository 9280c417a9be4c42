"""What holds for every file of tasks/, those to come included, and keeps learning apart from judging."""

import ast
import importlib
from pathlib import Path

import numpy as np
import pytest

import evermodel
from evermodel import params

PACKAGE = Path(evermodel.__file__).parent
TASKS = params.modules("tasks")
CASES = {
    "binary": (("no", "yes"), np.array([0, 1, 1, 0]), np.array([0.2, 0.7, 0.4, 0.1])),
    "classification": (("a", "b"), np.array([0, 1, 1, 0]), np.array([[0.8, 0.2]] * 4)),
    "regression": ((), np.array([1.0, 2.0, 3.0, 5.0]), np.array([1.0, 2.5, 3.0, 4.0])),
}


def imports(file: Path) -> set[str]:
    """The modules of ours that a file imports."""
    found = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
    return {name for name in found if name.startswith("evermodel.") and path(name).exists()}


def path(module: str) -> Path:
    return PACKAGE.parent / f"{module.replace('.', '/')}.py"


def reached(file: Path) -> set[str]:
    """The modules of ours that a file imports, and those that they import, and so on."""
    known: set[str] = set()
    fresh = imports(file)
    while fresh:
        known |= fresh
        fresh = {name for module in fresh for name in imports(path(module))} - known
    return known


@pytest.fixture(params=TASKS)
def judged(request, make_spec):
    """A task module, the scores of a small case, and their spec."""
    task = importlib.import_module(f"evermodel.tasks.{request.param}")
    classes, y, prediction = CASES[request.param]
    spec = make_spec(*classes)
    return task, task.score(y, prediction, spec), spec


def test_every_headline_is_a_metric_with_a_direction_and_an_interval_around_it(judged):
    task, scores, spec = judged
    metrics, intervals = task.metrics(scores, spec), task.intervals(scores, spec, 0)
    assert set(task.HEADLINES.values()) <= {"lower", "higher"}
    assert set(intervals) == set(task.HEADLINES)
    for name, (low, high) in intervals.items():
        assert low <= metrics[name] <= high


def test_every_headline_that_is_a_mean_is_the_mean_of_its_column(judged):
    task, scores, spec = judged
    metrics = task.metrics(scores, spec)
    assert set(task.MEANS) <= set(task.HEADLINES)
    for name, column in task.MEANS.items():
        assert scores[column].mean() == pytest.approx(metrics[name])


@pytest.mark.parametrize(
    "file",
    [
        path(f"evermodel.{name}")
        for name in ("figures", "intervals", "probabilities", *(f"tasks.{t}" for t in TASKS))
    ],
)
def test_nothing_that_judges_reaches_what_learns(file):
    learning = ("evermodel.learners", "evermodel.models", "evermodel.objectives", "evermodel.training")
    assert not [name for name in reached(file) if name.startswith(learning)]


def test_nothing_that_trains_reaches_what_judges():
    judging = tuple(
        f"evermodel.{name}" for name in ("tasks", "figures", "intervals", "probabilities", "evaluation")
    )
    assert not [
        name for name in reached(PACKAGE.parents[1] / "pipelines/train.py") if name.startswith(judging)
    ]
