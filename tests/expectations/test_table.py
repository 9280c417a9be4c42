import numpy as np
import pandas as pd
import pytest

from evermodel.expectations.leaks import determination

HOUSES = {
    "target": "price",
    "expect": {"min_rows": 50, "ranges": {"rooms": [1, 9], "age": [0, 100], "price": [5, 50]}},
}
BY_OWNER = {"method": "shuffle", "test": 0.2, "validation": 0.1}
FLOWERS = {"expect": {"min_rows": 50, "ranges": {"length": [0, 10], "width": [0, 10]}}}


@pytest.fixture
def houses() -> pd.DataFrame:
    random = np.random.default_rng(7)
    return pd.DataFrame(
        {
            "rooms": random.uniform(1, 9, 100).round(2),
            "age": random.integers(0, 101, 100),
            "price": random.uniform(5, 50, 100).round(1),
        }
    )


@pytest.fixture
def flowers() -> pd.DataFrame:
    random = np.random.default_rng(7)
    return pd.DataFrame(
        {
            "length": random.uniform(0, 10, 100),
            "width": random.uniform(0, 10, 100),
            "label": ["rose", "lily"] * 50,
        }
    )


def test_a_good_table_breaks_nothing(broken, houses):
    assert broken(HOUSES, "table", houses) == []


def test_the_order_of_columns_does_not_matter(broken, houses):
    assert broken(HOUSES, "table", houses[["price", "age", "rooms"]]) == []


def test_a_split_of_the_source_is_no_unexpected_column(broken, houses):
    declared = HOUSES | {"split": {"method": "predefined", "validation": 0.1}}
    assert broken(declared, "table", houses.assign(split=["train", "test"] * 50)) == []
    (only,) = broken(HOUSES, "table", houses.assign(split=["train", "test"] * 50))
    assert "column split" in only
    assert "drop" in only


def test_a_missing_column_is_named(broken, houses):
    columns = '"the target and every column that params.yaml names is there" does not hold'
    assert broken(HOUSES, "table", houses.drop(columns="age")) == [
        f"critical: {columns} (found: missing age)"
    ]


def test_a_missing_target_is_named(broken, houses):
    (only,) = broken(HOUSES, "table", houses.drop(columns="price"))
    assert "missing price" in only


def test_a_renamed_column_is_named_by_both_names(broken, houses):
    (only,) = broken(HOUSES, "table", houses.rename(columns={"rooms": "Rooms"}))
    assert "(found: missing rooms; unexpected Rooms)" in only


def test_a_range_for_one_column_does_not_demand_one_for_all(broken, houses):
    owner = houses["age"].sample(frac=1, random_state=1).to_numpy()
    assert broken(HOUSES, "table", houses.assign(owner=owner)) == []


@pytest.mark.parametrize("key", ["drop", "groups"])
def test_a_column_that_is_no_feature_may_be_text_but_must_be_there(broken, houses, key):
    rules = {"drop": ["owner"]} if key == "drop" else {"split": {**BY_OWNER, "groups": ["owner"]}}
    assert broken(HOUSES | rules, "table", houses.assign(owner=["ann", "bo"] * 50)) == []
    (only,) = broken(HOUSES | rules, "table", houses)
    assert "(found: missing owner)" in only


def test_a_grouping_column_that_is_a_feature_is_examined_like_one(broken, houses):
    rules = {"split": {**BY_OWNER, "groups": ["owner"], "group_features": True}}
    (only,) = broken(HOUSES | rules, "table", houses.assign(owner=["ann", "bo"] * 50))
    assert only.startswith('critical: column owner: "every value is a number (drop')


def test_an_identifier_is_a_warning_that_names_the_remedy(broken, houses):
    random = np.random.default_rng(0).permutation(100)
    (only,) = broken(HOUSES, "table", houses.assign(row=random))
    assert only.startswith('warning: column row: "the values are not all different')
    assert "drop" in only


def test_booleans_are_numbers(broken, houses):
    garden = np.random.default_rng(0).choice(["True", "False"], 100)
    assert broken(HOUSES, "table", houses.assign(garden=garden)) == []


