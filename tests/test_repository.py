"""All files params.yaml together, as every command reads them."""

import math
import shutil
import subprocess
import sys
from copy import deepcopy
from pathlib import Path

import pytest

from evermodel import repository
from evermodel.core import catalog, params
from evermodel.core.errors import EvermodelError
from evermodel.core.section import Section
from evermodel.scheduling.worker import Worker
from tests.settings import DATASET, EXPERIMENT, put, refusal, write

ROOT = Path(__file__).parents[1]
ODD = [
    None,
    True,
    -1,
    1.5,
    math.nan,
    math.inf,
    "",
    "../x",
    "no",
    [],
    [[1]],
    ["a", "a"],
    {},
    {1: 2},
    {"a": {}},
]


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """The current folder has one data set and one experiment."""
    monkeypatch.chdir(tmp_path)
    shutil.copy(ROOT / "params.yaml", tmp_path)
    shutil.copytree(ROOT / "pipelines", tmp_path / "pipelines")
    write()
    shutil.copy("pipelines/dataset.yaml", "data/houses/dvc.yaml")
    shutil.copy("pipelines/experiment.yaml", "experiments/mine/dvc.yaml")
    return tmp_path


def test_the_params_of_this_repository_are_right_and_its_pipelines_are_copies(monkeypatch):
    monkeypatch.chdir(ROOT)
    assert repository.load().experiments
    assert repository.check(()) == []


