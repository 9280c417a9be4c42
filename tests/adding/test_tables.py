"""What is written of a table."""

import pandas as pd
import pytest

from evermodel.adding import adding, finding, look, questions, tables
from evermodel.core.errors import EvermodelError
from tests.settings import refusal


@pytest.fixture
def entry(lying):
    """A function from a table to what is written of it."""

    def made(frame, target, task=None, **options):
        frame.to_csv(lying / "orders.csv", index=False, **options)
        found = finding.find(str(lying / "orders.csv"))
        with found.raw() as folder:
            seen = look.look(folder, found.options)
        return tables.entry(found, seen, target, questions.task_of(seen, target, task))

    return made


def test_classes_are_told_from_numbers_by_what_is_written_there(entry, shop):
    assert entry(shop, "late").experiments["linear"]["task"] == "binary"
    assert entry(shop, "colour").experiments["linear"]["task"] == "classification"
    assert entry(shop, "price").experiments["linear"]["task"] == "regression"
    stars = shop.assign(stars=[n % 5 for n in range(len(shop))])
    assert entry(stars, "stars").experiments["linear"]["task"] == "classification"
    assert entry(stars, "stars", "regression").dataset["expect"]["ranges"]["stars"] == [0, 6]


def test_leaks_constants_and_identifiers_are_dropped_and_each_is_told(entry, shop):
    late = entry(shop, "late")
    assert late.dataset["drop"] == ["order_id", "shop", "refund"]
    assert [one for one in late.doubts if one.startswith("dropped")] == [
        "dropped: order_id (each row has its own)",
        "dropped: shop (the same in every row)",
        "dropped: refund (tells late by itself)",
    ]
    price = entry(shop, "price")
    assert price.dataset["drop"] == ["order_id", "shop", "tax", "paid"]
    assert "dropped: tax, paid (together they add up to price)" in price.doubts


def test_a_range_has_room_and_what_never_was_negative_stays_so():
    assert tables.span(pd.Series([10.0, 20.0])) == [5, 25]
    assert tables.span(pd.Series([1.0, 21.0])) == [0, 31]
    assert tables.span(pd.Series([-1.0, 1.0])) == [-2, 2]
    assert tables.span(pd.Series([0.25, 0.5, None])) == [0.12, 0.63]
    assert tables.span(pd.Series([7.0, 7.0])) == [0, 14]
    low, high = tables.span(pd.Series([1e-9, 3e-9]))
    assert (low, high) == (0, pytest.approx(4e-9))


def test_the_contract_names_ranges_two_categories_and_shares_of_gaps(entry, shop):
    expect = entry(shop, "late").dataset["expect"]
    assert expect["min_rows"] == 120
    assert list(expect["ranges"]) == ["weight", "tax", "price", "paid"]
    assert "categories" not in expect
    assert expect["gaps"] == {"weight": 0.18}
    assert entry(shop, "price").dataset["expect"]["categories"] == {
        "late": ["in time", "late"],
        "refund": ["N", "R"],
    }


def test_dates_that_are_not_iso_are_written_down(entry, shop):
    assert entry(shop, "late").dataset["columns"] == {"day": {"kind": "time", "format": "%d.%m.%Y"}}
    american = shop.assign(day=["3/4/2024"] * 120 + ["5/6/2024"] * 120)
    found = entry(american, "late")
    assert found.dataset["columns"]["day"]["format"] == "%m/%d/%Y"
    assert any("several ways" in one for one in found.doubts)


def test_rows_of_one_patient_stay_on_one_side(entry, shop):
    visits = shop.assign(patient_id=[f"P{n // 3}" for n in range(len(shop))])
    assert entry(visits, "late").dataset["split"] == {
        "method": "shuffle",
        "test": 0.2,
        "validation": 0.1,
        "seed": 1,
        "groups": ["patient_id"],
    }


def test_classes_are_stratified_unless_they_are_rare_and_copies_are_told(entry, shop):
    assert entry(shop, "late").dataset["split"]["stratify"] is True
    rare = shop.assign(colour=["odd"] * 4 + ["usual"] * (len(shop) - 4))
    found = entry(rare, "colour")
    assert "stratify" not in found.dataset["split"]
    assert any("rare classes: odd (4 rows)" in one for one in found.doubts)
    copied = pd.concat([shop.drop(columns="order_id")] * 2)
    assert any("240 of 480 rows are copies" in one for one in entry(copied, "late").doubts)


def test_numbers_that_somebody_calls_classes_are_doubted(entry, shop):
    doubts = " ".join(entry(shop.round({"price": 0}), "price", "classification").doubts)
    assert "different numbers" in doubts
    assert "rows each" not in doubts
    halves = shop.assign(price=(2 * shop["price"]).round() / 2)
    assert "rows each" in " ".join(entry(halves, "price", "classification").doubts)
    stars = shop.assign(stars=[n % 5 / 2 for n in range(len(shop))])
    assert not any("classes" in one for one in entry(stars, "stars", "classification").doubts)


def test_more_classes_than_there_may_be_are_refused(entry, shop, monkeypatch):
    monkeypatch.setattr(questions, "MOST_CLASSES", 2)
    assert "3 different values" in refusal(entry, shop, "colour", "classification")


def test_a_large_table_is_looked_at_in_part_and_split_by_hash(entry, shop, monkeypatch):
    monkeypatch.setattr(look, "LOOKED", 100)
    monkeypatch.setattr(look, "COUNTED", 150)
    monkeypatch.setattr(tables, "COUNTED", 150)
    monkeypatch.setattr("evermodel.formats.table_file.ROWS", 50)
    found = entry(shop, "late")
    assert found.dataset["split"]["method"] == "hash"
    assert list(found.dataset["expect"]) == ["min_rows"]
    assert any("the first 100 were looked at" in one for one in found.assumed)


def test_a_target_with_gaps_is_refused_with_the_first_row(entry, shop):
    shop.loc[4, "late"] = None
    sentence = refusal(entry, shop, "late")
    assert "late is empty in 1 of 240 rows (first row 5)" in sentence


@pytest.mark.parametrize(
    ("target", "task", "expected"),
    [
        ("note", None, "no classes"),
        ("day", None, "no classes"),
        ("shop", None, "the same in every row"),
        ("colour", "regression", "no number"),
        ("colour", "binary", "3 values"),
        ("colour", "segmentation", "binary, classification"),
        ("price", "classification", "different values in 240 rows"),
    ],
)
def test_what_can_not_be_asked_is_refused(entry, shop, target, task, expected):
    assert expected in refusal(entry, shop, target, task)


def test_german_numbers_are_read_and_the_options_say_how(entry, shop):
    found = entry(shop, "price", sep=";", decimal=",")
    assert found.dataset["source"]["editions"][0]["options"] == {"decimal": ","}
    assert found.experiments["linear"]["task"] == "regression"


def test_a_wrong_target_names_the_columns(lying, shop):
    shop.to_csv(lying / "orders.csv", index=False)
    for target in (None, "prise"):
        with pytest.raises(EvermodelError, match="order_id, colour, gift"):
            adding.add(str(lying / "orders.csv"), target)


def test_names_are_dropped_where_rows_are_few(entry, shop):
    named = shop.assign(who=[f"person{n % 60} of place{n % 70}" for n in range(len(shop))])
    told = entry(named, "late")
    assert "who" in told.dataset["drop"]
    assert "dropped: who (names, of too many words for so few rows)" in told.doubts
    few = shop.assign(who=[f"person{n % 4} of place{n % 5} at {n % 3} or {n % 2}" for n in range(len(shop))])
    assert "who" not in entry(few, "late").dataset["drop"]
