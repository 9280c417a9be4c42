from types import SimpleNamespace

import mlflow.artifacts
import mlflow.keras
import mlflow.pyfunc
import numpy as np
import pandas as pd
import pytest
from mlflow.exceptions import MlflowException
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from evermodel.core import data
from evermodel.core.errors import EvermodelError
from evermodel.publishing import registry
from evermodel.runs import saved
from evermodel.runs.recipe import Train
from evermodel.training import preprocessing
from tests.specs import make_spec

TREE = DecisionTreeRegressor().fit(np.eye(2), [1.0, 3.0])
ROWS = pd.DataFrame({"a": [1.0, 1.0], "b": [1.0, 1.0]})


@pytest.fixture
def packed(tmp_path, monkeypatch):
    """The folder of a package that MLflow has, and the version that it belongs to."""
    file, folder = saved.save_sklearn(TREE, tmp_path), tmp_path / "package"
    metadata = SimpleNamespace(file=file.name, sha256=data.file_hash(file))
    registry.package(folder, file, make_spec("table"), metadata, ROWS)
    monkeypatch.setattr(mlflow.artifacts, "download_artifacts", lambda *_, **__: str(folder))
    return folder, SimpleNamespace(name="it", version="3", tags={"evermodel.sha256": metadata.sha256})


def test_a_package_holds_the_file_as_it_is_and_the_spec_of_its_data(packed, tmp_path):
    folder, version = packed
    file, spec = registry.fetch(version, tmp_path)
    assert (file, file.read_bytes()) == (folder / "model.skops", (tmp_path / "model.skops").read_bytes())
    assert (spec.columns, spec.rows) == (make_spec("table").columns, make_spec("table").rows)


def test_mlflow_loads_a_package_of_what_scikit_learn_fits(packed):
    folder, _ = packed
    table = pd.DataFrame(np.eye(2), columns=["a", "b"])
    assert mlflow.pyfunc.load_model(str(folder)).predict(table).tolist() == [1, 3]


def test_mlflow_takes_whole_numbers_and_refuses_other_columns_and_texts(packed):
    asked = mlflow.pyfunc.load_model(str(packed[0]))
    assert asked.predict(pd.DataFrame({"b": [0, 1], "a": [1, 0]})).tolist() == [1, 3]
    with pytest.raises(MlflowException, match=r"missing inputs \['b'\]"):
        asked.predict(pd.DataFrame({"a": [1], "c": [2]}))
    with pytest.raises(ValueError, match="row 1, column b is 'many', no finite number"):
        asked.predict(pd.DataFrame({"a": [1], "b": ["many"]}))


def test_mlflow_asks_a_classifier_for_its_probabilities(tmp_path):
    file = saved.save_sklearn(DecisionTreeClassifier().fit(np.eye(2), [0, 1]), tmp_path)
    spec = make_spec("table", classes=("no", "yes"))
    metadata = SimpleNamespace(file=file.name, sha256=data.file_hash(file))
    registry.package(tmp_path / "package", file, spec, metadata, ROWS)
    asked = mlflow.pyfunc.load_model(str(tmp_path / "package"))
    assert asked.predict(pd.DataFrame({"a": [1], "b": [0]})).tolist() == [[1, 0]]


def test_mlflow_asks_a_network_for_all_digits_of_its_numbers_and_keras_still_loads_it(keras, tmp_path):
    """In a table with an index of its own; 32 bits hold multiples of 128 of such time stamps."""
    spec = make_spec("table", columns=[{"name": "a", "mean": 1.7e9, "variance": 1}, {"name": "b", "mean": 3}])
    encoder = preprocessing.encoder(spec, Train(optimizer="sgd", learning_rate=1, batch_size=1, epochs=1))
    file = saved.save_keras(encoder, tmp_path)
    metadata = SimpleNamespace(file=file.name, sha256=data.file_hash(file))
    x = np.array([[1.7e9 + 3, 3], [1.7e9 - 5, 9]])
    registry.package(tmp_path / "package", file, spec, metadata, pd.DataFrame(x, columns=["a", "b"]))
    asked = mlflow.pyfunc.load_model(str(tmp_path / "package"))
    answers = asked.predict(pd.DataFrame(x, columns=["a", "b"], index=["one", "two"]))
    assert answers.loc["one"].tolist() == pytest.approx([3, 0])
    assert answers.loc["two"].tolist() == pytest.approx([-5, 0])
    whole = asked.predict(pd.DataFrame({"a": [1_700_000_003], "b": [3]}))
    assert whole.loc[0].tolist() == pytest.approx([3, 0])
    assert mlflow.keras.load_model(str(tmp_path / "package")).input_shape == (None, 2)


def test_a_package_whose_file_was_changed_is_rejected(packed, tmp_path):
    folder, version = packed
    (folder / "model.skops").write_bytes(b"another")
    with pytest.raises(EvermodelError, match=r"it version 3: .*sha256"):
        registry.fetch(version, tmp_path)


def test_a_package_of_an_older_evermodel_is_rejected_in_a_sentence(packed, tmp_path):
    folder, version = packed
    old = (folder / "MLmodel").read_text().replace("synthetic: true", "made: true")
    (folder / "MLmodel").write_text(old)
    with pytest.raises(EvermodelError, match="it version 3 was registered by an older Evermodel"):
        registry.fetch(version, tmp_path)