def test_a_check_imports_nothing_that_takes_time():
    """It is what one runs after each edit."""
    heavy = ("numpy", "pandas", "pyarrow", "sklearn", "keras", "tensorflow", "mlflow", "rich", "psutil")
    code = (
        "import sys; from evermodel import cli; cli.check(['houses', 'mine']); "
        f"print([name for name in {heavy} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.splitlines() == ["houses, mine: right", "[]"], done.stderr


def test_an_experiment_comes_whole_and_says_no_more_than_it_must():
    found = repository.load()
    assert (list(found.datasets), list(found.experiments)) == (["houses"], ["mine"])
    mine = found.experiment("mine")
    assert (mine.train.epochs, mine.promotion.metric, mine.worker, mine.schedule.cron) == (
        2,
        "mae",
        Worker(),
        None,
    )
    assert (mine.train.image_size, mine.train.random_flip, mine.train.fine_tune) == (None, False, None)


def test_the_values_are_those_of_the_profile_and_a_wrong_one_of_the_other_is_refused_too():
    write(**{"train.epochs": {"full": 0, "sample": 2}})
    assert "experiments/mine/params.yaml: train.epochs is 0" in refusal(repository.load)
    write(**{"train.epochs": {"full": 9, "sample": 0}})
    assert "experiments/mine/params.yaml: train.epochs is 0" in refusal(repository.load)


@pytest.mark.parametrize(
    ("path", "value", "expected"),
    [
        ("trains", {}, "train, worker"),
        ("workers", "gpu", "worker"),
        ("worker", "tpu", "'gpu'"),
        ("worker.memory", 32, "32Gi"),
        ("schedule", "daily", "keys with values"),
        ("schedule.crom", "0 0 * * *", "cron"),
        ("promotion.flor", 1, "floor"),
        ("promotion.metric", "auc", "mae"),
        ("promotion.slices.RM", 0, "greater than 0"),
    ],
)
def test_what_no_stage_reads_is_checked_too(path, value, expected):
    write(**{path: value})
    sentence = refusal(repository.load)
    assert sentence.startswith(f"experiments/mine/params.yaml: {path} is ")
    assert expected in sentence
    assert refusal(repository.check, ["mine"]) == sentence


@pytest.mark.parametrize(
    ("key", "value"),
    [("worker", {"full": "gpu", "sample": "cpu"}), ("schedule.cron", {"full": "0 4 * * *", "sample": None})],
)
def test_what_airflow_reads_before_it_knows_the_profile_can_not_depend_on_it(key, value):
    write(**{key: value})
    sentence = refusal(repository.check, ["mine"])
    assert sentence.startswith(
        f"experiments/mine/params.yaml: {key.partition('.')[0]} depends on the profile"
    )


@pytest.mark.parametrize("look", [repository.load, lambda: repository.check(["mine", "houses"])])
def test_what_is_for_another_kind_of_data_is_refused_before_anything_runs(look):
    write(**{"train.random_flip": True})
    sentence = refusal(look)
    assert sentence.startswith("experiments/mine/params.yaml: train.random_flip is for images")
    write()
    put("data/houses", DATASET, {"window": 5})
    assert refusal(look).startswith("data/houses/params.yaml: window is for series")


def paths(values, above=()):
    """The paths of all keys and entries, however deep."""
    inner = values.items() if isinstance(values, dict) else enumerate(values)
    for key, value in inner:
        yield (*above, key)
        if isinstance(value, dict | list):
            yield from paths(value, (*above, key))


@pytest.mark.parametrize("odd", ODD, ids=repr)
@pytest.mark.parametrize(("where", "right"), [("data/houses", DATASET), ("experiments/mine", EXPERIMENT)])
def test_an_odd_value_anywhere_is_taken_or_refused_in_one_sentence_that_names_file_and_key(where, right, odd):
    said = {}
    for *above, last in paths(right):
        values = deepcopy(right)
        holder = values
        for key in above:
            holder = holder[key]
        holder[last] = odd
        put(where, values, {})
        try:
            repository.check([Path(where).name])
        except EvermodelError as error:
            said[*above, last] = str(error)
    assert len(said) > 3
    for (first, *_), sentence in said.items():
        assert sentence.startswith(f"{where}/params.yaml: ")
        assert first in sentence
        assert "\n" not in sentence
        assert len(sentence) < 600  # with the names of all models


def test_a_reader_that_does_not_exist_is_refused_with_the_choices():
    put("data/houses", DATASET, {"source.reader": "nowhere"})
    sentence = refusal(repository.load)
    assert sentence.startswith("data/houses/params.yaml: source.reader is 'nowhere'")
    assert "table" in sentence


@pytest.mark.parametrize("name", ["Fashion", "1st", "with space", "a" * 64, "publish", "houses"])
def test_an_experiment_whose_name_can_not_be_one_is_refused(name):
    put(f"experiments/{name}", EXPERIMENT, {"name": name})
    assert refusal(repository.load).startswith(f"experiments/{name} must get another name")


def test_a_folder_without_a_pipeline_is_refused_and_told_how_to_get_one():
    Path("experiments/mine/dvc.yaml").unlink()
    assert "`cp pipelines/experiment.yaml experiments/mine/dvc.yaml`" in refusal(repository.load)


def test_a_pipeline_of_ones_own_is_allowed_but_told_once_for_all():
    assert repository.check(()) == []
    for file in ("data/houses/dvc.yaml", "experiments/mine/dvc.yaml"):
        Path(file).write_text("stages: {}\n")
    repository.load()
    dataset, experiment = repository.check(())
    assert "`for name in houses; do cp pipelines/dataset.yaml data/$name/dvc.yaml; done`" in dataset
    assert "for name in mine; " in experiment
    assert repository.check(["mine"]) == [experiment]


def test_asking_for_a_name_that_is_not_there_lists_the_choices():
    found = repository.load()
    for ask in (found.experiment, lambda name: found.chosen([name]), lambda name: repository.check([name])):
        sentence = refusal(ask, "nowhere")
        assert "'nowhere'" in sentence
        assert "mine" in sentence.partition("the choices are ")[2]


def test_no_key_of_ours_is_called_as_what_dvc_is_blind_to():
    """To its run cache these are metadata about files, wherever they stand: an edit would retrain nothing."""
    for section in sections(Section):
        assert not set(params.BLIND) & set(section.model_fields), section
    for model in catalog.modules("models"):
        assert not set(params.BLIND) & set(catalog.options(model)), model


def sections(kind):
    """All sections that there are."""
    yield kind
    for below in kind.__subclasses__():
        yield from sections(below)
