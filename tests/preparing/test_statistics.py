"""What training rows tell of columns whose kinds are known, piece by piece."""

import numpy as np
import pandas as pd
import pytest

from evermodel.core.columns import Column
from evermodel.preparing import lot, statistics
from evermodel.preparing.statistics import Statistics

COLUMNS = (
    Column(name="area", kind="number"),
    Column(name="colour", kind="category"),
    Column(name="built", kind="time"),
    Column(name="sold", kind="time"),
    Column(name="told", kind="text"),
)


def told(frame, columns, piece=3):
    """What the rows tell, by the names of the columns, if they come in pieces of so many."""
    found = Statistics(columns, len(frame))
    for start in range(0, len(frame), piece):
        some = frame[start : start + piece]
        found.add(some, lot.of(some.index))
    return {one.name: one for one in found.told()}


def test_each_kind_of_column_has_statistics_of_its_own_and_gaps_are_none_of_them():
    frame = pd.DataFrame(
        {
            "area": [1.0, np.nan, 3.0, 8.0],
            "colour": np.array(["red", "blue", "red", None], object),
            "built": [0.0, 10.0, 20.0, np.nan],
            "sold": [5.0, 25.0, np.nan, 40.0],
            "told": np.array(["a house", None, "A red house", ""], object),
        }
    )
    found = told(frame, COLUMNS)
    assert (found["area"].low, found["area"].high, found["area"].median) == (1, 8, 3)
    assert found["area"].mean == pytest.approx(4)
    assert found["area"].variance == pytest.approx(26 / 3)
    assert found["colour"].categories == ("red",), "one that does not recur is none"
    assert (found["sold"].span_mean, found["sold"].span_variance) == (10, 25)
    assert (found["built"].span_mean, found["built"].mean) == (0, 10)
    assert found["told"].vocabulary == ("a", "house", "red")
    assert found["told"].categories == found["colour"].vocabulary == ()


def test_columns_without_a_row_have_statistics_of_zero():
    frame = pd.DataFrame({"area": [], "colour": [], "built": [], "sold": [], "told": []}, dtype=object)
    found = told(frame, COLUMNS)
    assert found["area"] == COLUMNS[0]
    assert found["colour"] == COLUMNS[1]


def test_the_median_of_many_rows_is_that_of_a_sample(monkeypatch):
    monkeypatch.setattr(statistics, "SAMPLE", 1000)
    numbers = np.random.default_rng(0).permutation(8000).astype(float)
    found = told(pd.DataFrame({"area": numbers}), COLUMNS[:1], piece=500)
    assert found["area"].median == pytest.approx(4000, abs=400)
    assert found["area"].median != 3999.5


def test_the_rarest_words_go_where_there_are_more_than_memory_holds(monkeypatch):
    monkeypatch.setattr(statistics, "DIFFERENT", 4)
    texts = np.array([f"often also rare{number}" for number in range(9)], object)
    assert {"often", "also"} <= set(told(pd.DataFrame({"told": texts}), COLUMNS[4:])["told"].vocabulary)
    monkeypatch.setattr(statistics, "DIFFERENT", 100)
    assert len(told(pd.DataFrame({"told": texts}), COLUMNS[4:])["told"].vocabulary) == 11


def test_parts_that_are_put_together_tell_what_all_rows_tell():
    random = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "area": random.normal(1e6, 1, 90),
            "colour": random.choice(["red", "blue", "green"], 90),
            "built": random.integers(0, 100, 90).astype(float),
            "sold": random.integers(100, 200, 90).astype(float),
            "told": random.choice(["a house", "a red house"], 90),
        }
    )
    frame.loc[:35, "area"] = np.nan  # the first part has none
    whole, first = Statistics(COLUMNS, 90), Statistics(COLUMNS, 90)
    whole.add(frame, lot.of(frame.index))
    for start in range(0, 90, 30):
        part = Statistics(COLUMNS, 90)
        part.add(frame[start : start + 30], lot.of(frame.index[start : start + 30]))
        first.merge(part)
    for one, other in zip(first.told(), whole.told(), strict=True):
        assert one.model_dump(exclude={"mean", "variance", "span_mean", "span_variance"}) == other.model_dump(
            exclude={"mean", "variance", "span_mean", "span_variance"}
        )
        for name in ("mean", "variance", "span_mean", "span_variance"):
            assert getattr(one, name) == pytest.approx(getattr(other, name), rel=1e-9)


def test_the_lot_falls_on_the_same_rows_in_whatever_pieces_they_come():
    rows = pd.RangeIndex(150_000)
    whole = lot.of(rows)
    assert len(np.unique(whole)) == len(whole)
    pieces = [lot.of(rows[start : start + 41_000]) for start in range(0, len(rows), 41_000)]
    assert np.array_equal(np.concatenate(pieces), whole)
    assert len(lot.of(rows[:0])) == 0
