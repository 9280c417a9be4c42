"""From raw examples to the one split: what holds of data of any kind; series have a file of their own."""

import numpy as np
import pandas as pd
import pytest

from evermodel.core import data
from evermodel.core.data import Raw
from evermodel.core.errors import EvermodelError
from evermodel.datasets.dataset import Split
from evermodel.preparing import preparing
from evermodel.preparing import split as splitting
from evermodel.preparing.moments import Moments
from evermodel.preparing.split import Facts
from tests.preparing.tables import in_pieces
from tests.specs import make_dataset, make_source

SOURCE = make_source()
ORDER = {"method": "order", "test": 0.25, "validation": 0.2}


def dataset(**values):
    return make_dataset(**{"split": ORDER} | values)


def numbers(rows=20, **columns):
    """Two features and a target, no two rows alike."""
    found = np.arange(rows, dtype=float)
    return pd.DataFrame({"a": found, "b": found**2, "price": found / 7} | columns)


def table(rows=20, **columns):
    return in_pieces(numbers(rows, **columns), max(7, rows // 3))


def texts(words, labels=None):
    labels = np.arange(len(words)) % 2 if labels is None else labels
    return Raw("text", pd.DataFrame({"label": labels}), np.array(words, dtype=object))


@pytest.fixture
def prepared(tmp_path):
    """The spec and the splits as a task with that target sees them."""

    def prepare(raw, predicting: data.Target = "class", **values):
        folder = tmp_path / str(len(list(tmp_path.iterdir())))
        spec = preparing.prepare("made", raw, dataset(**values), SOURCE, folder)
        data.save_spec(folder, spec, {})
        loaded = data.load(folder, predicting, *data.SPLITS)
        return loaded.spec, loaded.splits

    return prepare


def rows(count, predefined=None, columns=None, labels=None, **rule):
    manifest = pd.DataFrame({"number": range(count), **(columns or {})})
    declared = None if predefined is None else np.asarray(predefined, object)
    wanted = Split.model_validate({"validation": 0.05} | rule)
    group = splitting.groups("made", wanted, manifest)
    y = np.asarray(labels, dtype=object) if labels else None
    return splitting.split_rows("made", wanted, Facts(count, declared, y, group))


def test_boston_is_split_as_keras_splits_it():
    parts = rows(506, method="shuffle", test=0.2, seed=113)
    order = np.arange(506)
    np.random.RandomState(113).shuffle(order)  # keras.datasets.boston_housing.load_data
    known = np.concatenate([parts["train"], parts["validation"]])
    assert known[0] == 22
    assert np.array_equal(known, order[:404])
    assert np.array_equal(parts["test"], order[404:])
    assert len(parts["test"]) == 102


@pytest.mark.parametrize("method", ["shuffle", "order", "predefined"])
def test_every_row_is_in_one_split(method):
    predefined = np.array(["train"] * 70 + ["test"] * 30)
    parts = rows(100, predefined, method=method, test=None if method == "predefined" else 0.3)
    assert sorted(np.concatenate(list(parts.values()))) == list(range(100))
    assert {name: len(part) for name, part in parts.items()} == {"train": 66, "validation": 4, "test": 30}


def test_order_keeps_the_last_rows_for_the_test_and_shuffles_the_rest():
    parts = rows(100, method="order", test=0.2)
    assert parts["test"].tolist() == list(range(80, 100))
    assert parts["train"].tolist() != sorted(parts["train"])


def test_predefined_keeps_the_test_rows_of_the_source():
    predefined = np.array(["test", "train", "train", "test", "train"])
    parts = rows(5, predefined, method="predefined")
    assert parts["test"].tolist() == [0, 3]


def test_predefined_needs_a_source_that_declares_a_split():
    with pytest.raises(EvermodelError, match=r"made/params\.yaml: split\.method is predefined"):
        rows(5, method="predefined")


@pytest.mark.parametrize("method", ["shuffle", "order"])
def test_a_split_depends_on_its_seed_alone(method):
    first, again, other = (rows(100, method=method, test=0.2, seed=seed) for seed in (1, 1, 2))
    assert all(np.array_equal(first[part], again[part]) for part in first)
    assert not np.array_equal(first["train"], other["train"])


@pytest.mark.parametrize(("count", "expected"), [(10, 1), (100, 4), (1000, 40)])
def test_validation_is_a_share_of_what_is_not_tested_and_at_least_one_row(count, expected):
    assert len(rows(count, method="order", test=0.2)["validation"]) == expected


def test_a_table_is_described_by_its_training_rows(prepared):
    spec, splits = prepared(table(), "number", target="price")
    assert spec.names == ("a", "b")
    assert (spec.input_shape, spec.input_dtype, spec.classes) == ((2,), "float64", ())
    assert spec.rows == {"train": 12, "validation": 3, "test": 5}
    train = splits["train"].x.frame()
    assert [one.mean for one in spec.columns] == pytest.approx(train.mean())
    assert [one.variance for one in spec.columns] == pytest.approx(train.var(ddof=0))
    assert splits["test"].y.dtype == np.float64


def test_test_rows_are_known_again_where_one_of_them_is_another(prepared):
    before, splits = prepared(table(400), "number", target="price")
    changed = numbers(400)
    changed.loc[changed["a"] == splits["test"].x.frame()["a"][0], "a"] = 1e6
    after, _ = prepared(in_pieces(changed), "number", target="price")
    assert after.test_hash != before.test_hash
    assert len(before.test_sketch) == data.SKETCH
    assert len({*before.test_sketch} & {*after.test_sketch}) >= data.SKETCH - 1


@pytest.mark.parametrize(("part", "moves"), [("train", True), ("validation", False), ("test", False)])
def test_statistics_are_those_of_the_training_rows_alone(prepared, part, moves):
    spec, splits = prepared(table(), "number", target="price")
    changed = numbers()
    changed.loc[changed["a"] == splits[part].x.frame()["a"][0], "a"] = 1e6
    again, _ = prepared(in_pieces(changed), "number", target="price")
    assert (again.columns != spec.columns) == moves


def test_words_are_counted_in_the_training_rows_most_frequent_first(prepared):
    spec, splits = prepared(texts([f"b word{n} A, a! it's" for n in range(20)]))
    assert spec.vocabulary[:3] == ("a", "b", "its")
    known = {text.split()[1] for text in splits["train"].x}
    assert set(spec.vocabulary[3:]) == known
    assert spec.input_dtype == "string"
    assert spec.input_shape == ()


def test_labels_become_class_numbers_in_the_order_of_their_names(prepared):
    labels = ["b", "a"] * 10
    spec, splits = prepared(table(price=labels), target="price")
    assert spec.classes == ("a", "b")
    assert splits["test"].y.dtype == np.int64
    assert splits["test"].y.tolist() == [0, 1, 0, 1, 0]


def test_classes_of_params_name_the_numbers_of_the_source(prepared):
    spec, splits = prepared(texts([f"w{n}" for n in range(20)]), classes=["negative", "positive"])
    assert spec.classes == ("negative", "positive")
    assert splits["test"].y.tolist() == [1, 0, 1, 0, 1]


def test_classes_of_params_set_the_order_of_the_labels(prepared):
    spec, splits = prepared(table(price=["lo", "hi"] * 10), target="price", classes=["lo", "hi"])
    assert spec.classes == ("lo", "hi")
    assert splits["test"].y.tolist() == [1, 0, 1, 0, 1]


def test_a_label_that_params_do_not_name_is_refused(prepared):
    raw = table(price=["lo", "hi", "odd", "lo"] * 5)
    with pytest.raises(EvermodelError, match=r"classes in data/made/params\.yaml does not name: odd"):
        prepared(raw, target="price", classes=["lo", "hi"])


@pytest.mark.parametrize("raw", [table(), texts(["one", "two"])])
def test_a_target_that_is_no_column_is_refused_with_the_columns(prepared, raw):
    with pytest.raises(EvermodelError, match=r"no column 'worth'; set target in data/made/params\.yaml"):
        prepared(raw, target="worth")


def test_the_rows_of_each_class_are_counted_in_each_split(prepared):
    spec, _ = prepared(texts([f"w{n}" for n in range(20)], [0] * 15 + [1] * 5))
    assert (spec.classes, spec.class_rows["test"]) == (("0", "1"), (0, 5))
    assert sum(map(sum, spec.class_rows.values())) == 20


def test_of_grouped_rows_the_groups_that_a_class_is_in_are_counted(prepared):
    patients, labels = np.repeat(np.arange(10), 4), ["well"] * 36 + ["ill"] * 4
    split = {"method": "order", "test": 0.3, "validation": 0.2, "groups": ["patient"]}
    spec, _ = prepared(table(40, patient=patients, price=labels), target="price", split=split)
    assert (spec.classes, spec.class_rows["test"]) == (("ill", "well"), (1, 2))


def test_labels_keep_the_text_that_the_file_has(prepared):
    spec, splits = prepared(table(price=["01", "1", "1.0", "True"] * 5), target="price")
    assert sorted(spec.classes) == ["01", "1", "1.0", "True"]
    assert [spec.classes[y] for y in splits["test"].y] == ["True", "01", "1", "1.0", "True"]


def test_classes_that_are_numbers_are_in_the_order_of_their_size(prepared):
    spec, _ = prepared(table(price=["10", "9", "-1", "2.5"] * 5), target="price")
    assert spec.classes == ("-1", "2.5", "9", "10")


@pytest.mark.parametrize("quality", [[3, 4, 5, 8] * 5, ["3", "4", "5", "8"] * 5, [3.0, 4.0, 5.0, 8.0] * 5])
def test_one_column_is_a_number_or_a_class_as_the_task_asks(prepared, quality):
    raw = table(price=quality)
    spec, splits = prepared(raw, "number", target="price")
    assert splits["test"].y.tolist() == [8.0, 3.0, 4.0, 5.0, 8.0]
    assert (spec.classes, splits["test"].y.dtype) == ((), np.float64)
    spec, splits = prepared(raw, "class", target="price")
    assert splits["test"].y.tolist() == [3, 0, 1, 2, 3]
    assert [float(name) for name in spec.classes] == [3.0, 4.0, 5.0, 8.0]
    assert (spec.target_mean, splits["test"].y.dtype) == ((), np.int64)


def test_a_range_makes_a_number_and_names_make_classes_whatever_a_task_asks(prepared):
    ranged = {"target": "price", "expect": {"min_rows": 1, "ranges": {"price": [0, 9]}}}
    with pytest.raises(EvermodelError, match=r"price, is a number .* data/made/params\.yaml"):
        prepared(table(price=[3, 4] * 10), "class", **ranged)
    with pytest.raises(EvermodelError, match=r"price, holds classes"):
        prepared(table(price=[3, 4] * 10), "number", target="price", classes=["3", "4"])


@pytest.mark.parametrize("odd", ["good", "", "nan", "inf"])
def test_text_in_one_row_is_no_number(prepared, odd):
    with pytest.raises(EvermodelError, match="holds classes, text"):
        prepared(table(price=[*["3"] * 19, odd]), "number", target="price")


def test_thousands_of_different_values_are_no_classes(prepared):
    with pytest.raises(EvermodelError, match="more than 1000 different values"):
        prepared(table(3000, price=np.arange(3000) / 7), "class", target="price")


def test_a_column_that_only_groups_or_identifies_is_no_feature(prepared):
    raw = table(id=np.arange(20), patient=["ann", "bo"] * 10)
    split = {"method": "shuffle", "test": 0.5, "validation": 0.5, "groups": ["patient"]}
    groups = table(40, patient=np.repeat(np.arange(10), 4))
    assert prepared(groups, "number", target="price", split=split)[0].names == ("a", "b")
    kept = prepared(groups, "number", target="price", split=split | {"group_features": True})
    assert kept[0].names == ("a", "b", "patient")
    spec, _ = prepared(raw, "number", target="price", drop=["id", "patient"])
    assert spec.names == ("a", "b")


def test_the_groups_of_rows_go_with_them(prepared):
    patients = np.repeat(np.arange(10), 4)
    split = {"method": "shuffle", "test": 0.3, "validation": 0.2, "groups": ["patient"]}
    spec, splits = prepared(table(40, patient=patients), "number", target="price", split=split)
    assert spec.groups == {"train": 6, "validation": 1, "test": 3}
    for part in splits.values():
        assert part.group.tolist() == (part.x.frame()["a"] // 4).tolist()
    assert all(part.group is None for part in prepared(table(), "number", target="price")[1].values())


def test_booleans_and_names_that_look_like_numbers(prepared):
    raw = table(**{"2019": ["True", "False"] * 10, "1": np.arange(20) * 3})
    spec, splits = prepared(raw, "number", target="price")
    assert spec.names == ("a", "b", "2019", "1")
    assert splits["test"].x.frame()["2019"].tolist() == [0, 1, 0, 1, 0]


def test_a_stratified_split_gives_every_split_its_share_of_each_class():
    labels = ["rare"] * 10 + ["usual"] * 90
    parts = rows(100, labels=labels, method="shuffle", stratify=True, test=0.2, validation=0.25)
    assert sorted(np.concatenate(list(parts.values()))) == list(range(100))
    counts = {part: sum(labels[row] == "rare" for row in index) for part, index in parts.items()}
    assert counts == {"train": 6, "validation": 2, "test": 2}
    again = rows(100, labels=labels, method="shuffle", stratify=True, test=0.2, validation=0.25)
    assert all(np.array_equal(parts[part], again[part]) for part in parts)


def test_a_class_too_rare_to_be_stratified_is_told():
    with pytest.raises(EvermodelError, match=r"made/params\.yaml: split\.stratify"):
        rows(20, labels=["rare"] + ["usual"] * 19, method="shuffle", stratify=True, test=0.2)


def test_time_takes_the_last_rows_where_the_source_declares_no_split():
    parts = rows(20, method="time", test=0.25, validation=0.2)
    assert {part: index.tolist() for part, index in parts.items()} == {
        "train": list(range(12)),
        "validation": [12, 13, 14],
        "test": [15, 16, 17, 18, 19],
    }


def test_a_split_that_the_source_names_otherwise_is_not_lost():
    with pytest.raises(EvermodelError, match="declares the split 'valid'"):
        rows(4, ["train", "train", "valid", "test"], method="predefined")


def test_test_rows_that_are_also_training_rows_are_counted(prepared):
    words = [f"w{n}" for n in range(18)] + ["w0", "w1"]
    for limit in (0.4, None):
        assert prepared(texts(words), duplicates=limit)[0].duplicates == 2


def test_more_duplicates_than_params_allow_are_refused(prepared):
    words = [f"w{n}" for n in range(18)] + ["w0", "w1"]
    with pytest.raises(
        EvermodelError,
        match=r"2 of 5 test rows .* duplicates = 0\.2 in data/made/params\.yaml",
    ):
        prepared(texts(words), duplicates=0.2)


def test_preparing_twice_gives_the_same_rows(prepared):
    first, again = (prepared(texts([f"w{n}" for n in range(20)])) for _ in range(2))
    assert first[0] == again[0]
    for part, split in first[1].items():
        assert np.array_equal(split.x, again[1][part].x)


@pytest.mark.parametrize("method", ["shuffle", "order"])
def test_rows_of_a_group_stay_on_one_side(method):
    random = np.random.default_rng(3)
    columns = {"mix": random.integers(0, 12, 200), "plant": random.integers(0, 2, 200)}
    parts = rows(200, columns=columns, method=method, test=0.25, validation=0.2, groups=["mix", "plant"])
    assert sorted(np.concatenate(list(parts.values()))) == list(range(200))
    groups = {
        part: set(zip(columns["mix"][index], columns["plant"][index], strict=True))
        for part, index in parts.items()
    }
    assert all(groups.values())
    assert sum(map(len, groups.values())) == len(set.union(*groups.values())) == 24
    assert len(groups["test"]) == 6


def test_rows_that_agree_in_one_of_two_columns_may_be_apart():
    columns = {"mix": [0] * 40, "age": np.arange(40)}
    parts = rows(40, columns=columns, method="shuffle", test=0.25, groups=["mix", "age"])
    assert len(parts["test"]) == 10


def test_an_ordered_split_by_groups_keeps_the_last_groups_for_the_test():
    parts = rows(
        20, columns={"slice": np.repeat([7, 3, 9, 1, 5], 4)}, method="order", test=0.4, groups=["slice"]
    )
    assert parts["test"].tolist() == list(range(12, 20))


def test_a_split_by_groups_depends_on_its_seed_alone():
    columns = {"mix": np.arange(100) // 4}
    rule = {"columns": columns, "method": "shuffle", "test": 0.2, "groups": ["mix"]}
    first, again, other = (rows(100, seed=seed, **rule) for seed in (1, 1, 2))
    assert all(np.array_equal(first[part], again[part]) for part in first)
    assert not np.array_equal(first["test"], other["test"])


def test_a_split_by_a_column_that_is_not_there_names_it_and_the_columns():
    with pytest.raises(EvermodelError, match=r"made/params\.yaml: split\.groups names 'mix'.* number, age"):
        rows(9, columns={"age": 1}, method="order", test=0.2, groups=["age", "mix"])


def test_a_person_may_be_new_in_the_test_rows_of_a_split_by_person(prepared):
    raw = texts([f"w{n}" for n in range(20)], np.repeat(["ann", "bob", "cy", "dee"], 5))
    _, splits = prepared(raw, split=ORDER | {"groups": ["label"]})
    assert set(splits["train"].y).isdisjoint(splits["test"].y)


def test_time_is_never_shuffled_and_validation_is_just_before_the_test():
    parts = rows(20, ["train"] * 15 + ["test"] * 5, method="time", validation=0.2)
    assert parts["train"].tolist() == list(range(12))
    assert parts["validation"].tolist() == [12, 13, 14]
    assert parts["test"].tolist() == [15, 16, 17, 18, 19]


def test_time_needs_a_source_that_declares_a_split():
    with pytest.raises(EvermodelError, match=r"made/params\.yaml: split\.method is time"):
        rows(5, method="time")


def faces(ages, genders):
    pixels = np.arange(len(ages) * 4, dtype=np.uint8).reshape(-1, 2, 2, 1)
    return Raw("images", pd.DataFrame({"age": ages, "gender": genders}), pixels)


def test_several_targets_stand_side_by_side_and_are_clipped_where_they_are_learned(prepared):
    raw = faces([-3, 20, 116, 40] * 5, [0, 1, 1, 0] * 5)
    spec, splits = prepared(raw, "numbers", targets={"gender": [0, 1], "age": [0, 100]})
    assert (spec.targets, spec.classes) == (("gender", "age"), ())
    assert splits["test"].y.dtype == np.float64
    assert splits["test"].y.tolist() == [[0, 40], [0, -3], [1, 20], [1, 116], [0, 40]], "judged as they are"
    assert splits["train"].y[:, 1].min() == 0
    assert splits["train"].y[:, 1].max() == 100
    assert spec.target_mean == pytest.approx(splits["train"].y.mean(axis=0))
    assert spec.target_sd == pytest.approx(splits["train"].y.std(axis=0))


def test_a_target_of_several_that_is_no_column_is_named(prepared):
    with pytest.raises(EvermodelError, match=r"no column 'height'; set targets in data/made/params\.yaml"):
        prepared(faces([1] * 20, [0] * 20), targets={"age": [0, 1], "height": [0, 2]})


def moments_of(x):
    """Mean and variance of columns, read in two pieces."""
    moments = Moments(x.shape[1])
    moments.add(x[:1000])
    moments.add(x[1000:])
    return moments.mean.tolist(), moments.variance.tolist()


@pytest.mark.parametrize("value", [0.1, 1e9 + 0.1, -1 / 3])
def test_a_column_that_never_varies_has_its_value_as_mean_and_no_variance(value):
    """The plain sum of so many is not their number times their value."""
    assert moments_of(np.full((100_000, 1), value)) == ([value], [0.0])


def test_a_column_far_from_0_keeps_the_digits_of_its_mean_and_variance():
    around = np.tile([[0.0], [1.0], [2.0], [5.0]], (25_000, 1))
    assert moments_of(1e15 + around) == ([1e15 + 2], [3.5])


def test_one_number_has_one_mean_and_deviation_and_a_constant_divides_by_one(prepared):
    spec, splits = prepared(table(), "number", target="price")
    assert spec.target_mean == pytest.approx((splits["train"].y.mean(),))
    assert spec.target_sd == pytest.approx((splits["train"].y.std(),))
    flat, _ = prepared(table(price=3.5), "number", target="price")
    assert (flat.target_mean, flat.target_sd) == ((3.5,), (1.0,))


def test_classes_have_neither_mean_nor_deviation(prepared):
    spec, _ = prepared(texts([f"w{n}" for n in range(20)]))
    assert (spec.target_mean, spec.target_sd) == ((), ())


def test_masks_are_kept_as_they_are(prepared):
    masks = np.random.default_rng(1).choice([0, 255], (20, 4, 4, 1)).astype(np.uint8)
    pixels = np.arange(20 * 16, dtype=np.uint16).astype(np.uint8).reshape(20, 4, 4, 1) + masks // 2
    raw = Raw("images", pd.DataFrame({"slice": np.arange(20) // 5}), pixels, masks)
    spec, splits = prepared(raw, "mask", split=ORDER | {"groups": ["slice"]})
    assert np.array_equal(splits["test"].y, masks[15:])
    assert splits["test"].y.dtype == np.uint8
    assert (spec.classes, spec.target_mean, spec.target_sd) == ((), (), ())


def test_a_split_without_rows_is_told():
    with pytest.raises(EvermodelError, match=r"made/params\.yaml: split gives train no row, of 2 rows in 1 "):
        rows(2, columns={"who": [7, 7]}, groups=["who"], method="shuffle", test=0.2)
    with pytest.raises(EvermodelError, match="test no row"):
        rows(3, predefined=["train"] * 3, method="predefined")


def test_why_thousands_of_numbers_are_not_stratified_is_told_in_a_line():
    with pytest.raises(EvermodelError, match="a target that is a number") as error:
        rows(999, labels=[f"{n}.5" for n in range(999)], method="shuffle", stratify=True, test=0.2)
    assert len(str(error.value)) < 400


def test_a_table_without_a_feature_is_told(prepared):
    with pytest.raises(EvermodelError, match=r"no column to learn from beside price.*drop in data/made/"):
        prepared(table(), "number", target="price", drop=["a", "b"])
