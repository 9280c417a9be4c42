import pytest

from evermodel.datasets import dataset
from tests.settings import DATASET, MISSING, put, refusal

WRONG_VALUES = [
    ("classes", [True], "quotes"),
    ("expect.ranges", {"MEDV": [50, 5]}, "MEDV is [50.0, 5.0]"),
    ("duplicates", 1.0, "less than 1"),
    ("split.method", "random", "'shuffle'"),
    ("split.test", 0, "greater than 0"),
    ("split.validation", 0, "greater than 0"),
    ("split.validation", MISSING, "missing"),
    ("split.groups", "label", "list"),
    ("split.vals", 1, "groups, method, seed, test, validation"),
    ("expect.min_rows", 0, "greater than or equal to 1"),
    ("expect.rows", 1, "min_rows"),
    ("expect.shape", [28], "missing"),
    ("expect.rejected", 1.0, "less than 1"),
    ("expect", MISSING, "missing"),
    ("window", 1, "greater than or equal to 2"),
    ("windows", 1, "window"),
    ("targets", {"age": [0]}, "missing"),
    ("targets", {"age": [100, 0]}, "lower"),
    ("source", "../houses", "keys with values"),
    ("source.reeder", "table", "reader"),
]


@pytest.fixture
def changed(tmp_path, monkeypatch):
    """A function that loads a data set with other values, by their paths."""
    monkeypatch.chdir(tmp_path)

    def change(**values):
        put("data/houses", DATASET, values)
        return dataset.load("houses", "sample")

    return change


def refused(changed, **values):
    """The sentence about a data set with those values."""
    sentence = refusal(lambda: changed(**values))
    assert sentence.startswith("data/houses/params.yaml: ")
    return sentence.removeprefix("data/houses/params.yaml: ")


def test_a_data_set_says_no_more_than_it_must(changed):
    found = changed(target=MISSING)
    assert (found.target, found.targets, found.window, found.split.groups) == ("label", {}, None, ())
    assert (found.expect.rejected, found.expect.ranges) == (0, {"MEDV": (5, 50)})


def test_targets_keep_the_order_of_the_file_and_their_ranges(changed):
    targets = changed(targets={"age": [0, 100], "gender": [0, 1]}).targets
    assert list(targets.items()) == [("age", (0, 100)), ("gender", (0, 1))]


def test_names_that_look_like_numbers_are_names(changed):
    found = changed(target=2019, classes=[0, 1], **{"expect.ranges": {1: [0, 5]}})
    assert (found.target, found.classes, list(found.expect.ranges)) == ("2019", ("0", "1"), ["1"])


@pytest.mark.parametrize(("path", "value", "expected"), WRONG_VALUES)
def test_a_wrong_key_is_refused_with_its_full_path(changed, path, value, expected):
    sentence = refused(changed, **{path: value})
    assert sentence.startswith(path)
    assert expected in sentence


@pytest.mark.parametrize(
    ("method", "share"), [("predefined", 0.2), ("time", 0.2), ("shuffle", MISSING), ("order", MISSING)]
)
def test_a_share_of_test_rows_is_given_only_where_the_source_declares_none(changed, method, share):
    sentence = refused(changed, **{"split.method": method, "split.test": share})
    assert sentence.startswith("split needs 'test'")


@pytest.mark.parametrize("method", ["predefined", "time"])
def test_rows_can_not_be_grouped_where_the_source_declares_the_split(changed, method):
    split = {"method": method, "validation": 0.1, "groups": ["label"]}
    assert refused(changed, split=split).startswith("split can't have 'groups'")


def test_a_data_set_that_does_not_exist_is_told_with_those_that_do(changed):
    changed()
    assert refusal(dataset.load, "nowhere", "sample").endswith("the data sets are houses")
