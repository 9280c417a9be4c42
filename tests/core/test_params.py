import pytest

from evermodel.core import params
from tests.settings import put, refusal


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_file_that_is_not_there_says_where_to_run():
    assert "params.yaml is not here; run this command in the root" in refusal(params.read, params.FILE)


@pytest.mark.parametrize("content", [b"profile: [", b"a: b: c", b"\xff\xfe", b"profile: \x00"])
def test_a_file_that_is_not_yaml_is_refused(content):
    params.FILE.write_bytes(content)
    assert "params.yaml is not valid YAML: " in refusal(params.read, params.FILE)


@pytest.mark.parametrize("content", ["", "- profile", "profile"])
def test_a_file_that_is_not_a_mapping_is_refused(content):
    params.FILE.write_text(content)
    assert "params.yaml must hold keys" in refusal(params.read, params.FILE)


@pytest.mark.parametrize(("profile", "epochs", "units"), [("full", 15, [64, 32]), ("sample", 7, [8])])
def test_what_differs_between_the_profiles_stands_at_the_value(profile, epochs, units):
    values = {
        "train": {"epochs": {"full": 15, "sample": 7}, "batch": 32},
        "layers": [{"units": {"full": [64, 32], "sample": [8]}}],
    }
    expected = {"train": {"epochs": epochs, "batch": 32}, "layers": [{"units": units}]}
    assert params.for_profile(values, profile) == expected


def test_a_value_for_one_profile_alone_stays_as_it_is():
    assert params.for_profile({"epochs": {"sample": 7}}, "full") == {"epochs": {"sample": 7}}


@pytest.mark.parametrize("name", ["other", None])
def test_a_folder_whose_file_has_another_name_is_refused(folder, name):
    put("experiments/mine", {"name": name}, {})
    sentence = refusal(params.of_folder, folder / "experiments/mine", "full")
    assert f"experiments/mine/params.yaml: name is {name!r}" in sentence
    assert "mine" in sentence.partition(";")[2]


def test_the_values_of_a_folder_are_those_of_the_profile(folder):
    put("data/mine", {"name": "mine", "rows": {"full": 9, "sample": 2}}, {})
    assert params.of_folder(folder / "data/mine", "sample") == {"name": "mine", "rows": 2}
