import ast
import importlib
import inspect
from collections.abc import Mapping, Sequence
from typing import Any, Literal, get_args, get_type_hints

import pytest

import evermodel.models
from evermodel.core import catalog
from evermodel.core.errors import EvermodelError
from evermodel.core.terms import ImageOptions, Mode, TableFiles
from tests.settings import refusal


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A function that writes a file into a package of its own."""
    monkeypatch.setattr(catalog, "PACKAGE", tmp_path)

    def write(text, file="models/mine.py"):
        (tmp_path / file).parent.mkdir(exist_ok=True)
        (tmp_path / file).write_bytes(text if isinstance(text, bytes) else text.encode())

    return write


def test_every_model_reader_and_task_on_offer_can_be_asked_for_its_options_and_metrics():
    assert all(isinstance(catalog.options(model), dict) for model in catalog.modules("models"))
    assert all(isinstance(catalog.reader_options(reader), dict) for reader in catalog.modules("readers"))
    assert all(
        set(catalog.headlines(task).values()) <= {"higher", "lower"} for task in catalog.modules("tasks")
    )
    assert all(set(catalog.across(task)) <= set(catalog.headlines(task)) for task in catalog.modules("tasks"))
    assert catalog.across("binary") == ("average_precision", "roc_auc")
    counted = {task: catalog.counted(task) for task in catalog.modules("tasks")}
    assert all(set(names) <= set(catalog.headlines(task)) for task, names in counted.items())
    assert catalog.counted("binary") == ("balanced_accuracy", "f1")
    assert catalog.across("regression") == ()


@pytest.mark.parametrize(
    ("imports", "expected"),
    [
        ("import keras", "keras"),
        ("import keras.layers", "keras"),
        ("from keras import layers", "keras"),
        ("from keras.layers import Dense\nfrom sklearn.base import BaseEstimator", "keras"),
        ("from sklearn.svm import SVC", "sklearn"),
        ("import math\nimport sklearn.svm as svm", "sklearn"),
    ],
)
def test_what_a_model_is_written_in_is_read_from_its_imports(package, imports, expected):
    given = ", ".join(catalog.GIVEN[expected])
    package(f"{imports}\ndef build({given}): ...")
    assert catalog.framework("mine") == expected
    assert catalog.options("mine") == {}


def test_options_say_which_of_them_must_be_given():
    assert catalog.options("mlp") == {"units": True, "dropout": False, "batch_norm": False}
    assert catalog.reader_options("image_pairs") == {
        "archive": True,
        "images": True,
        "masks": True,
        "mode": False,
        "shape": False,
        "fit": False,
        "tile": False,
        "values": False,
        "ignore": False,
    }


def test_options_that_readers_share_are_those_of_a_typed_dict(package):
    package(
        "def read(folder, *, date: str, key: str = '', **options: Unpack[ImageOptions]): ...",
        "readers/mine.py",
    )
    found = catalog.reader_options("mine")
    assert [option for option, needed in found.items() if needed] == ["date", "archive"]
    assert set(found) == {"date", "key", *ImageOptions.__annotations__}


def test_options_of_a_reader_have_types_without_its_libraries(package):
    package(
        "import not_there\ndef read(folder, *, mode: Mode = 'L', shape: Sequence[int] | None = None, "
        "splits: Mapping[Literal['train', 'test'], str], odd: ImageOptions, names: tuple[str, ...], "
        "own: not_there.Thing, wrong: 3 | None = 3, **options: Unpack[TableFiles]): ...",
        "readers/mine.py",
    )
    assert catalog.reader_kinds("mine") == {
        "mode": Mode,
        "shape": Sequence[int] | None,
        "splits": Mapping[Literal["train", "test"], str],
        "odd": ImageOptions,
        "names": tuple[str, ...],
        "own": Any,
        "wrong": Any,
        **get_type_hints(TableFiles),
    }


@pytest.mark.parametrize("reader", ["image_archive", "image_pairs", "series", "table", "texts"])
def test_what_anybody_s_data_is_read_by_tells_the_types_of_all_its_options(reader):
    assert Any not in catalog.reader_kinds(reader).values()


@pytest.mark.parametrize("reader", ["table", "series", "image_archive"])
def test_what_is_read_of_shared_options_is_what_the_reader_itself_takes(reader):
    read = importlib.import_module(f"evermodel.readers.{reader}").read
    (name,) = (one.name for one in inspect.signature(read).parameters.values() if one.kind is one.VAR_KEYWORD)
    (shared,) = get_args(get_type_hints(read)[name])
    found = catalog.reader_options(reader)
    assert shared.__required_keys__ <= {option for option, needed in found.items() if needed}
    assert shared.__optional_keys__ <= {option for option, needed in found.items() if not needed}


def test_options_have_the_types_of_their_annotations(package):
    package(
        "import keras\ndef build(a, b, c, *, flag: bool, units: Sequence[int], size: int | None = None, "
        "rate: float | Sequence[float] = 0.0, other=1): ..."
    )
    expected = {"flag": bool, "units": Sequence[int], "size": int | None, "rate": Any}
    expected["other"] = Any  # without an annotation it is an option all the same
    assert catalog.kinds("mine") == expected


def test_where_pretrained_weights_lie_is_no_option():
    assert "base" in catalog.options("transfer")
    assert "weights" not in catalog.options("transfer")
    assert catalog.takes_weights("transfer")
    assert not catalog.takes_weights("mlp")


@pytest.mark.parametrize(
    "signature",
    [
        "input_shape, outputs, activation, *, units",
        "shape, outputs, activation, /, *, units",
        "x: int, y: 'int', z: str | None = None, *, units",
    ],
)
def test_what_is_given_by_position_may_be_called_anything(package, signature):
    package(f"import keras\ndef build({signature}): ...")
    assert catalog.options("mine") == {"units": True}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "keras"),
        ("import numpy", "keras"),
        ("import keras\ndef build(x:\n", "line 2"),
        (b"import keras\nx = '\xff'", "mend"),
        ("import keras\x00", "mend"),
        ("import keras", "no function build"),
        ("import keras\nbuild = lambda shape, outputs, activation: None", "no function build"),
        ("import keras\nclass build: ...", "no function build"),
        ("import keras\ndef build(input_shape, outputs, activation, units): ...", "line 2"),
        ("import keras\ndef build(input_shape, outputs, activation, units=3): ...", "activation, *"),
        ("import keras\ndef build(input_shape, *, units=3): ...", "outputs, activation, *"),
        ("import keras\ndef build(input_shape, outputs, activation, *units): ...", "activation, *"),
        ("import keras\ndef build(input_shape, outputs, activation, **options): ...", "activation, *"),
        ("import sklearn\ndef build(input_shape, outputs, activation): ...", "input_shape, target, *"),
        ("import sklearn\ndef build(): ...", "input_shape, target, *"),
        ("import keras\nimport nowhere_to_be_found", "line 2 imports nowhere_to_be_found"),
        (
            "import keras\ndef build(a, b, c):\n    from no_such.thing import x",
            "line 3 imports no_such.thing",
        ),
        ("import keras\nfrom evermodel.models import mlp", "line 2 imports evermodel.models"),
        ("import keras\nfrom . import mlp", "line 2 imports ."),
        ("import keras\nfrom .mlp import build", "line 2 imports .mlp"),
    ],
)
def test_a_file_that_is_no_model_is_told_in_one_sentence(package, text, told):
    package(text)
    sentence = refusal(catalog.options, "mine")
    assert refusal(catalog.framework, "mine") == sentence
    assert sentence.startswith("src/evermodel/models/mine.py")
    assert told in sentence


@pytest.mark.parametrize(
    "text",
    [
        "",
        "def read(folder, separator): ...",
        "def read(folder, **options): ...",
        "def read(folder, **options: Unpack[Nothing]): ...",
        "def read(folder, **options: Unpack[Mode]): ...",
        "def read(folder, **options: TableFiles): ...",
    ],
)
def test_a_file_that_is_no_reader_is_told_in_one_sentence(package, text):
    package(text, "readers/mine.py")
    assert refusal(catalog.reader_options, "mine").startswith("src/evermodel/readers/mine.py")


def test_a_task_without_metrics_is_told_in_one_sentence(package):
    package("", "tasks/mine.py")
    assert refusal(catalog.headlines, "mine").startswith("src/evermodel/tasks/mine.py")


def test_what_a_file_has_to_look_like_is_said_in_python(package):
    package("import keras")
    advice = refusal(catalog.options, "mine").split("`")[1]
    ast.parse(f"{advice.replace('…', 'units')}: ...")


def test_a_model_whose_file_can_not_be_imported_is_told_in_a_sentence(tmp_path, monkeypatch):
    monkeypatch.setattr(evermodel.models, "__path__", [str(tmp_path)])
    (tmp_path / "mine_unfit.py").write_text("import sklearn.nothing\n")
    with pytest.raises(EvermodelError, match=r"models/mine_unfit\.py .*Error: .*'sklearn\.nothing'"):
        catalog.builder("mine_unfit")


def test_what_a_task_is_asked_by_is_read_from_its_objective():
    assert catalog.asked("quantile") == {"quantile": float}
    assert catalog.asked("regression") == catalog.asked("binary") == {}