@pytest.mark.parametrize("quality", [["3", "4", "5", "6"] * 25, [str(n * 7 % 1009) for n in range(100)]])
def test_whole_numbers_without_a_range_are_good_for_either_kind_of_task(broken, houses, quality):
    assert (
        broken({"target": "quality", "expect": {"min_rows": 50}}, "table", houses.assign(quality=quality))
        == []
    )


def test_a_header_without_rows_is_too_few_rows(broken, houses):
    assert broken(HOUSES, "table", houses.iloc[:0]) == [
        'critical: "at least 50 rows" does not hold (found: 0)'
    ]


def test_too_few_rows_are_counted(broken, houses):
    assert broken(HOUSES, "table", houses[:49]) == ['critical: "at least 50 rows" does not hold (found: 49)']


def test_text_among_numbers_is_shown_with_its_row(broken, houses):
    rooms = houses["rooms"].astype(str)
    rooms[2] = "12,5"
    (only,) = broken(HOUSES, "table", houses.assign(rooms=rooms))
    assert only.startswith('critical: column rooms: "every value is a number (drop leaves it out)"')
    assert "in 1 row (row 3: '12,5')" in only


def test_numbers_are_read_from_the_text_of_a_file(broken, houses):
    assert broken(HOUSES, "table", houses.astype(str)) == []


def test_text_in_a_target_that_is_a_number_is_shown(broken, houses):
    price = houses["price"].astype(str)
    price[[4, 6]] = ["", "n/a"]
    (only,) = broken(HOUSES, "table", houses.assign(price=price))
    assert "column price" in only
    assert "in 2 rows (row 5: '', row 7: 'n/a')" in only


@pytest.mark.parametrize("column", ["rooms", "price"])
def test_missing_numbers_are_counted_and_their_rows_named(broken, houses, column):
    houses.loc[[0, 9], column] = np.nan
    (only,) = broken(HOUSES, "table", houses)
    assert only == f'critical: column {column}: "no value is missing" does not hold in 2 rows (row 1, row 10)'


def test_an_infinite_number_is_named(broken, houses):
    houses.loc[3, "rooms"] = np.inf
    (only,) = broken(HOUSES, "table", houses)
    assert "column rooms" in only
    assert "in 1 row (row 4: 'inf')" in only


def test_an_infinite_number_is_named_where_no_range_is_given(broken, houses):
    houses.loc[3, "rooms"] = -np.inf
    (only,) = broken({"target": "price", "expect": {"min_rows": 50}}, "table", houses)
    assert """column rooms: "every value is finite" does not hold in 1 row (row 4: '-inf')""" in only


def test_a_value_out_of_its_range_is_named(broken, houses):
    houses.loc[[5, 8, 9, 11], "age"] = [101, -1, 102, 103]
    (only,) = broken(HOUSES, "table", houses)
    assert only == (
        'critical: column age: "every value lies in 0 to 100" does not hold in 4 rows '
        "(row 6: 101.0, row 9: -1.0, row 10: 102.0, ...)"
    )


def test_a_constant_column_is_a_warning(broken, houses):
    (only,) = broken(HOUSES, "table", houses.assign(age=3))
    assert only == 'warning: column age: "the values are not all the same" does not hold (found: 1)'


def test_a_lone_outlier_is_a_warning(broken, houses):
    houses["age"] = np.arange(100) % 2
    houses.loc[50, "age"] = 100
    (only,) = broken(HOUSES, "table", houses)
    assert only.startswith("warning: column age")
    assert "(row 51: 100.0)" in only


def test_repeated_rows_are_a_warning(broken, houses):
    (only,) = broken(HOUSES, "table", pd.concat([houses, houses[:3]], ignore_index=True))
    assert only.startswith(
        'warning: "no row is the copy of another (up to 1% may be)" does not hold in 6 rows'
    )


def test_a_feature_made_of_the_target_is_a_leak(broken, houses):
    (only,) = broken(HOUSES, "table", houses.assign(age=100 - houses["price"]))
    assert only.startswith('critical: column age: "alone it does not tell price')
    assert "does not hold (found: 1.0)" in only


