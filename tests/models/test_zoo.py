"""Every architecture that an experiment of params.yaml uses; a new one is picked up without a line here."""

import ast
import importlib
import inspect
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from evermodel import fetching, objectives, params, preparing, preprocessing, saved, sources
from evermodel.data import Spec, Split
from evermodel.objectives import Objective
from evermodel.params import Experiment, Train

ROOT = Path(__file__).parents[2]
VALUES = params.load(ROOT / "params.yaml")
NETWORKS = [name for name, e in VALUES.experiments.items() if params.framework(e.model) == "keras"]
# Of the architectures as published; an experiment that is not listed may be of any size.
PARAMETERS = {
    "boston_dnn": 12_673,
    "letter_mlp": 284_698,
    "mnist_mlp": 669_706,
    "imdb_dnn": 505_201,
    "fashion_cnn": 241_546,
}
BATCH = 8
STEPS = 40


@dataclass(frozen=True)
class Lane:
    """One experiment, a batch of its data, and a model that has seen nothing but this batch."""

    name: str
    experiment: Experiment
    spec: Spec
    objective: Objective
    batch: Split
    model: Any
    figures: dict[str, float]


@cache
def prepared(dataset: str, folder: Path) -> tuple[Spec, dict[str, Split]]:
    """The sample of a data set, through the same functions as in the pipeline."""
    values = VALUES.dataset(dataset)
    source = sources.load(values.source, ROOT / "data/sources.yaml")
    if source.sample is None:
        pytest.skip(f"data set {dataset} has no sample")
    (folder / dataset).mkdir()
    fetching.fetch(values.source, source, "sample", folder / dataset)
    provenance = sources.provenance(folder / dataset)
    reader = importlib.import_module(f"evermodel.readers.{provenance.reader}")
    return preparing.prepare(dataset, reader.read(folder / dataset, **provenance.options), values, provenance)


def build(model: str) -> Any:
    return importlib.import_module(f"evermodel.models.{model}").build


def untrained(keras: Any, experiment: Experiment, spec: Spec, objective: Objective) -> tuple[Any, Any]:
    """Pre-processing and architecture of an experiment."""
    keras.utils.set_random_seed(1)
    encoder = preprocessing.encoder(spec, experiment.train.text)
    core = build(experiment.model)(
        encoder.output_shape[1:], objective.outputs, objective.activation, **experiment.options
    )
    return encoder, core


def fit(
    keras: Any, experiment: Experiment, spec: Spec, objective: Objective, batch: Split
) -> tuple[Any, dict[str, float]]:
    """Train STEPS steps on one batch, by the same recipe for every architecture.

    Checkpoints are left out, because those of a large model take longer than its training.
    """
    network = importlib.import_module("evermodel.learners.network")
    recipe = Train(
        optimizer="adam",
        learning_rate=0.001,
        batch_size=BATCH,
        epochs=1,
        text=experiment.train.text,
    )
    short = experiment.model_copy(update={"train": recipe})
    repeated = Split(np.concatenate([batch.x] * STEPS), np.concatenate([batch.y] * STEPS))
    splits = {"train": repeated, "validation": batch}
    keras.utils.set_random_seed(1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(network.checkpoints, "save", lambda *_: None)
        model, history = network.fit(
            build(experiment.model), spec, objective, short, splits, 1, Path("nowhere"), lambda _: None
        )
    return model, history[-1]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("raw")


@pytest.fixture(scope="module", params=NETWORKS)
def lane(request, keras, folder):
    experiment = VALUES.experiment(request.param)
    spec, splits = prepared(experiment.dataset, folder)
    objective = objectives.objective(experiment.task, spec)
    batch = Split(splits["train"].x[:BATCH], splits["train"].y[:BATCH])
    model, figures = fit(keras, experiment, spec, objective, batch)
    return Lane(request.param, experiment, spec, objective, batch, model, figures)


def test_a_model_has_as_many_parameters_as_published(lane):
    if lane.name in PARAMETERS:
        assert lane.model.count_params() == PARAMETERS[lane.name]


def test_a_model_takes_raw_examples_and_answers_in_the_shape_of_its_task(lane):
    assert lane.model.input_shape == (None, *lane.spec.input_shape)
    answer = lane.model.predict(lane.batch.x, verbose=0)
    assert answer.shape == (BATCH, lane.objective.outputs)
    assert np.isfinite(answer).all()


def test_a_model_can_learn_one_batch(lane, keras):
    encoder, core = untrained(keras, lane.experiment, lane.spec, lane.objective)
    loss = keras.losses.get(lane.objective.loss)
    before = float(np.mean(loss(lane.batch.y[:, None], core(encoder(lane.batch.x)))))
    assert lane.figures["val_loss"] < before / 2


def test_every_weight_that_is_trained_gets_a_finite_gradient(lane, keras):
    import tensorflow

    encoder, core = untrained(keras, lane.experiment, lane.spec, lane.objective)
    loss = keras.losses.get(lane.objective.loss)
    with tensorflow.GradientTape() as tape:
        value = keras.ops.mean(loss(lane.batch.y[:, None], core(encoder(lane.batch.x), training=True)))
    weights = [variable.value for variable in core.trainable_variables]
    for variable, gradient in zip(weights, tape.gradient(value, weights), strict=True):
        assert gradient is not None, f"{variable.name} is not connected to the loss"
        dense = keras.ops.convert_to_numpy(gradient)
        assert np.isfinite(dense).all()
        assert dense.any(), f"{variable.name} can not learn"


def test_a_saved_model_predicts_the_same(lane, tmp_path):
    file = saved.save_keras(lane.model, tmp_path)
    expected = lane.model.predict(lane.batch.x, verbose=0)
    assert np.array_equal(saved.predictor(file)(lane.batch.x), expected)


def test_building_and_fitting_again_gives_the_same_model(lane, keras):
    again, figures = fit(keras, lane.experiment, lane.spec, lane.objective, lane.batch)
    assert figures == lane.figures
    pairs = zip(again.get_weights(), lane.model.get_weights(), strict=True)
    assert all(np.array_equal(*pair) for pair in pairs)


@pytest.mark.parametrize("model", params.modules("models"))
def test_a_model_is_built_from_its_input_and_what_is_asked_of_it(model):
    arguments = inspect.signature(build(model)).parameters.values()
    asked = {"keras": ["outputs", "activation"], "sklearn": ["task"]}[params.framework(model)]
    assert [a.name for a in arguments if a.kind != a.KEYWORD_ONLY] == ["input_shape", *asked]


@pytest.mark.parametrize("model", params.modules("models"))
def test_a_model_knows_no_back_end_of_keras(model):
    tree = ast.parse((params.PACKAGE / "models" / f"{model}.py").read_text())
    names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add((node.module or "").split(".")[0])
    assert not names & {"tensorflow", "tf", "torch", "jax"}
