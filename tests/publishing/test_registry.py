import io
import re
from types import SimpleNamespace

import mlflow.artifacts
import mlflow.keras
import mlflow.pyfunc
import numpy as np
import pandas as pd
import pytest
from mlflow.exceptions import MlflowException
from mlflow.pyfunc import scoring_server
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from evermodel.core import data, fields, rows
from evermodel.core.errors import EvermodelError
from evermodel.publishing import example, registry
from evermodel.runs import network, saved
from evermodel.runs.recipe import Train
from evermodel.training import preprocessing
from tests.specs import make_spec

TREE = DecisionTreeRegressor().fit(np.eye(2), [1.0, 3.0])
ROWS = pd.DataFrame({"a": [1.0, 1.0], "b": [1.0, 1.0]})


@pytest.fixture
def packed(tmp_path, monkeypatch):
    """The folder of a package that MLflow has, and the version that it belongs to."""
    file, folder = saved.save_sklearn(TREE, tmp_path), tmp_path / "package"
    metadata = SimpleNamespace(file=file.name, sha256=data.file_hash(file), target="number")
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
    metadata = SimpleNamespace(file=file.name, sha256=data.file_hash(file), target="number")
    registry.package(tmp_path / "package", file, spec, metadata, ROWS)
    asked = mlflow.pyfunc.load_model(str(tmp_path / "package"))
    assert asked.predict(pd.DataFrame({"a": [1], "b": [0]})).tolist() == [[1, 0]]


def test_mlflow_asks_a_network_for_all_digits_of_its_numbers_and_keras_still_loads_it(keras, tmp_path):
    """In a table with an index of its own; 32 bits hold multiples of 128 of such time stamps."""
    spec = make_spec("table", columns=[{"name": "a", "mean": 1.7e9, "variance": 1}, {"name": "b", "mean": 3}])
    encoder = preprocessing.encoder(spec, Train(optimizer="sgd", learning_rate=1, batch_size=1, epochs=1))
    file = saved.save_keras(encoder, tmp_path)
    metadata = SimpleNamespace(file=file.name, sha256=data.file_hash(file), target="number")
    x = np.array([[1.7e9 + 3, 3], [1.7e9 - 5, 9]])
    registry.package(tmp_path / "package", file, spec, metadata, pd.DataFrame(x, columns=["a", "b"]))
    asked = mlflow.pyfunc.load_model(str(tmp_path / "package"))
    answers = asked.predict(pd.DataFrame(x, columns=["a", "b"], index=["one", "two"]))
    assert answers.loc["one"].tolist() == pytest.approx([3, 0])
    assert answers.loc["two"].tolist() == pytest.approx([-5, 0])
    whole = asked.predict(pd.DataFrame({"a": [1_700_000_003], "b": [3]}))
    assert whole.loc[0].tolist() == pytest.approx([3, 0])
    assert mlflow.keras.load_model(str(tmp_path / "package")).input_shape == (None, 2)


COLUMNS = [
    {"name": "age", "gaps": "fill"},
    {"name": "paid", "kind": "boolean", "gaps": "category"},
    {"name": "day", "kind": "time", "format": "%d.%m.%Y", "gaps": "fill"},
    {"name": "colour", "kind": "category", "gaps": "category", "categories": ["red", "blue"]},
    {"name": "class", "kind": "category", "categories": ["first", "second"]},
    {"name": "deck", "kind": "category", "categories": ["A", "1"]},
    {"name": "note", "kind": "text", "vocabulary": ["a", "b"]},
    {"name": "stops", "kind": "whole"},
]
FILE = """age,paid,day,colour,class,deck,note,stops
1.5,True,02.01.1970,red,first,1,a b,3
?,,,,second,A,b,4.0
1,yes,01.01.1970,green,third,B,?!,5
"""


@pytest.fixture(scope="module")
def mixed(tmp_path_factory):
    """A package that MLflow loaded, of a tree that knows each row of FILE by what is left of it."""
    folder = tmp_path_factory.mktemp("mixed")
    spec = make_spec("table", columns=COLUMNS, input_shape=(8,))
    table = fields.typed(pd.read_csv(io.StringIO(FILE), dtype=str), spec.columns)
    encoded = ColumnTransformer(
        [
            ("numbers", SimpleImputer(), ["age", "paid", "day", "stops"]),
            ("texts", OneHotEncoder(handle_unknown="ignore"), ["colour", "class", "deck", "note"]),
        ]
    )
    model = make_pipeline(encoded, DecisionTreeRegressor()).fit(table, [1.0, 2.0, 3.0])
    file = saved.save_sklearn(model, folder)
    metadata = SimpleNamespace(file=file.name, sha256=data.file_hash(file), target="number")
    raw = example.raw(rows.of(table, spec.columns), spec)
    registry.package(folder / "package", file, spec, metadata, raw)
    return mlflow.pyfunc.load_model(str(folder / "package"))


@pytest.mark.parametrize("row", [0, 1, 2, slice(None)])
def test_mlflow_answers_for_rows_as_a_file_has_them_whatever_pandas_makes_of_them(mixed, row):
    """Of one row alone, a gap makes a column of numbers, and a digit no text."""
    first, *lines = FILE.splitlines()
    some = lines[row] if isinstance(row, slice) else [lines[row]]
    table = pd.read_csv(io.StringIO("\n".join([first, *some])))
    answers = [1.0, 2.0, 3.0][row]
    assert mixed.predict(table).tolist() == np.ravel(answers).tolist()


