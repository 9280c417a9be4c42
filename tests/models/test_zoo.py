"""Every architecture that an experiment uses; a new one is picked up without a line here."""

import ast
import importlib
import inspect
from contextlib import chdir
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from evermodel.core import catalog, data, folders, generation
from evermodel.core.data import Array, Prepared, Split
from evermodel.core.rows import Rows
from evermodel.datasets import dataset, source
from evermodel.evaluation import evaluation
from evermodel.evaluation.judge import Judge
from evermodel.preparing import preparing
from evermodel.runs import network as asked
from evermodel.runs import recipe, saved
from evermodel.runs.recipe import Recipe, Train

ROOT = Path(__file__).parents[2]
with chdir(ROOT):
    RECIPES = {name: recipe.load(name, "sample") for name in folders.names(folders.EXPERIMENTS)}
NETWORKS = {name: r for name, r in RECIPES.items() if catalog.framework(r.model) == "keras"}
# One experiment for each use of an architecture: the others differ in sizes and rates only.
NAMES = sorted({(r.model, r.task, *sorted(r.options)): name for name, r in NETWORKS.items()}.values())
VALUES = {"optimizer": "adam", "learning_rate": 0.001, "batch_size": 32}
ROWS = 8
SIZE = 48  # pixels
TOKENS = 40  # of a text that goes in as a sequence
STEPS, FEW = 15, 3


@dataclass(frozen=True)
class Trained:
    """One recipe, a batch of its data, two models that saw it often and a few times, and predictions."""

    recipe: Recipe
    prepared: Prepared
    model: Any
    history: list[dict[str, float]]
    beginner: Any
    beginning: list[dict[str, float]]
    predictions: Array

    @property
    def batch(self) -> Split:
        return self.prepared.splits["train"]


@pytest.fixture(scope="module")
def prepared(drawn, tmp_path_factory):
    """A function from a data set to the folder of its prepared sample, made as the pipeline makes it."""

    @cache
    def prepare(name: str) -> Path:
        with chdir(ROOT):
            described = dataset.load(name, "sample")
        if described.source.sample is None:
            pytest.skip(f"data set {name} has no sample")
        found = source.provenance(folder := drawn(name))
        reader = importlib.import_module(f"evermodel.readers.{found.reader}")
        raw = reader.read(folder, **found.options)
        to = tmp_path_factory.mktemp(name)
        data.save_spec(to, preparing.prepare(name, raw, described, found, to), {})
        return to

    return prepare


def one_batch(folder: Path, task: str) -> Prepared:
    """A few rows to learn and to watch; of large images, and their masks, only a corner."""
    loaded = data.load(folder, catalog.target(task), "train")
    train = loaded.splits["train"]
    batch, spec = train[chosen(task, train.y)], loaded.spec
    if spec.kind == "images":
        x, y = (part[:, :SIZE, :SIZE] if part.ndim == 4 else part for part in (batch.x, batch.y))
        batch, spec = Split(x, y), spec.model_copy(update={"input_shape": x.shape[1:]})
    return Prepared(spec, dict.fromkeys(("train", "validation"), batch), loaded.weights)


