"""What holds for every file of tasks/, those to come included, and keeps learning apart from evaluation."""

import ast
import importlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import evermodel
from evermodel.core import catalog
from evermodel.core.data import Predictions, Split
from evermodel.core.errors import EvermodelError
from evermodel.evaluation import evaluation, figures, statistics
from evermodel.evaluation.judge import Judge
from tests.specs import make_spec

PACKAGE = Path(evermodel.__file__).parent
TASKS = catalog.modules("tasks")
EVALUATING = [f"{folder}.{name}" for folder in ("evaluation", "tasks") for name in catalog.modules(folder)]
EVALUATING.remove("evaluation.baseline")  # which is fitted where it is judged (decision 2)
RNG = np.random.default_rng(5)
COLOURS = RNG.integers(0, 255, (8, 9, 9, 3)).astype(np.uint8)
GRAYS = RNG.integers(0, 255, (8, 9, 9, 1)).astype(np.uint8)
MASKS = (RNG.random((8, 9, 9, 1)) > 0.6).astype(np.uint8) * 255
WINDOWS = RNG.normal(size=(8, 3, 1))
NUMBERS = RNG.normal(size=8)
LABELS = np.array([0, 1, 1, 0, 0, 1, 0, 1])
GROUPS = np.arange(8) // 2
FACES = np.repeat([7, 9, 11, 12], 2)
WRITTEN = np.arange(4) < np.array([4, 1, 2, 4, 1, 2, 3, 1])[:, None]  # where texts have characters
AGES = np.stack([RNG.uniform(1, 90, 8), LABELS], axis=1)


def halves(x):
    """Features of images: the means of the upper and the lower half."""
    return np.stack([x[:, :4].mean(axis=(1, 2, 3)), x[:, 4:].mean(axis=(1, 2, 3))], axis=1)


def bright(x):
    """The class of an image: whether its upper half is the brighter one."""
    return halves(x).argmin(axis=1)


JUDGE = Judge("cafe", halves, bright, halves(GRAYS[::-1]), halves(GRAYS))
TOLD = {"quantile": 0.9, "judge": JUDGE, "known": np.array([0])}


def drawn(of, scale=1.0):
    """Something like the images, on the scale 0 to 1."""
    return (of / 255 * scale + RNG.normal(0, 0.1, of.shape)).clip(0, 1)


