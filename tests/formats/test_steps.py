import numpy as np
import pandas as pd
import pytest

from evermodel.core.errors import EvermodelError
from evermodel.formats import steps
from tests.specs import make_spec

STEPS = [
    ("15min", "15 minutes"),
    ("90s", "90 seconds"),
    ("h", "1 hour"),
    ("D", "1 day"),
    ("7D", "7 days"),
    ("MS", "1 month"),
    ("ME", "1 month"),
    (pd.DateOffset(months=1), "1 month"),
    ("QS", "3 months"),
    ("YE", "1 year"),
    ("10YS", "10 years"),
]


def moments(step, count=12, start="2020-01-15 06:00"):
    return pd.date_range(start, periods=count, freq=step)


def series(step="h", drop=(), **columns):
    """Steps that count from 0, without some of them."""
    index = moments(step)
    frame = pd.DataFrame({"a": np.arange(12.0)} | columns, index=index)
    return frame.drop(index[list(drop)])


@pytest.mark.parametrize(("step", "told"), STEPS)
def test_a_step_is_told_in_the_largest_unit(step, told):
    index = moments(step).to_numpy()
    assert steps.step(index, np.zeros(len(index))) == told
    assert steps.numbers(index, told).tolist() == list(range(12))


def test_the_most_frequent_distance_within_a_series_is_the_step():
    index = pd.DatetimeIndex([*moments("D", 5), *moments("h", 4), *moments("D", 3)]).to_numpy()
    assert steps.step(index, np.repeat([0, 1, 2], [5, 4, 3])) == "1 day"
    assert steps.step(index[:3], np.arange(3)) == ""


@pytest.mark.parametrize(("step", "told"), STEPS)
def test_a_step_that_is_missing_gets_a_row_of_gaps(step, told):
    full = steps.complete("t", series(step, drop=[3, 4, 9]), told)
    assert full.index.is_monotonic_increasing
    assert full["a"].fillna(-1).tolist() == [0, 1, 2, -1, -1, 5, 6, 7, 8, -1, 10, 11]


def test_the_dates_of_missing_steps_are_those_between():
    assert steps.complete("t", series(drop=[1, 2]), "1 hour").index.equals(moments("h"))


def test_a_date_between_two_steps_is_refused():
    odd = series()
    odd.index = odd.index[:5].append(odd.index[5:] + pd.Timedelta("20min"))
    with pytest.raises(EvermodelError, match=r"^t has a row of 2020-01-15 11:20:00, .*two steps of 1 hour; "):
        steps.complete("t", odd, "1 hour")


def test_gaps_are_filled_from_before_or_between_and_never_beyond_the_ends():
    gaps = series(a=[np.nan, 1, np.nan, np.nan, 4, 5, 6, 7, 8, 9, 10, np.nan])
    forward, between = (
        steps.filled(gaps, how)["a"].fillna(-1).tolist() for how in ("forward", "interpolate")
    )
    assert forward == [-1, 1, 1, 1, 4, 5, 6, 7, 8, 9, 10, 10]
    assert between == [-1, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, -1]
    assert steps.filled(gaps, "refuse").equals(gaps)


def spec(**changes):
    columns = ({"name": "a"}, {"name": "b"})
    layout = {"date": "Day", "date_format": "%d.%m.%Y", "key": "shop"}
    return make_spec("series", **{"columns": columns, "step": "1 day", "layout": layout} | changes)


QUESTION = pd.DataFrame(
    {
        "a": [1.0, 2, 3, 4],
        "b": [5.0, 6, 7, 8],
        "Day": ["01.02.2024", "02.02.2024", "03.02.2024", "04.02.2024"],
    }
)


def test_the_last_steps_of_a_question_are_its_window():
    keys, x = steps.windows("q.csv", QUESTION, spec())
    assert keys == [""]
    assert x.tolist() == [[[2, 6], [3, 7], [4, 8]]]


def test_the_rows_of_a_question_may_come_in_any_order_where_they_have_dates():
    found = steps.windows("q.csv", QUESTION.iloc[[2, 0, 3, 1]].reset_index(drop=True), spec())
    assert found[1].tolist() == [[[2, 6], [3, 7], [4, 8]]]
    undated = QUESTION.drop(columns="Day").iloc[::-1].reset_index(drop=True)
    assert steps.windows("q.csv", undated, spec())[1].tolist() == [[[3, 7], [2, 6], [1, 5]]]


def test_each_series_of_a_question_gets_a_window():
    both = pd.concat([QUESTION.assign(shop=2), QUESTION.assign(shop=1, a=9.0)]).reset_index(drop=True)
    keys, x = steps.windows("q.csv", both, spec())
    assert keys == ["2", "1"]
    assert x[:, :, 0].tolist() == [[2, 3, 4], [9, 9, 9]]


def test_a_hole_in_a_question_is_filled_as_in_training_or_refused():
    hole = QUESTION.drop(index=2).reset_index(drop=True)
    assert steps.windows("q.csv", hole, spec(gaps="forward"))[1][0, :, 0].tolist() == [2, 2, 4]
    assert steps.windows("q.csv", hole, spec(gaps="interpolate"))[1][0, :, 0].tolist() == [2, 3, 4]
    assert steps.windows("q.csv", hole, spec(step=""))[1][0, :, 0].tolist() == [1, 2, 4]
    with pytest.raises(EvermodelError, match=r"q\.csv has no value of a at 2024-02-03, 2 steps before"):
        steps.windows("q.csv", hole, spec())


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        (QUESTION[:2], r"q\.csv has 2 rows; the 3 last steps are needed"),
        (QUESTION.assign(Day="2024-02-01"), r"q\.csv: row 1, column Day is '2024-02-01', not a date like %d"),
        (QUESTION.assign(Day="01.02.2024"), r"q\.csv has two rows of 2024-02-01; "),
    ],
)
def test_a_question_without_the_steps_it_needs_is_refused(wrong, told):
    with pytest.raises(EvermodelError, match=told):
        steps.windows("q.csv", wrong, spec())
