import numpy as np
import pandas as pd
import pytest
from numpy.lib.stride_tricks import sliding_window_view
from sklearn.linear_model import Ridge

from evermodel.datasets.source import Edition
from evermodel.samples import prices

FILES = {"train": "prices_train.csv", "test": "prices_test.csv"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("prices")
    edition = Edition.model_validate(
        {
            "name": "csv",
            "options": {"splits": FILES, "date": "Date"},
            "files": [{"name": name, "bytes": 1, "sha256": "0" * 64} for name in FILES.values()],
        }
    )
    prices.write(folder, edition)
    return folder


@pytest.fixture(scope="module")
def parts(folder):
    return {
        split: pd.read_csv(folder / name, thousands=",", parse_dates=["Date"])
        for split, name in FILES.items()
    }


def test_a_line_looks_as_in_the_real_table(folder):
    lines = (folder / FILES["train"]).read_bytes().decode().split("\r\n")
    assert lines[0] == "Date,Open,High,Low,Close,Volume"
    assert lines[1].startswith("3/20/2014,")
    assert lines[1].endswith('00"')
    assert lines[1].count('"') == 2


def test_the_test_is_of_the_year_that_follows(parts):
    train, test = parts["train"]["Date"], parts["test"]["Date"]
    assert (len(train), len(test)) == (700, 60)
    assert train.iloc[-1].year == 2016
    assert test.iloc[0].year == 2017


def test_every_day_is_a_trading_day_and_comes_once(parts):
    days = pd.concat(parts)["Date"]
    assert days.is_monotonic_increasing
    assert days.is_unique
    assert (days.dt.day_of_week < 5).all()
    assert not days.isin(pd.to_datetime(["2014-07-04", "2015-12-25", "2017-01-02"])).any()


def test_the_prices_of_a_day_lie_between_its_lowest_and_its_highest(parts):
    days = pd.concat(parts)
    for price in ("Open", "Close"):
        assert days[price].between(days["Low"], days["High"]).all()


def test_the_next_opening_can_be_foretold_better_than_by_today_s(parts):
    opened = np.concatenate([parts[split]["Open"] for split in ("train", "test")])
    windows = sliding_window_view(opened, 61)
    train, test = windows[:-60], windows[-60:]
    foretold = Ridge().fit(train[:, :-1], train[:, -1]).predict(test[:, :-1])
    error, persistence = (np.mean((x - test[:, -1]) ** 2) for x in (foretold, test[:, -2]))
    assert error < 0.5 * persistence
