import pandas as pd
import pytest

from evermodel.datasets import dataset
from tests.settings import DATASET, MISSING, put, refusal
from tests.specs import make_dataset

WRONG_VALUES = [
    ("classes", [True], "quotes"),
    ("expect.ranges", {"MEDV": [50, 5]}, "MEDV is [50.0, 5.0]"),
    ("duplicates", 1.0, "less than 1"),
    ("split.method", "random", "'shuffle'"),
    ("split.test", 0, "greater than 0"),
    ("split.validation", 0, "greater than 0"),
    ("split.validation", MISSING, "missing"),
    ("split.groups", "label", "list"),
    (
        "split.vals",
        1,
        "group_features, groups, key, method, seed, stratify, test, test_from, time, validation",
    ),
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


@pytest.mark.parametrize(("method", "share"), [("predefined", 0.2), ("shuffle", MISSING), ("order", MISSING)])
def test_a_share_of_test_rows_is_given_only_where_the_source_declares_none(changed, method, share):
    sentence = refused(changed, **{"split.method": method, "split.test": share})
    assert sentence.startswith("split needs 'test'")


@pytest.mark.parametrize("rule", [{"method": "time", "test": 0.2}, {"method": "shuffle", "test": 0.2}])
def test_the_first_date_of_the_test_goes_with_time_alone_and_with_no_share(changed, rule):
    split = {"validation": 0.1, "test_from": "2024-01-31"}
    assert refused(changed, split=split | rule).startswith("split has 'test_from'")


@pytest.mark.parametrize("method", ["predefined", "time"])
def test_rows_can_not_be_grouped_where_the_source_declares_the_split(changed, method):
    split = {"method": method, "validation": 0.1, "groups": ["label"]}
    assert refused(changed, split=split).startswith("split can't have 'groups'")


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"split.group_features": True}, "'group_features' without 'groups'"),
        ({"split.stratify": True, "split.groups": ["label"]}, "can't 'stratify' groups"),
        ({"split.stratify": True, "split.method": "order"}, "can't 'stratify' groups, or rows in order"),
        ({"classes": ["lo", "hi"]}, "has classes, and a range of MEDV in 'expect'"),
        ({"target": "label", "classes": ["a"], "novel": ["b"]}, "has 'b' in 'novel'"),
    ],
)
def test_what_does_not_go_together_is_refused(changed, changes, told):
    assert told in refused(changed, **changes)


def test_labels_are_text_and_numbers_of_classes_go_by_their_names(changed):
    named = changed(target="label", classes=["cat", "dog"])
    assert named.labels(pd.Series(["dog", "cat"])).tolist() == ["dog", "cat"]
    assert named.labels(pd.Series([1, 0, 7])).tolist() == ["dog", "cat", "7"]
    assert named.labels(pd.Series(["1", "0"])).tolist() == ["dog", "cat"]
    swapped = changed(target="label", classes=["1", "0"])
    assert swapped.labels(pd.Series(["1", "0"])).tolist() == ["1", "0"], "a name is not taken for a number"
    assert changed(target="label").labels(pd.Series(["01", "1"])).tolist() == ["01", "1"]


def test_features_are_the_columns_that_neither_answer_nor_identify_nor_group(changed):
    columns = pd.DataFrame(columns=["id", "patient", "age", "MEDV"])
    split = {"method": "shuffle", "test": 0.2, "validation": 0.1, "groups": ["patient"]}
    assert changed(drop=["id"], split=split).features(columns) == ["age"]
    assert changed(drop=["id"], split=split | {"group_features": True}).features(columns) == [
        "patient",
        "age",
    ]


def test_a_data_set_that_does_not_exist_is_told_with_those_that_do(changed):
    changed()
    assert refusal(dataset.load, "nowhere", "sample").endswith("the data sets are houses")


def test_a_column_called_split_is_a_feature_unless_it_declares_the_split(changed):
    columns = pd.DataFrame(columns=["split", "date", "MEDV"])
    shuffled = changed(split={"method": "shuffle", "test": 0.2, "validation": 0.1})
    assert shuffled.features(columns) == ["split", "date"]
    assert changed(split={"method": "predefined", "validation": 0.1}).features(columns) == ["date"]


def test_spark_takes_tables_whose_rows_tell_their_split():
    by_hash = {"method": "hash", "test": 0.2, "validation": 0.1}
    assert make_dataset(split=by_hash, engine="spark").engine == "spark"
    with pytest.raises(ValueError, match=r"set split\.method to hash"):
        make_dataset(split=by_hash | {"method": "shuffle"}, engine="spark")
    with pytest.raises(ValueError, match=r"source\.reader is texts"):
        make_dataset(split=by_hash, engine="spark", source=DATASET["source"] | {"reader": "texts"})
