"""A table of more rows than are looked at together: single rows are all judged, the rest in a sample."""

import dataclasses
import gc

import numpy as np
import pandas as pd
import pytest

from evermodel import validation
from evermodel.expectations import sample
from tests.preparing.tables import in_pieces
from tests.specs import make_dataset

ROWS = 1200
RULES = {
    "target": "price",
    "gaps": "fill",
    "expect": {
        "min_rows": 900,
        "ranges": {"age": [0, 90]},
        "categories": {"colour": ["red", "green"]},
        "gaps": {"size": 0.05},
    },
}


@pytest.fixture
def frame() -> pd.DataFrame:
    """Ages of which eleven are too high, gaps of which there are too many, and one odd colour at the end."""
    random = np.random.default_rng(5)
    found = pd.DataFrame(
        {
            "age": random.integers(0, 90, ROWS),
            "size": random.normal(size=ROWS).round(3),
            "colour": random.choice(["red", "green"], ROWS),
            "price": random.normal(size=ROWS),
        }
    )
    found.loc[range(100, ROWS, 100), "age"] = 99
    found.loc[range(0, ROWS, 10), "size"] = np.nan
    found.loc[ROWS - 1, "colour"] = "mauve"
    return found


@pytest.fixture
def validated(monkeypatch):
    """The report of a table, in pieces of which none alone nor all together may be looked at whole."""

    def of(frame, looked_at=300, **rules):
        monkeypatch.setattr(sample, "ROWS", looked_at)
        return validation.validate("made", make_dataset(**RULES | rules), in_pieces(frame, 250))

    return of


def found(report, column, told):
    (only,) = (one for one in report.findings if one.column == column and one.expectation.startswith(told))
    return only


def test_single_rows_are_counted_and_shown_as_if_all_had_been_looked_at_together(validated, frame):
    whole, merged = validated(frame, looked_at=ROWS), validated(frame)
    assert merged.rows == whole.rows == ROWS
    for column, told in (
        ("age", "every value lies"),
        ("size", "at most 5%"),
        ("colour", "every value is one"),
    ):
        assert found(merged, column, told) == found(whole, column, told)
    ages = found(merged, "age", "every value lies")
    assert (ages.success, ages.unexpected) == (False, 11)
    assert [one.row for one in ages.examples] == list(range(101, 1100, 100))
    assert found(merged, "size", "at most 5%").unexpected == 120


def test_what_needs_all_rows_at_once_says_in_how_many_it_was_seen(validated, frame):
    report = validated(frame.assign(told=frame["price"] * 2))
    leak = found(report, "told", "alone it does not tell price")
    assert not leak.success
    assert leak.expectation.endswith(" rows chosen by hash")
    seen = int(leak.expectation.split()[-5])
    assert 100 < seen <= 300
    assert not any("chosen by hash" in one.expectation for one in validated(frame, ROWS).findings)


def test_copies_are_seen_in_a_sample_too(validated, frame):
    copied = pd.concat([frame, frame.iloc[:200]], ignore_index=True)
    (finding,) = (one for one in validated(copied).findings if "copy" in one.expectation)
    assert not finding.success


def test_the_rows_of_a_large_table_are_counted(validated, frame):
    few = {**RULES["expect"], "min_rows": 1201}
    (finding,) = (one for one in validated(frame, expect=few).findings if "1201 rows" in one.expectation)
    assert (finding.success, finding.observed) == (False, ROWS)


def test_a_field_of_another_kind_is_named_by_its_row_in_whatever_piece(validated, frame):
    text = frame.astype("str")
    text.loc[990, "age"] = "old"
    ages = found(validated(text), "age", "every value is a finite number")
    assert (ages.success, ages.unexpected) == (False, 1)
    assert [dataclasses.astuple(one) for one in ages.examples] == [(991, "old")]


def test_the_rarest_class_is_seen_wherever_it_stands(validated, frame):
    labels = np.where(np.arange(ROWS) == 998, "rare", np.where(np.arange(ROWS) % 2, "a", "b"))
    report = validated(frame.assign(price=labels), classes=["a", "b", "rare"])
    assert found(report, "price", "every class occurs, in").success
    assert found(report, "price", "every class occurs at least twice").unexpected == 1


def test_a_table_of_few_different_rows_is_looked_at_all_the_same(validated):
    same = pd.DataFrame({"age": [1, 2] * 600, "size": 1.5, "colour": "red", "price": [1, 2] * 600})
    assert validated(same).rows == 1200


def test_rows_of_which_there_are_many_copies_are_looked_at(frame, monkeypatch):
    monkeypatch.setattr(sample, "ROWS", 300)
    copies = pd.concat([frame[:1]] * 900, ignore_index=True)
    taken = sample.take(in_pieces(copies, 250), make_dataset(**RULES))
    assert (taken.rows, len(taken.frame), len(taken.frame.drop_duplicates())) == (900, 250, 1)


def test_a_sample_is_the_same_whatever_the_pieces(frame, monkeypatch):
    monkeypatch.setattr(sample, "ROWS", 300)
    taken, again = (sample.take(in_pieces(frame, rows), make_dataset(**RULES)).frame for rows in (250, 90))
    assert 100 < len(taken) <= 300
    pd.testing.assert_frame_equal(taken, again)


def test_a_table_of_which_nothing_is_expected_row_by_row_is_read_once(frame, monkeypatch):
    monkeypatch.setattr(sample, "ROWS", 300)
    raw, read = in_pieces(frame[["colour"]].assign(price=frame["colour"] + "ish"), 250), []

    def pieces():
        read.append(1)
        return raw.pieces()

    rules = RULES | {"expect": {"min_rows": 1}}
    report = validation.validate("made", make_dataset(**rules), dataclasses.replace(raw, pieces=pieces))
    assert report.rows == ROWS
    assert len(read) == 2


def test_no_rows_of_a_piece_are_held_after_it(frame, monkeypatch):
    monkeypatch.setattr(sample, "ROWS", 300)
    raw, held = in_pieces(frame.drop(columns="colour"), 50), []

    def pieces():
        for piece in raw.pieces():
            held.append(sum(isinstance(one, pd.DataFrame) and len(one) == 50 for one in gc.get_objects()))
            yield piece

    rules = RULES | {"expect": {"min_rows": 900, "ranges": {"age": [0, 90]}}}
    gc.collect()
    gc.disable()  # what waits for it is held too long
    try:
        validation.validate("made", make_dataset(**rules), dataclasses.replace(raw, pieces=pieces))
    finally:
        gc.enable()
    assert len(held) == 2 * ROWS / 50
    assert max(held[-20:]) <= 6


def test_the_report_is_the_same_each_time(validated, frame):
    assert validated(frame) == validated(frame)
