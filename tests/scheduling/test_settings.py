"""What a form may change about a run."""

import json

import pytest
import yaml

from evermodel.core import params
from evermodel.core.errors import EvermodelError
from evermodel.scheduling import settings
from evermodel.scheduling.settings import Settings

TEXT = """\
profile: sample # the switch
experiments:
  one:
    train: {epochs: 10, rate: 0.1, sample: {epochs: 2}}
"""


def test_an_override_changes_one_value_and_keeps_the_comments():
    assert settings.overridden(TEXT, ("experiments.one.train.rate=0.5",)) == TEXT.replace("0.1", "0.5")


def test_in_the_sample_profile_the_value_of_the_sample_is_changed():
    override = ("experiments.one.train.epochs=3",)
    assert settings.overridden(TEXT, override) == TEXT.replace("epochs: 2", "epochs: 3")
    full = TEXT.replace("profile: sample", "profile: full")
    assert settings.overridden(full, override) == full.replace("epochs: 10", "epochs: 3")


def test_a_value_is_yaml_and_may_be_new():
    changed = settings.overridden(TEXT, ("experiments.one.train.units=[1, 2]",))
    assert yaml.safe_load(changed)["experiments"]["one"]["train"]["units"] == [1, 2]


@pytest.mark.parametrize("override", ["experiments.two.train.epochs=3", "profile.x=3", "nowhere.x=1"])
def test_an_override_in_a_section_that_is_not_there_is_refused(override):
    with pytest.raises(EvermodelError, match="which is no section of params"):
        settings.overridden(TEXT, (override,))


def test_an_override_that_is_not_yaml_is_refused():
    with pytest.raises(EvermodelError, match="is not valid YAML"):
        settings.overridden(TEXT, ("experiments.one.train.rate=[1",))


def test_settings_are_written_and_checked_like_any_params(workspace):
    settings.apply(Settings(profile="full", overrides=("experiments.fashion_cnn.train.epochs=3",)))
    values = params.load()
    assert (values.profile, values.experiment("fashion_cnn").train.epochs) == ("full", 3)
    with pytest.raises(EvermodelError, match=r"experiments.fashion_cnn.train.epochs is 0"):
        settings.apply(Settings(overrides=("experiments.fashion_cnn.train.epochs=0",)))


def test_a_run_without_settings_changes_nothing(workspace):
    before = params.FILE.read_bytes()
    settings.apply(Settings())
    assert params.FILE.read_bytes() == before
    assert settings.changes(Settings()) == []


@pytest.mark.parametrize("text", ["", "[]", '{"profile": "tiny"}', '{"what": 1}', '{"force": "perhaps"}'])
def test_settings_that_are_none_are_refused_in_one_line(text):
    with pytest.raises(EvermodelError, match="EVERMODEL_SETTINGS is wrong") as error:
        settings.parse(text)
    assert "\n" not in str(error.value)


def test_what_a_run_changes_is_told():
    chosen = settings.parse('{"profile": "full", "overrides": ["a.b=1"]}')
    assert settings.changes(chosen) == ["profile=full", "a.b=1"]


def test_what_the_form_left_empty_is_not_set():
    empty = '{"experiments": null, "commit": null, "force": false, "overrides": null}'
    assert settings.parse(empty) == Settings()


@pytest.mark.parametrize(
    ("given", "fault"),
    [
        ({"experiment": "unet", "inputs": "here", "out": "/o"}, "inputs.*has to begin with /"),
        ({"experiment": "unet", "inputs": "/i", "out": "o.parquet"}, "out.*has to begin with /"),
        ({"experiment": "unet", "inputs": "/i"}, "out.*required"),
        ({"experiment": "unet", "inputs": "/i", "out": "/o", "force": True}, "force.*not permitted"),
    ],
)
def test_a_scoring_without_two_whole_paths_is_refused(given, fault):
    with pytest.raises(EvermodelError, match=f"EVERMODEL_SETTINGS is wrong: .*{fault}"):
        settings.parse_scoring(json.dumps(given))
