"""What is written of a table of dates and numbers."""

import numpy as np
import pandas as pd
import pytest

from evermodel.adding import finding, look, series
from tests.settings import refusal


@pytest.fixture
def entry(lying):
    """A function from a table to what is written of it as a series of sales."""

    def made(frame):
        frame.to_csv(lying / "shop.csv", index=False)
        found = finding.find(str(lying / "shop.csv"))
        with found.raw() as folder:
            return series.entry(found, look.look(folder, found.options), "sales")

    return made


def days(count, start="2024-01-13"):
    drawn = np.random.default_rng(3)
    return pd.DataFrame(
        {
            "day": pd.date_range(start, periods=count).strftime("%d.%m.%Y"),
            "sales": drawn.normal(0, 5, count).round(1) + 20 * (np.arange(count) % 7 == 0),
            "note": drawn.choice(["a", "b"], count),
        }
    )


def of_reader(found):
    return found.dataset["source"]["reader"], found.dataset["source"]["editions"][0]["options"]


def test_days_have_weeks_and_what_is_no_number_goes(entry):
    found = entry(days(300))
    assert of_reader(found) == ("series", {"date": "day", "format": "%d.%m.%Y"})
    values = {key: found.dataset.get(key) for key in ("window", "season", "drop", "gaps", "step")}
    assert values == {"window": 14, "season": 7, "drop": ["note"], "gaps": None, "step": None}
    assert found.dataset["split"] == {"method": "time", "test": 0.2, "validation": 0.1}
    low, high = found.dataset["expect"]["ranges"]["sales"]
    assert low < -10 < 10 < high
    assert found.experiments["lstm"]["baseline"] == "persistence"


def noisy(frame):
    """The same dates, of which none tells anything of another."""
    return frame.assign(sales=np.random.default_rng(4).normal(0, 5, len(frame)).round(1))


def test_a_season_is_one_only_if_what_lies_before_the_test_rows_repeats_itself(entry):
    found = entry(days(300))
    assert any("7 steps" in sentence for sentence in found.assumed)
    without = entry(noisy(days(300)))
    assert (without.dataset["window"], without.dataset.get("season")) == (30, None)
    only_the_test = noisy(days(300))
    only_the_test.loc[240:, "sales"] += 90 * (np.arange(60) % 7 == 0)
    assert "season" not in entry(only_the_test).dataset


def test_months_repeat_themselves_each_year_also_if_they_are_few(entry):
    year = 10 * np.sin(np.arange(84) * np.pi / 6)
    months = pd.DataFrame({"day": pd.date_range("2017-01-01", periods=84, freq="MS"), "sales": year})
    found = entry(months.assign(sales=year + np.arange(84)))
    assert (found.dataset["window"], found.dataset["season"]) == (12, 12)


def test_a_missing_day_or_value_is_a_gap_that_the_one_before_fills(entry):
    missing = days(300).drop(index=[17])
    assert entry(missing).dataset["gaps"] == "forward"
    empty = days(300)
    empty.loc[17, "sales"] = np.nan
    assert entry(empty).dataset["gaps"] == "forward"


def test_rows_that_come_when_they_like_are_steps(entry):
    frame = days(300)
    hours = pd.to_datetime(frame["day"], format="%d.%m.%Y") + pd.to_timedelta(np.arange(300) % 7, "h")
    found = entry(frame.assign(day=hours.astype(str)))
    assert found.dataset["step"] == "rows"
    assert "season" not in found.dataset


def test_several_series_are_told_apart_by_a_column(entry):
    both = pd.concat([days(100).assign(shop="Ulm"), days(80).assign(shop="Bonn")])
    found = entry(both)
    assert found.dataset["season"] == 7
    assert of_reader(found)[1]["key"] == "shop"
    assert found.dataset["window"] == 8  # a tenth of the shorter one
    assert "no column tells several series apart" in refusal(entry, both.drop(columns="shop"))


def test_without_dates_or_numbers_there_is_no_series(entry):
    assert "no column has dates" in refusal(entry, days(50).drop(columns="day"))
    words = days(50).assign(sales=["much", "little"] * 25)
    assert "sales is no number" in refusal(entry, words)
