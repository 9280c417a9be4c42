import numpy as np
import pytest

from evermodel.core.data import Prepared, Split
from evermodel.core.errors import EvermodelError
from evermodel.evaluation import judge
from evermodel.models import cnn
from evermodel.runs import saved
from tests.specs import make_spec

X = np.random.default_rng(8).integers(0, 256, (5, 8, 8, 1)).astype(np.uint8)


@pytest.fixture
def core(keras):
    """A small classifier of images in 0 to 1."""
    return cnn.build((8, 8, 1), 3, "softmax", filters=[2], dense=[4])


@pytest.fixture
def file(keras, core, tmp_path):
    """The classifier as it is saved, with its pre-processing."""
    inputs = keras.Input((8, 8, 1), dtype="uint8")
    whole = keras.Model(inputs, core(keras.layers.Rescaling(1 / 255)(inputs)))
    return saved.save_keras(whole, tmp_path)


def test_features_are_what_the_last_layer_makes_classes_of(core, file):
    seen, classes = (see(X) for see in judge.opened(file))
    weights, biases = (np.asarray(one) for one in core.layers[-1].get_weights())
    raised = np.exp(seen @ weights + biases)
    assert seen.shape == (5, 4)
    assert raised / raised.sum(axis=1, keepdims=True) == pytest.approx(saved.predictor(file)(X), abs=1e-6)
    assert classes.tolist() == raised.argmax(axis=1).tolist()


def test_a_judge_knows_the_training_and_the_test_rows_and_is_known_by_its_hash(file):
    splits = {"train": Split(X, np.zeros(5)), "test": Split(X[1:3], np.zeros(2))}
    found = judge.load(Prepared(make_spec("images"), splits, {"judge": file}))
    assert np.array_equal(found.known, found.features(X))
    assert np.array_equal(found.real, found.features(X[1:3]))
    assert found.real_nearest.tolist() == [0, 0], "they stand among the training rows"
    assert len(found.sha256) == 64


def test_what_has_no_features_is_told(keras, tmp_path):
    inputs = keras.Input((8, 8, 1), dtype="uint8")
    file = saved.save_keras(keras.Model(inputs, keras.layers.Flatten()(inputs)), tmp_path)
    with pytest.raises(EvermodelError, match="ends in one dense layer"):
        judge.opened(file)
    with pytest.raises(EvermodelError, match=r"model\.skops is no network"):
        judge.opened(tmp_path / "model.skops")


def test_data_without_a_judge_are_told_how_to_get_one():
    with pytest.raises(EvermodelError, match=r"data set made has no judge.*evermodel judge EXPERIMENT"):
        judge.load(Prepared(make_spec("images"), {}, {}))