def test_a_leak_can_be_allowed_by_the_key_that_its_message_names(broken, houses):
    leaking = houses.assign(age=100 - houses["price"])
    assert "expect.tells_target" in broken(HOUSES, "table", leaking)[0]
    allowed = {**HOUSES, "expect": {**HOUSES["expect"], "tells_target": ["age"]}}
    assert broken(allowed, "table", leaking) == []


def test_a_feature_made_of_the_label_is_a_leak(broken, flowers):
    (only,) = broken(FLOWERS, "table", flowers.assign(width=flowers["label"].map({"rose": 3, "lily": 1})))
    assert only.startswith('critical: column width: "alone it does not tell label')


def test_a_table_of_labels_breaks_nothing(broken, flowers):
    assert broken(FLOWERS, "table", flowers) == []


def test_an_empty_label_is_named(broken, flowers):
    flowers.loc[[3, 5], "label"] = ""
    critical = [one for one in broken(FLOWERS, "table", flowers) if one.startswith("critical")]
    assert critical == [
        """critical: column label: "no label is empty" does not hold in 2 rows (row 4: '', row 6: '')"""
    ]


def test_a_label_that_is_no_class_is_named(broken, flowers):
    flowers.loc[[3, 5], "label"] = "tulip"
    first, *_ = broken({**FLOWERS, "classes": ["lily", "rose"]}, "table", flowers)
    assert first == (
        'critical: column label: "every label is one of lily, rose" does not hold in 2 rows '
        "(row 4: 'tulip', row 6: 'tulip')"
    )


def test_a_class_of_one_row_is_named(broken, flowers):
    flowers.loc[3, "label"] = "tulip"
    critical = [one for one in broken(FLOWERS, "table", flowers) if one.startswith("critical")]
    (only,) = critical
    assert "every class occurs at least twice" in only
    assert "in 1 row (row 4: 'tulip')" in only


def test_a_column_name_can_hold_what_templates_interpret(broken, houses):
    settings = {"target": "price", "expect": {"min_rows": 50}}
    assert broken(settings, "table", houses.rename(columns={"age": "$age {{x}} <b>"})) == []


def test_a_rank_correlation_is_as_strong_whatever_its_direction_or_shape():
    target = pd.Series(np.linspace(0, 5, 50))
    assert determination(-np.exp(target), target, "number") == pytest.approx(1)


def test_a_rare_class_counts_as_much_as_a_frequent_one():
    target = pd.Series(["rare"] * 2 + ["frequent"] * 198)
    noise = pd.Series(np.random.default_rng(0).integers(0, 2, 200))
    assert determination(noise, target, "class") < 0.9


def test_unique_numbers_do_not_pass_for_a_leak():
    target = pd.Series(list("abcdefghij") * 30)
    noise = pd.Series(np.random.default_rng(0).permutation(300))
    assert determination(noise, target, "class") < 0.5


def test_rows_with_missing_values_are_left_out():
    target = pd.Series([1.0, 2.0, np.nan, 4.0, 5.0])
    assert determination(pd.Series([1.0, 2.0, 3.0, np.inf, 5.0]), target, "number") == pytest.approx(1)


def test_a_target_that_is_always_the_same_number_is_refused(broken, houses):
    found = broken(HOUSES, "table", houses.assign(price=20.0))
    assert 'critical: column price: "the target takes two values or more" does not hold (found: 1)' in found


def test_a_column_that_may_tell_the_target_must_be_there(broken, houses):
    rules = {"expect": {**HOUSES["expect"], "tells_target": ["romes"]}}
    assert any("missing romes" in told for told in broken(HOUSES | rules, "table", houses))


@pytest.mark.parametrize("field", ["", "n/a", "12,5"])
def test_text_in_a_target_without_a_range_that_is_numbers_else_is_shown(broken, houses, field):
    prices = houses["price"].astype(str)
    prices[2] = field
    told = f"""(row 3: {field!r})"""
    (only,) = broken({"target": "price", "expect": {"min_rows": 50}}, "table", houses.assign(price=prices))
    assert only.startswith('critical: column price: "every value is a number"')
    assert only.endswith(told)


def test_a_table_of_a_target_alone_is_left_to_preparing(broken, houses):
    assert broken({"target": "price", "expect": {"min_rows": 50}}, "table", houses[["price"]]) == []
