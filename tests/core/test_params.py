import math
import re

import pytest
from dvc_data.hashfile.meta import Meta

from evermodel.core import params
from tests.settings import put, refusal


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_file_that_is_not_there_says_where_to_run():
    assert "params.yaml is not here; run this command in the root" in refusal(params.read, params.FILE)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"profile: [", "is not valid YAML: line 2: "),
        (b"a: b: c", "is not valid YAML: line 1: "),
        (b"profile: \x00", "is not valid YAML: "),
        (b"a: 1\n---\nb: 2", "is not valid YAML: "),
        (b"a:\n\tb: 1", "is not valid YAML: line 2: .*spaces"),
        (b"a: 1\nb: {c: 1, c: 2}", "is not valid YAML: line 2: the key c stands there twice"),
        (b"1: a\n'1': b", "is not valid YAML: line 2: the key 1 stands there twice"),
        (b"a: \xe4", "UTF-8"),
        (b"\xff\xfea\x00", "UTF-8"),
    ],
)
def test_a_file_that_is_not_yaml_is_refused_with_its_line(content, told):
    params.FILE.write_bytes(content)
    assert re.match(f"params.yaml .*{told}", refusal(params.read, params.FILE))


def test_a_mark_at_the_beginning_that_an_editor_of_windows_writes_is_no_part_of_a_key():
    params.FILE.write_bytes(b"\xef\xbb\xbfa: 1")
    assert params.read(params.FILE) == {"a": 1}


@pytest.mark.parametrize(
    ("written", "value"),
    [
        *[(word, word) for word in ("yes", "no", "on", "off", "Yes", "NO", "y", "n")],
        *[(text, text) for text in ("007", "0x1F", "1_000", "+5", "-0", "12:30:00", "=")],
        *[("true", True), ("False", False), ("0", 0), ("-12", -12), ("~", None), ("", None)],
        *[("1e-3", 0.001), ("1.5e3", 1500.0), (".5", 0.5), ("1.", 1.0), ("-.inf", -math.inf)],
        *[("'1'", "1"), ("30 4 * * 1", "30 4 * * 1")],
    ],
)
def test_a_value_is_what_it_looks_like(written, value):
    params.FILE.write_text(f"a: {written}\nb: {{{written}: 1}}\n" if value is not None else f"a: {written}")
    found = params.read(params.FILE)
    assert found["a"] == value
    assert type(found["a"]) is type(value)
    assert list(found.get("b", {value: 1})) == [value]


@pytest.mark.parametrize("date", ["2020-01-31", "2020-01-31 12:30:00", "2020-01-31T12:30:00Z"])
def test_a_date_needs_quotes_since_dvc_keeps_none_without(date):
    params.FILE.write_text(f"a: 1\nb: {{c: {date}}}\n")
    assert f"line 2: the date {date} has no quotes" in refusal(params.read, params.FILE)
    params.FILE.write_text(f'b: "{date}"\n')
    assert params.read(params.FILE) == {"b": date}


def test_what_stands_in_several_places_may_be_merged():
    params.FILE.write_text("a: &some {b: 1}\nc: {<<: *some, d: 2}")
    assert params.read(params.FILE)["c"] == {"b": 1, "d": 2}


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


@pytest.mark.parametrize("name", params.BLIND)
def test_a_key_that_dvc_is_blind_to_is_refused_where_others_name_the_keys(folder, name):
    for values, path in [
        ({"options": {name: 3}}, "options"),
        ({"source": {"editions": [{"options": {name: 3}}]}}, "source.editions.0.options"),
    ]:
        put("data/mine", {"name": "mine", **values}, {})
        assert f"data/mine/params.yaml: {path}.{name} " in refusal(
            params.of_folder, folder / "data/mine", "full"
        )


def test_a_column_may_be_called_size(folder):
    put("data/mine", {"name": "mine", "expect": {"ranges": {"size": [0, 1]}}}, {})
    assert params.of_folder(folder / "data/mine", "full")["expect"] == {"ranges": {"size": [0, 1]}}


def test_what_dvc_is_blind_to_is_what_it_calls_facts_about_files():
    assert set(params.BLIND) == {Meta.PARAM_SIZE, Meta.PARAM_NFILES}
