"""What a form may change about a run."""

import json
from pathlib import Path

import pytest
import yaml

from evermodel import repository
from evermodel.core.errors import EvermodelError
from evermodel.scheduling import settings
from evermodel.scheduling.settings import Scoring, Settings

SHARED = "profile: sample # the switch\nruntime:\n  seed: 42\n"
TEXT = """\
dataset: some
train: {epochs: {full: 10, sample: 2}, rate: 0.1} # as tried
options:
  full: {width: 8}
  sample: {width: 4}
"""


@pytest.fixture
def one(tmp_path, monkeypatch):
    """The file of an experiment called "one", in a repository of its own."""
    monkeypatch.chdir(tmp_path)
    Path("params.yaml").write_text(SHARED)
    file = Path("experiments/one/params.yaml")
    file.parent.mkdir(parents=True)
    file.write_text(TEXT)
    return file


def override(*overrides, **others):
    settings.apply(Settings(overrides=overrides, **others))


def test_an_override_changes_one_value_and_keeps_the_comments(one):
    override("experiments.one.train.rate=0.5")
    assert one.read_text() == TEXT.replace("0.1", "0.5")
    override("runtime.seed=7")
    assert Path("params.yaml").read_text() == SHARED.replace("42", "7")


def test_a_value_takes_the_place_of_that_of_both_profiles(one):
    override("experiments.one.train.epochs=3")
    assert yaml.safe_load(one.read_text())["train"] == {"epochs": 3, "rate": 0.1}
    assert "# as tried" in one.read_text()


@pytest.mark.parametrize(("profile", "old", "new"), [("sample", "4", "5"), ("full", "8", "5")])
def test_in_a_section_of_both_profiles_the_one_is_changed_that_the_run_has(one, profile, old, new):
    override("experiments.one.options.width=5", profile=profile)
    assert one.read_text() == TEXT.replace(f"width: {old}", f"width: {new}")
    assert yaml.safe_load(Path("params.yaml").read_text())["profile"] == profile


def test_a_value_is_yaml_and_may_be_new(one):
    override("experiments.one.train.units=[1, 2]")
    assert yaml.safe_load(one.read_text())["train"]["units"] == [1, 2]


@pytest.mark.parametrize(
    "wrong",
    [
        "experiments.two.train.epochs=3",
        "experiments.one/.dataset=other",
        "experiments./proc/self/cwd/experiments/one.dataset=other",
        "experiments.one.dataset.x=3",
        "data.one.split.seed=3",
        "profile.x=3",
        "nowhere.x=1",
    ],
)
def test_an_override_in_a_section_that_is_not_there_is_rejected(one, wrong):
    with pytest.raises(EvermodelError, match=wrong):
        override(wrong)
    assert (one.read_text(), Path("params.yaml").read_text()) == (TEXT, SHARED)


def test_an_override_that_is_not_yaml_is_rejected(one):
    with pytest.raises(EvermodelError, match=r"experiments\.one\.train\.rate=\[1"):
        override("experiments.one.train.rate=[1")


def test_settings_are_checked_like_any_params(workspace):
    name = next(iter(sorted(file.parent.name for file in Path("experiments").glob("*/params.yaml"))))
    override(f"experiments.{name}.schedule={{retries: 4}}", profile="full")
    known = repository.load()
    assert (known.profile, known.experiment(name).schedule.retries) == ("full", 4)
    override(f"experiments.{name}.schedule.retries=-1")
    with pytest.raises(EvermodelError, match=rf"{name}/params\.yaml.*schedule\.retries"):
        repository.load()


def test_a_run_without_settings_changes_nothing(workspace):
    before = {file: file.read_bytes() for file in workspace.rglob("*.yaml")}
    settings.apply(Settings())
    assert {file: file.read_bytes() for file in workspace.rglob("*.yaml")} == before
    assert settings.changes(Settings()) == ()


@pytest.mark.parametrize("text", ["", "[]", '{"profile": "tiny"}', '{"what": 1}', '{"force": "perhaps"}'])
def test_settings_that_are_none_are_rejected_in_one_line(text):
    with pytest.raises(EvermodelError, match="EVERMODEL_SETTINGS") as error:
        settings.parse(text, Settings)
    assert "\n" not in str(error.value)


def test_what_a_run_changes_is_told():
    chosen = settings.parse('{"profile": "full", "overrides": ["a.b=1"]}', Settings)
    assert settings.changes(chosen) == ("profile=full", "a.b=1")


@pytest.mark.parametrize(
    ("override", "touched"),
    [
        ("experiments.one.train.epochs=3", False),
        ("experiments.one.train={epochs: 3}", False),
        ("experiments.one.options={noise: 0.01}", True),
        ("experiments.one.training.epochs=3", True),
        ("experiments.one.promotion.floor=0", True),
        ("experiments.one.baseline=constant", True),
        ("experiments.two.promotion.floor=0", False),
        ("data.some.split.seed=1", True),
        ("data.other.split.seed=1", False),
        ("runtime.seed=7", True),
    ],
)
def test_only_what_makes_a_model_may_be_set_by_a_form_that_promotes_it(override, touched):
    chosen = Settings(profile="full", overrides=(override,))
    assert settings.judging(chosen, "one", "some") == ((override,) if touched else ())


def test_what_the_form_left_empty_is_not_set():
    empty = '{"experiments": null, "commit": null, "force": false, "overrides": null}'
    assert settings.parse(empty, Settings) == Settings()


@pytest.mark.parametrize(
    ("given", "fault"),
    [
        ({"experiment": "unet", "inputs": "here", "out": "/o"}, "inputs.*has to begin with /"),
        ({"experiment": "unet", "inputs": "/i", "out": "o.parquet"}, "out.*has to begin with /"),
        ({"experiment": "unet", "inputs": "/i"}, "out.*required"),
        ({"experiment": "unet", "inputs": "/i", "out": "/o", "force": True}, "force.*not permitted"),
    ],
)
def test_a_scoring_without_two_whole_paths_is_rejected(given, fault):
    with pytest.raises(EvermodelError, match=f"EVERMODEL_SETTINGS.*{fault}"):
        settings.parse(json.dumps(given), Scoring)