# What changes of the spec, the test rows, the model's prediction and the baseline's.
CASES = {
    "age_gender": (
        {"targets": ("age", "gender")},
        Split(COLOURS, AGES),
        np.stack([AGES[:, 0] + NUMBERS, 0.2 + 0.5 * AGES[:, 1]], axis=1),
        np.tile([40, 0.5], (8, 1)),
    ),
    "anomaly": ({"classes": ("fine", "odd")}, Split(GRAYS, LABELS), drawn(GRAYS), drawn(GRAYS, 0.5)),
    "binary": ({"classes": ("no", "yes")}, Split(GRAYS, LABELS), 0.3 + 0.3 * LABELS, np.full(8, 0.5)),
    "classification": (
        {"classes": ("a", "b")},
        Split(GRAYS, LABELS),
        np.tile([0.8, 0.2], (8, 1)),
        np.tile([0.5, 0.5], (8, 1)),
    ),
    "colorization": (
        {},
        Split(COLOURS, LABELS),
        RNG.normal(0, 20, (8, 9, 9, 2)),
        np.zeros((8, 9, 9, 2)),
    ),
    "denoising": ({}, Split(GRAYS, LABELS), drawn(GRAYS), drawn(GRAYS, 0.5)),
    "embedding": ({}, Split(COLOURS, FACES), RNG.normal(size=(8, 4)), RNG.normal(size=(8, 3))),
    "features": (
        {"classes": ("a", "b")},
        Split(GRAYS, LABELS),
        np.tile([0.8, 0.2, 1.5, -0.5], (8, 1)),
        np.tile([0.5, 0.5], (8, 1)),
    ),
    "forecasting": (
        {"kind": "series"},
        Split(WINDOWS, WINDOWS[:, -1, 0] + NUMBERS),
        WINDOWS[:, -1, 0] + 0.5 * NUMBERS,
        WINDOWS[:, -1, 0],
    ),
    "generation": (
        {"classes": ("a", "b")},
        Split(GRAYS, LABELS),
        np.stack([drawn(GRAYS), drawn(GRAYS)], axis=1),
        np.stack([drawn(GRAYS, 0.5), drawn(GRAYS, 0.5)], axis=1),
    ),
    "language_modelling": (
        {"kind": "text", "input_shape": (), "input_dtype": "string"},
        Split(np.array(["abcd", "a", "bc", "dddd", "e", "fg", "abc", "x"], dtype=object), LABELS),
        WRITTEN * RNG.uniform(1, 5, (8, 4)),
        WRITTEN * 5.6,
    ),
    "multilabel": (
        {"targets": ("hot", "wet")},
        Split(GRAYS, np.stack([LABELS, 1 - LABELS], axis=1).astype(float)),
        np.stack([0.3 + 0.3 * LABELS, 0.4 + 0.1 * LABELS], axis=1),
        np.full((8, 2), 0.5),
    ),
    "multiregression": (
        {"targets": ("weight", "height"), "target_mean": (0, 0), "target_sd": (1, 20)},
        Split(COLOURS, np.stack([NUMBERS, 20 * WINDOWS[:, 0, 0]], axis=1)),
        np.stack([NUMBERS + 0.1 * LABELS, 15 * WINDOWS[:, 0, 0]], axis=1),
        np.zeros((8, 2)),
    ),
    "quantile": ({}, Split(GRAYS, NUMBERS), NUMBERS + 0.1 * LABELS, np.zeros(8)),
    "reconstruction": ({}, Split(COLOURS, LABELS), drawn(COLOURS), drawn(COLOURS, 0.5)),
    "regression": ({}, Split(GRAYS, NUMBERS), NUMBERS + 0.1 * LABELS, np.zeros(8)),
    "segmentation": ({}, Split(COLOURS, MASKS), drawn(MASKS), np.full(MASKS.shape, 0.4)),
    "text_to_image": (
        {"classes": ("a light cap", "soles")},
        Split(GRAYS, LABELS),
        drawn(GRAYS)[:, None],
        drawn(GRAYS, 0.5)[:, None],
    ),
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
def case(request):
    """A task module, the spec of a small case, and the predictions to it."""
    task = importlib.import_module(f"evermodel.tasks.{request.param}")
    changes, test, model, baseline = CASES[request.param]
    return task, make_spec(**changes), Predictions(test, model, baseline, test.x)


@pytest.fixture
def evaluated(case):
    """A task module, the scores of a small case, and their spec."""
    task, spec, predictions = case
    return task, scored(task, predictions.test, predictions.model, spec), spec


def scored(task, test, prediction, spec):
    return evaluation.score(task, test, prediction, spec, TOLD)


def test_there_is_a_score_of_every_test_row_and_it_is_finite(evaluated):
    _, scores, _ = evaluated
    assert scores.index.tolist() == list(range(8))
    assert np.isfinite(scores.select_dtypes("number")).all(axis=None)


def test_the_worst_are_rows_of_the_test_in_few_words(evaluated):
    task, scores, spec = evaluated
    worst = task.worst(scores, spec, 3)
    assert 1 <= len(worst) <= 3
    assert set(worst.index) <= set(scores.index)
    assert all(len(line) < 30 for caption in figures.captions(worst) for line in caption)


def test_every_figure_is_drawn_and_the_same_predictions_give_the_same_bytes_grouped_or_not(case):
    task, spec, predictions = case
    scores = scored(task, predictions.test, predictions.model, spec)
    with figures.look():
        twice = [task.figures(of, spec, predictions) for of in (scores, scores.assign(group=GROUPS))]
        first, second = ({n: figures.png(f, "x", spec) for n, f in made.items()} for made in twice)
    assert first == second
    assert first


def test_a_prediction_with_a_row_missing_or_not_finite_is_told_in_a_sentence(case):
    task, spec, predictions = case
    with pytest.raises(EvermodelError, match="predicted an array of shape"):
        scored(task, predictions.test, predictions.model[:-1], spec)
    broken = predictions.model.copy()
    broken[3] = np.nan
    with pytest.raises(EvermodelError, match="no finite number for 1 of 8 test rows"):
        scored(task, predictions.test, broken, spec)


def test_every_headline_is_a_metric_with_a_direction_and_an_interval_around_it(evaluated):
    task, scores, spec = evaluated
    metrics, intervals = task.metrics(scores, spec), statistics.intervals(task.statistics(spec), scores, 0)
    assert set(task.HEADLINES.values()) <= {"lower", "higher"}
    assert set(intervals) == set(task.HEADLINES)
    for name, (low, high) in intervals.items():
        assert low <= metrics[name] <= high


def test_every_headline_follows_from_the_scores_as_the_task_says(evaluated):
    task, scores, spec = evaluated
    metrics = task.metrics(scores, spec)
    for name, statistic in task.statistics(spec).items():
        assert statistics.value(statistic, scores) == pytest.approx(metrics[name])


def test_rows_that_belong_together_change_no_metric_and_none_of_the_worst(case):
    task, spec, predictions = case
    alone, together = (
        evaluation.evaluate(task, "it", predictions.model, replace(predictions.test, group=group), spec, TOLD)
        for group in (None, GROUPS)
    )
    assert together.metrics == alone.metrics
    assert together.scores["group"].tolist() == GROUPS.tolist()
    assert task.worst(together.scores, spec, 3).equals(task.worst(alone.scores, spec, 3))
    for name, (low, high) in statistics.intervals(task.statistics(spec), together.scores, 0).items():
        assert low <= together.metrics[name] <= high


@pytest.mark.parametrize("name", EVALUATING)
def test_nothing_that_evaluates_reaches_what_learns(name):
    learning = ("evermodel.training", "evermodel.objectives", "evermodel.models")
    assert not [name for name in reached(path(f"evermodel.{name}")) if name.startswith(learning)]


def test_nothing_that_trains_reaches_what_evaluates():
    evaluating = ("evermodel.tasks", "evermodel.evaluation")
    assert not [
        name for name in reached(PACKAGE.parents[1] / "pipelines/train.py") if name.startswith(evaluating)
    ]
