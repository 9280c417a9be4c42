import numpy as np
import pytest
from sklearn.linear_model import LinearRegression

from evermodel.core import data
from evermodel.core.errors import EvermodelError
from evermodel.runs import saved
from evermodel.runs.saved import Metadata

X = np.array([[0.0], [1.0], [2.0]])


@pytest.fixture
def folder(tmp_path):
    """A model folder as training leaves it: y = 2x + 1."""
    folder = tmp_path / "made"
    folder.mkdir()
    file = saved.save_sklearn(LinearRegression().fit(X, 2 * X[:, 0] + 1), folder)
    hash_ = data.file_hash(file)
    saved.write_metadata(
        folder, Metadata(key="k", file=file.name, sha256=hash_, parameters=2, epochs=1, test_hash="t")
    )
    return folder


def test_a_saved_model_predicts_what_it_predicted(folder):
    model = saved.load(folder)
    assert model.predict(X) == pytest.approx([1, 3, 5])
    assert model.metadata.parameters == 2


def test_a_keras_model_predicts_what_it_predicted(keras, tmp_path):
    inputs = keras.Input((1,))
    model = keras.Model(inputs, keras.layers.Dense(2, name="made")(inputs))
    file = saved.save_keras(model, tmp_path)
    hash_ = data.file_hash(file)
    known = Metadata(key="k", file=file.name, sha256=hash_, parameters=4, epochs=1, test_hash="t")
    saved.write_metadata(tmp_path, known)
    assert np.array_equal(saved.load(tmp_path).predict(X), model.predict(X, verbose=0))


def test_saving_again_gives_the_same_bytes(folder, tmp_path):
    again = saved.save_sklearn(LinearRegression().fit(X, 2 * X[:, 0] + 1), tmp_path)
    assert again.read_bytes() == (folder / "model.skops").read_bytes()


def test_metadata_are_what_was_written(folder):
    assert saved.metadata(folder).file == "model.skops"
    assert saved.metadata(folder).sha256 == data.file_hash(folder / "model.skops")


@pytest.mark.parametrize("place", [0, 100, -1])
def test_a_model_file_with_one_other_bit_is_not_loaded(folder, place):
    file = folder / "model.skops"
    content = bytearray(file.read_bytes())
    content[place] ^= 1
    file.write_bytes(content)
    with pytest.raises(EvermodelError, match=r"model\.skops .*dvc repro --force .*dvc\.yaml:train"):
        saved.load(folder)


def test_a_model_file_that_is_gone_is_named(folder):
    (folder / "model.skops").unlink()
    with pytest.raises(EvermodelError, match=r"model\.skops "):
        saved.load(folder)


def test_a_folder_without_metadata_says_how_to_train(tmp_path):
    with pytest.raises(EvermodelError, match=r"training\.json .*dvc repro .*dvc\.yaml:train"):
        saved.load(tmp_path / "nowhere")


def test_a_skops_file_with_a_foreign_type_is_not_loaded(tmp_path):
    import skops.io

    file = tmp_path / "model.skops"
    skops.io.dump(Foreign(), file)
    with pytest.raises(Exception, match="Foreign"):
        saved.predictor(file)


def test_a_training_did_not_begin_with_weights_of_others_unless_it_says_so(folder):
    metadata = saved.metadata(folder)
    assert not metadata.pretrained
    saved.write_metadata(folder, metadata.model_copy(update={"pretrained": True}))
    assert saved.metadata(folder).pretrained


class Foreign:
    """What no model of ours holds."""