def test_mlflow_answers_for_rows_in_json_as_its_server_reads_them(mixed):
    row = {
        "age": None,
        "paid": None,
        "day": None,
        "colour": None,
        "class": "second",
        "deck": "A",
        "note": "b",
    }
    for records in (
        [row | {"stops": 4}],
        [row | {"stops": 4}, row | {"paid": False, "stops": "4", "other": 1}],
    ):
        body = {"dataframe_records": records}
        table = scoring_server.infer_and_parse_data(body, mixed.metadata.get_input_schema())
        assert mixed.predict(table).tolist() == [2.0] * len(records)


def test_mlflow_answers_for_the_example_and_for_rows_without_what_may_be_missing(mixed):
    assert mixed.predict(mixed.input_example).tolist() == [1, 2, 3]
    assert mixed.input_example["day"].tolist()[::2] == ["02.01.1970", "01.01.1970"]
    needed = {"class": ["second"], "deck": ["A"], "note": ["b"], "stops": [4]}
    assert mixed.predict(pd.DataFrame(needed)).tolist() == [2]
    moment = pd.DataFrame({**needed, "day": [pd.Timestamp("1970-01-01")], "paid": [np.True_]})
    assert mixed.predict(moment).shape == (1,)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"stops": "many"}, "row 1, column stops is 'many', no finite number"),
        ({"stops": None}, "row 1, column stops is empty"),
        ({"class": None}, "row 1, column class is empty"),
        ({"day": "1970-01-02"}, "row 1, column day is '1970-01-02', no date or time of the form %d.%m.%Y"),
        ({"paid": 2}, "row 1, column paid is 2, neither true nor false"),
    ],
)
def test_mlflow_refuses_a_field_that_its_column_does_not_take(mixed, changes, sentence):
    row = {"paid": True, "day": "01.01.1970", "class": "second", "deck": "A", "note": "b", "stops": 4}
    with pytest.raises(ValueError, match=re.escape(sentence)):
        mixed.predict(pd.DataFrame([row | changes]))


def test_the_signature_says_text_where_nothing_else_can_come_and_what_may_be_missing(mixed):
    said = {column.name: (str(column.type), column.required) for column in mixed.metadata.signature.inputs}
    assert said == {
        "age": ("Any", False),
        "paid": ("Any", False),
        "day": ("Any", False),
        "colour": ("Any", False),
        "class": ("DataType.string", True),
        "deck": ("Any", True),
        "note": ("DataType.string", True),
        "stops": ("Any", True),
    }
    described = mixed.metadata.metadata["spec"]["columns"]
    assert [(one["name"], one["kind"]) for one in described] == [
        (one["name"], one.get("kind", "number")) for one in COLUMNS
    ]
    assert described[3]["categories"] == ["red", "blue"]
    assert not any("vocabulary" in one for one in described)


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


def test_mlflow_asks_what_makes_images_by_seeds(keras, tmp_path):
    noise = keras.Input((4,), name="noise")
    file = saved.save_keras(keras.Model(noise, keras.layers.Reshape((2, 2, 1))(noise)), tmp_path)
    spec = make_spec("images").asked("example")
    metadata = SimpleNamespace(file=file.name, sha256=data.file_hash(file), target="example")
    registry.package(tmp_path / "package", file, spec, metadata, pd.DataFrame({"seed": [0, 1]}))
    asked = mlflow.pyfunc.load_model(str(tmp_path / "package"))
    made = asked.predict(pd.DataFrame({"seed": [7, 8]}))
    assert np.array_equal(made.reshape(2, 4), network.noise([7, 8], 4))
    with pytest.raises(ValueError, match=r"the seed 1\.5 is no whole number"):
        asked.predict(pd.DataFrame({"seed": [1, 1.5]}))


def test_mlflow_asks_what_writes_by_seeds_and_prompts(keras, tmp_path):
    text, character = keras.Input((), dtype="string"), keras.Input((1,), dtype="int32", name="character")
    encode = keras.layers.TextVectorization(vocabulary=["a"], standardize="lower", split="character")
    state, likely = keras.Input((1,)), keras.layers.Embedding(3, 2, weights=[np.tile([[0, 1]], (3, 1))])
    bits = keras.ops.cast(encode(text), "float32")
    model = keras.Model([text, character, state], [bits, likely(character)[:, 0], state])
    file = saved.save_keras(model, tmp_path)
    spec = make_spec("text").asked("text")
    metadata = SimpleNamespace(file=file.name, sha256=data.file_hash(file), target="text")
    examples = pd.DataFrame({"seed": [0], "prompt": [None]})
    registry.package(tmp_path / "package", file, spec, metadata, examples)
    asked = mlflow.pyfunc.load_model(str(tmp_path / "package"))
    told = asked.predict(pd.DataFrame({"seed": [7, 8], "prompt": ["a", ""]}))
    assert told[0].tolist() == ["a" * network.WRITTEN] * 2
    assert asked.predict(pd.DataFrame({"seed": [7]}))[0].tolist() == ["a" * network.WRITTEN]