def chosen(task: str, y: Array) -> Array:
    """The rows that a task can be learned from."""
    match task:
        case "features":  # one of each class
            return np.unique(y, return_index=True)[1]
        case "embedding":  # some of each of two persons
            return np.concatenate([np.flatnonzero(y == person)[: ROWS // 2] for person in np.unique(y)[:2]])
    return np.arange(ROWS)


def asked_of(task: str, batch: Split) -> Any:
    """The rows as a network is asked them."""
    if catalog.target(task) == "example":
        return generation.seeds(len(batch))
    if catalog.target(task) == "captioned":
        return generation.seeds(len(batch)).assign(caption=["a seven", "a red bag"] * (len(batch) // 2))
    if catalog.target(task) == "text":
        return evaluation.inputs(evaluation.task_module(task), batch.x, {}, 0)
    return batch.x.frame() if isinstance(batch.x, Rows) else batch.x


def pixels(x: Array) -> Array:
    """What stands for the features of a judge."""
    return x.reshape(len(x), -1)[:, ::50] / 255


def brightest(x: Array) -> Array:
    """What stands for the classes that a judge sees."""
    return pixels(x).argmax(axis=1)


def builder(model: str) -> Any:
    return importlib.import_module(f"evermodel.models.{model}").build


def fit(keras: Any, chosen: Recipe, batch: Prepared, steps: int) -> tuple[Any, list[dict[str, float]]]:
    """Train by the pipeline's own code, one batch an epoch, by the same values for every architecture.

    Checkpoints are left out, because those of a large model take longer than its training.
    """
    network = importlib.import_module("evermodel.training.network")
    features = importlib.import_module("evermodel.training.features")
    assert chosen.train is not None
    text = chosen.train.text
    short = text.model_copy(update={"sequence_length": text.sequence_length and TOKENS})
    kept = {"image_size": chosen.train.image_size, "text": short}
    second = {"layers": 1, "epochs": 1} if chosen.train.fine_tune else None
    train = Train.model_validate(VALUES | kept | {"epochs": steps, "fine_tune": second})
    quick = chosen.model_copy(update={"train": train})
    keras.backend.clear_session(free_memory=False)  # or it looks for garbage among all that TensorFlow has
    keras.utils.set_random_seed(1)
    if chosen.task == "features":
        return features.fit(builder(chosen.model), batch, quick)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(network.checkpoints, "save", lambda *_: None)
        return network.fit(builder(chosen.model), batch, quick, 1, Path("nowhere"), lambda _: None)


@pytest.fixture(scope="module", params=[pytest.param(name, marks=pytest.mark.zoo) for name in NAMES])
def trained(request, keras, prepared):
    chosen = RECIPES[request.param]
    batch = one_batch(prepared(chosen.dataset), chosen.task)
    fitted = [part for steps in (STEPS, FEW) for part in fit(keras, chosen, batch, steps)]
    predictions = asked.compiled(fitted[0])(asked_of(chosen.task, batch.splits["train"]))
    return Trained(chosen, batch, *fitted, predictions)


def test_every_keras_experiment_has_its_architecture_and_task_tried_here():
    assert NETWORKS
    tried = {(NETWORKS[name].model, NETWORKS[name].task) for name in NAMES}
    assert tried == {(r.model, r.task) for r in NETWORKS.values()}


def test_a_model_takes_or_makes_raw_examples_and_its_task_can_evaluate_the_predictions(trained):
    model, spec = trained.model, trained.prepared.spec
    makes = catalog.target(trained.recipe.task) in generation.JUDGED
    shapes = model.output_shape if makes else model.input_shape
    assert (None, *spec.input_shape) in (shapes if isinstance(shapes, list) else [shapes])
    assert trained.predictions.dtype in (np.float32, np.float64)
    task = evaluation.task_module(trained.recipe.task)
    answers, told = trained.predictions, {}
    if makes:
        answers, told = (
            answers[:, None],
            {"judge": Judge("", pixels, brightest, *[pixels(trained.batch.x)] * 2), "known": np.arange(9)},
        )
    scores = evaluation.score(task, trained.batch, answers, spec, told)
    assert len(scores) == len(trained.batch)


def test_a_model_can_learn_one_batch(trained):
    first, last = trained.history[0], trained.history[-1]
    if "loss" in first:
        assert last["loss"] < 0.95 * first["loss"]
    else:  # fitted by scikit-learn
        assert last["accuracy"] == 1


def test_every_weight_that_is_trained_learns_and_stays_finite(trained):
    in_one_step = len(trained.history) == 1
    pairs = zip(trained.model.trainable_weights, trained.beginner.trainable_weights, strict=True)
    for weight, before in pairs:
        assert np.isfinite(weight.numpy()).all(), f"{weight.path} is no number"
        assert in_one_step or (weight.numpy() != before.numpy()).any(), f"{weight.path} did not learn"


def test_a_saved_model_predicts_the_same(trained, tmp_path):
    file = saved.save_keras(trained.model, tmp_path)
    again = saved.predictor(file)(asked_of(trained.recipe.task, trained.batch))
    assert np.array_equal(again, trained.predictions)


def test_building_and_fitting_again_begins_the_same(trained):
    assert trained.beginning[:FEW] == trained.history[:FEW]


@pytest.mark.parametrize("model", catalog.modules("models"))
def test_a_model_is_built_from_its_input_and_what_is_asked_of_it(model):
    arguments = inspect.signature(builder(model)).parameters.values()
    asked = {"keras": ["outputs", "activation"], "sklearn": ["target"]}[catalog.framework(model)]
    assert [a.name for a in arguments if a.kind != a.KEYWORD_ONLY] == ["input_shape", *asked]


@pytest.mark.parametrize("model", catalog.modules("models"))
def test_a_model_knows_no_back_end_of_keras(model):
    tree = ast.parse((catalog.PACKAGE / "models" / f"{model}.py").read_text())
    names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add((node.module or "").split(".")[0])
    assert not names & {"tensorflow", "tf", "torch", "jax"}
