import importlib
import io
from contextlib import redirect_stdout
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from evermodel.core.data import Prepared, Split
from evermodel.core.errors import EvermodelError
from evermodel.runs import saved
from evermodel.runs.recipe import Recipe, Train
from evermodel.training import preprocessing
from tests.specs import make_spec
from tests.weights import numbers

OPTIONS = {"base": "VGG16", "image_size": 32, "plane": True}
TRAIN = Train(optimizer="adam", learning_rate=0.001, batch_size=16, epochs=1)


def images(rows, classes):
    """Each class in its own colour, with noise."""
    labels = np.arange(rows) % classes
    colours = np.array([[200, 60, 60], [60, 200, 60], [60, 60, 200]])[labels]
    noise = np.random.default_rng(rows).integers(-50, 50, (rows, 24, 24, 3))
    return Split((colours[:, None, None] + noise).astype(np.uint8), labels)


def prepared(classes, train=None):
    spec = make_spec("images", input_shape=(24, 24, 3), classes=tuple("abc"[:classes]))
    splits = {"train": train or images(42, classes), "validation": images(12, classes)}
    return Prepared(spec, splits, {})


RECIPE = Recipe(
    dataset="flowers",
    task="features",
    model="transfer",
    options=OPTIONS,
    baseline="linear",
    train=TRAIN,
)


@pytest.fixture(scope="module")
def learn(keras):
    """A function that fits the heads on random weights of the base."""
    learner = importlib.import_module("evermodel.training.features")
    build = importlib.import_module("evermodel.models.transfer").build

    def fit(data):
        keras.utils.set_random_seed(1)
        return learner.fit(build, data, RECIPE)

    return fit


@pytest.fixture(scope="module")
def fitted(learn):
    """A function from a number of classes to their data and what one fit to them gives and prints."""

    @cache
    def fit(classes):
        data = prepared(classes)
        with redirect_stdout(io.StringIO()) as printed:
            model, history = learn(data)
        return data, model, history, printed.getvalue()

    return fit


def features_of(keras, model, data, split):
    """What the layer "features" gives, through the saved model's own layers."""
    core = next(layer for layer in model.layers if isinstance(layer, keras.Model))
    encoder = preprocessing.encoder(data.spec, TRAIN)
    trunk = keras.Model(core.input, core.get_layer("features").output)
    return np.asarray(trunk(encoder(data.splits[split].x)), dtype=float)


@pytest.mark.parametrize("classes", [2, 3])
def test_the_heads_answer_as_scikit_learn_does_on_the_same_features(keras, fitted, classes):
    data, model, _, _ = fitted(classes)
    seen, asked = (features_of(keras, model, data, split) for split in ("train", "validation"))
    regression = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
    plane = make_pipeline(StandardScaler(), PCA(2, svd_solver="full")).fit(seen)
    probabilities = regression.fit(seen, data.splits["train"].y).predict_proba(asked)
    predictions = model.predict(data.splits["validation"].x, verbose=0)
    assert predictions.shape == (12, classes + 2)
    np.testing.assert_allclose(predictions[:, :classes], probabilities, atol=1e-3)
    np.testing.assert_allclose(predictions[:, classes:], plane.transform(asked), rtol=1e-2, atol=1e-2)


def test_its_file_holds_the_numbers_of_the_model_alone(fitted, tmp_path):
    _, model, _, _ = fitted(3)
    assert numbers(saved.save_keras(model, tmp_path)) == model.count_params()


def test_the_history_is_one_row_with_the_accuracies(fitted):
    _, _, history, _ = fitted(3)
    assert history == [{"epoch": 1, "accuracy": 1.0, "val_accuracy": 1.0}]


def test_fitting_again_gives_the_same_model(learn, fitted):
    data, model, _, _ = fitted(3)
    again, _ = learn(data)
    assert all(np.array_equal(*pair) for pair in zip(model.get_weights(), again.get_weights(), strict=True))


def test_it_tells_how_far_it_is(fitted):
    _, _, _, printed = fitted(3)
    train, validation = printed.splitlines()
    assert "train: 42 of 42" in train
    assert "validation: 12 of 12" in validation


def test_the_base_begins_with_the_weights_that_the_data_bring(keras, tmp_path):
    learner = importlib.import_module("evermodel.training.features")
    build = importlib.import_module("evermodel.models.efficientnet_lite0").build
    brought = build((24, 24, 3), 3, None, image_size=32).get_layer("base")
    brought.save_weights(tmp_path / "lite0.weights.h5")
    recipe = RECIPE.model_copy(
        update={"model": "efficientnet_lite0", "options": {"image_size": 32, "plane": True}}
    )
    data = replace(prepared(3), weights={"efficientnet_lite0": tmp_path / "lite0.weights.h5"})
    model, _ = learner.fit(build, data, recipe)
    core = next(layer for layer in model.layers if layer.name == "efficientnet_lite0")
    assert all(map(np.array_equal, core.get_layer("base").get_weights(), brought.get_weights()))


def test_a_class_without_a_training_row_is_rejected(learn):
    with pytest.raises(EvermodelError, match=r"class number 2 .*split"):
        learn(prepared(3, images(20, 2)))
