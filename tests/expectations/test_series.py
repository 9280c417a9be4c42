import numpy as np
import pandas as pd
import pytest

PRICES = {"target": "Open", "expect": {"min_rows": 50, "ranges": {"Open": [50, 200]}}}


@pytest.fixture
def prices() -> pd.DataFrame:
    """A price that sways around 100, on workdays."""
    days = pd.bdate_range("2012-01-02", periods=100)
    level = 100 + 10 * np.sin(np.arange(100) / 9)
    return pd.DataFrame(
        {"split": ["train"] * 80 + ["test"] * 20, "date": days, "Open": level, "Close": level + 1}
    )


def test_good_prices_break_nothing(broken, prices):
    assert broken(PRICES, "series", prices) == []


def test_too_few_days_are_counted(broken, prices):
    assert broken(PRICES, "series", prices[:49]) == ['critical: "at least 50 days" does not hold (found: 49)']


def test_no_days_are_too_few(broken, prices):
    assert broken(PRICES, "series", prices[:0]) == ['critical: "at least 50 days" does not hold (found: 0)']


def test_a_missing_target_is_named(broken, prices):
    (only,) = broken(PRICES, "series", prices.drop(columns="Open"))
    assert only.startswith('critical: column Open: "the target is a column"')


def test_a_missing_date_is_named(broken, prices):
    prices.loc[4, "date"] = pd.NaT
    (only,) = broken(PRICES, "series", prices)
    assert only == """critical: column date: "no date is missing" does not hold in 1 row (row 5: 'NaT')"""


def test_a_repeated_date_is_named(broken, prices):
    prices.loc[4, "date"] = prices.loc[3, "date"]
    (only,) = broken(PRICES, "series", prices)
    assert only.startswith('critical: column date: "no date is repeated" does not hold in 2 rows')


def test_dates_out_of_order_are_named(broken, prices):
    prices.loc[[3, 4], "date"] = prices.loc[[4, 3], "date"].to_numpy()
    critical = [one for one in broken(PRICES, "series", prices) if one.startswith("critical")]
    assert critical == [
        'critical: column date: "the dates are in order" does not hold (found: -1 days to 2012-01-05)'
    ]


def test_a_gap_is_a_warning(broken, prices):
    (only,) = broken(PRICES, "series", prices.drop(range(10, 15)))
    assert only == (
        'warning: column date: "no date comes more than 7 days after the one before" does not hold '
        "(found: 10 days to 2012-01-23)"
    )


@pytest.mark.parametrize("value", [0, -3])
def test_a_price_that_is_not_positive_is_named(broken, prices, value):
    prices.loc[4, "Close"] = value
    (only,) = [one for one in broken(PRICES, "series", prices) if one.startswith("critical")]
    assert only.startswith(
        'critical: column Close: "every value is positive" does not hold in 1 row (row 5: '
    )


def test_a_price_out_of_its_range_is_named(broken, prices):
    (only,) = broken({**PRICES, "expect": {"min_rows": 50, "ranges": {"Open": [95, 200]}}}, "series", prices)
    assert only.startswith('critical: column Open: "every value lies in 95 to 200" does not hold in ')


@pytest.mark.parametrize(("value", "found"), [(np.nan, "row 5)"), (np.inf, "row 5: 'inf')")])
def test_a_missing_or_infinite_price_is_named(broken, prices, value, found):
    prices.loc[4, "Open"] = value
    critical = [one for one in broken(PRICES, "series", prices) if one.startswith("critical")]
    assert len(critical) == 1
    assert found in critical[0]


def test_text_among_prices_is_named(broken, prices):
    (only,) = broken(PRICES, "series", prices.assign(Close=["n/a", *["1.5"] * 99]))
    assert """column Close: "every value is a number" does not hold in 1 row (row 1: 'n/a')""" in only


def test_a_constant_price_is_a_warning(broken, prices):
    assert broken(PRICES, "series", prices.assign(Close=3.0)) == [
        'warning: column Close: "the values are not all the same" does not hold (found: 1)'
    ]


@pytest.mark.parametrize("factor", [2, 0.5])
def test_a_split_of_shares_that_was_not_adjusted_is_a_warning(broken, prices, factor):
    prices.loc[50:, "Close"] *= factor
    (only,) = broken(PRICES, "series", prices)
    assert only.startswith(
        'warning: column Close: "no daily change is above 50% of the smaller value" does not hold (found: '
    )
    assert only.endswith("% on 2012-03-12)")


def test_only_the_first_of_many_jumps_are_shown(broken, prices):
    prices.loc[::10, "Close"] *= 3
    (only,) = [one for one in broken(PRICES, "series", prices) if "daily change" in one]
    assert only.count("% on") == 3
    assert only.endswith(" and 16 more)")
