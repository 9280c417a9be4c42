import numpy as np
import pandas as pd
import pytest

RANGES = {"Open": [50, 200], "Close": [1, 1000]}
PRICES = {"target": "Open", "step": "rows", "expect": {"min_rows": 50, "ranges": RANGES}}
HOURS = {"target": "flow", "expect": {"min_rows": 50}}


@pytest.fixture
def prices() -> pd.DataFrame:
    """A price that sways around 100, on workdays."""
    days = pd.bdate_range("2012-01-02", periods=100)
    level = 100 + 10 * np.sin(np.arange(100) / 9)
    return pd.DataFrame(
        {"split": ["train"] * 80 + ["test"] * 20, "date": days, "Open": level, "Close": level + 1}
    )


@pytest.fixture
def hours() -> pd.DataFrame:
    """The flow of two tides, below zero half of the time, every hour."""
    count = np.arange(100)
    one = pd.DataFrame(
        {
            "date": pd.date_range("2024-01-01", periods=100, freq="h"),
            "flow": np.sin(count / 2),
            "t": 20.5 - count,
        }
    )
    return pd.concat([one.assign(series="a"), one.assign(series="b")], ignore_index=True)


def test_good_prices_break_nothing(broken, prices):
    assert broken(PRICES, "series", prices) == []


def test_too_few_days_are_counted(broken, prices):
    assert broken(PRICES, "series", prices[:49]) == [
        'critical: "at least 50 steps" does not hold (found: 49)'
    ]


def test_no_days_are_too_few(broken, prices):
    assert broken(PRICES, "series", prices[:0]) == ['critical: "at least 50 steps" does not hold (found: 0)']


def test_a_missing_target_is_named(broken, prices):
    (only,) = broken(PRICES, "series", prices.drop(columns="Open"))
    assert only.startswith('critical: column Open: "the target is a column"')


def test_a_missing_date_is_named(broken, prices):
    prices.loc[4, "date"] = pd.NaT
    (only,) = broken(PRICES, "series", prices)
    assert only == """critical: column date: "no date is missing" does not hold in 1 row (row 5: 'NaT')"""


def test_dates_that_do_not_go_on_are_named(broken, prices):
    prices.loc[4, "date"] = prices.loc[3, "date"]
    prices.loc[[10, 11], "date"] = prices.loc[[11, 10], "date"].to_numpy()
    critical = [one for one in broken(PRICES, "series", prices) if one.startswith("critical")]
    assert critical == [
        'critical: column date: "the dates go on, and none is repeated" does not hold '
        "(found: 0 steps of 1 day to 2012-01-05, -1 steps of 1 day to 2012-01-16)"
    ]


def test_a_long_time_without_a_row_is_a_warning_where_rows_come_when_they_like(broken, prices):
    (only,) = broken(PRICES, "series", prices.drop(range(10, 15)))
    assert only == (
        'warning: column date: "no row comes more than 7 steps of 1 day after the one before" does not hold '
        "(found: 10 steps of 1 day to 2012-01-23)"
    )


def test_any_step_and_values_below_zero_break_nothing(broken, hours):
    assert broken(HOURS, "series", hours) == []


def test_a_step_that_is_missing_is_named_with_its_series(broken, hours):
    (only,) = broken(HOURS, "series", hours.drop(index=[110, 111]))
    assert only == (
        'critical: column date: "every row comes 1 hour after the one before" does not hold '
        "(found: 3 steps of 1 hour to 2024-01-01 12:00:00 of b)"
    )


def test_gaps_that_are_filled_are_no_fault_up_to_the_share_that_may_be(broken, hours):
    hours.loc[10:29, "flow"] = np.nan
    filled = HOURS | {"gaps": "forward"}
    assert broken(filled, "series", hours) == []
    (only,) = broken(filled, "series", hours.drop(index=50))
    assert only.startswith('warning: column date: "every row comes 1 hour after')
    few = {"expect": {"min_rows": 50, "gaps": {"flow": 0.05}}}
    (only,) = broken(filled | few, "series", hours)
    assert only.startswith('critical: column flow: "at most 5% is missing" does not hold in 20 rows')
    assert broken(filled | {"expect": {"min_rows": 50, "gaps": {"flow": 0.2}}}, "series", hours) == []


def test_a_column_that_is_dropped_is_not_examined(broken, hours):
    assert broken(HOURS | {"drop": ["weather"]}, "series", hours.assign(weather="rain")) == []


def test_a_price_out_of_its_range_is_named(broken, prices):
    (only,) = broken(PRICES | {"expect": {"min_rows": 50, "ranges": {"Open": [95, 200]}}}, "series", prices)
    assert only.startswith('critical: column Open: "every value lies in 95 to 200" does not hold in ')


@pytest.mark.parametrize(("value", "found"), [(np.nan, "row 5)"), (np.inf, "row 5: 'inf')")])
def test_a_missing_or_infinite_price_is_named(broken, prices, value, found):
    prices.loc[4, "Open"] = value
    critical = [one for one in broken(PRICES, "series", prices) if one.startswith("critical")]
    assert len(critical) == 1
    assert found in critical[0]


def test_text_among_prices_is_named(broken, prices):
    (only,) = broken(PRICES, "series", prices.assign(Close=["n/a", *["1.5"] * 99]))
    assert 'column Close: "every value is a number (drop leaves the column out)" does not' in only
    assert "in 1 row (row 1: 'n/a')" in only


def test_a_constant_price_is_a_warning(broken, prices):
    assert broken(PRICES, "series", prices.assign(Close=3.0)) == [
        'warning: column Close: "the values are not all the same" does not hold (found: 1)'
    ]


@pytest.mark.parametrize("factor", [2, 0.5])
def test_a_split_of_shares_that_was_not_adjusted_is_a_warning(broken, prices, factor):
    prices.loc[50:, "Close"] *= factor
    (only,) = broken(PRICES, "series", prices)
    assert only.startswith(
        'warning: column Close: "no change from one step to the next is above 50% of the smaller value" does '
    )
    assert only.endswith("% on 2012-03-12)")


def test_only_the_first_of_many_jumps_are_shown(broken, prices):
    prices.loc[::10, "Close"] *= 3
    (only,) = [one for one in broken(PRICES, "series", prices) if "no change" in one]
    assert only.count("% on") == 3
    assert only.endswith(" and 16 more)")
