import numpy as np
import pandas as pd
import pytest

from evermodel.core import data
from evermodel.core.data import Raw
from evermodel.core.errors import EvermodelError
from evermodel.preparing import preparing
from tests.specs import make_dataset, make_source

START = pd.Timestamp(2024, 1, 1)


def steps(count=30, **columns):
    """Days, with numbers that tell which one it is."""
    dates = pd.date_range(START, periods=count)
    return pd.DataFrame({"date": dates, "price": np.arange(count, dtype=float)} | columns)


@pytest.fixture
def prepared(tmp_path):
    """The spec and the splits of series as a task that predicts a number sees them."""

    def prepare(manifest, split=None, **rules):
        chosen = {"method": "time", "test": 0.2, "validation": 0.25} | (split or {})
        rules = make_dataset(**{"target": "price", "window": 4, "split": chosen} | rules)
        raw = Raw("series", manifest.reset_index(drop=True))
        folder = tmp_path / str(len(list(tmp_path.iterdir())))
        spec = preparing.prepare("made", raw, rules, make_source(), folder)
        data.save_spec(folder, spec, {})
        return spec, data.load(folder, "number", *data.SPLITS).splits

    return prepare


def test_a_window_is_what_was_known_before_the_step_that_is_predicted(prepared):
    spec, splits = prepared(steps())
    assert (spec.input_shape, spec.horizon, spec.step, spec.groups) == ((4, 1), 1, "1 day", {})
    assert splits["train"].x[0].tolist() == [[0], [1], [2], [3]]
    assert splits["train"].y.tolist() == list(range(4, 18))
    assert splits["validation"].y.tolist() == list(range(18, 24))
    assert splits["test"].y.tolist() == list(range(24, 30))
    assert splits["test"].x[0].tolist() == [[20], [21], [22], [23]]


def test_a_change_of_a_step_reaches_only_the_windows_after_it(prepared):
    _, before = prepared(steps())
    _, after = prepared(steps(price=np.where(np.arange(30) == 20, 99.0, np.arange(30.0))))
    assert np.array_equal(before["train"].x, after["train"].x)
    assert (before["validation"].x != after["validation"].x).any(axis=(1, 2)).tolist() == [False] * 3 + [
        True
    ] * 3


def test_other_columns_stand_beside_the_past_of_the_target(prepared):
    spec, splits = prepared(steps(volume=np.arange(30) * 10.0, name="x"), drop=["name"])
    assert spec.names == ("price", "volume")
    assert splits["train"].x[0].tolist() == [[0, 0], [1, 10], [2, 20], [3, 30]]


def test_columns_and_target_are_described_by_the_training_steps_alone(prepared):
    spec, _ = prepared(steps(volume=np.where(np.arange(30) < 18, 0.1, 1e6)))
    price, volume = spec.columns
    assert (price.low, price.high, price.mean, price.median) == (0, 17, 8.5, 8.5)
    assert price.variance == pytest.approx(np.arange(18).var())
    assert (volume.mean, volume.variance) == (0.1, 0)
    assert spec.target_mean == pytest.approx((np.arange(4, 18).mean(),))
    assert spec.target_sd == pytest.approx((np.arange(4, 18).std(),))


def test_a_horizon_asks_for_the_steps_that_follow_and_stays_in_its_split(prepared):
    spec, splits = prepared(steps(), horizon=3, season=4)
    assert (spec.horizon, spec.season) == (3, 4)
    assert splits["train"].y[[0, -1]].tolist() == [[4, 5, 6], [15, 16, 17]]
    assert splits["train"].x[-1].ravel().tolist() == [11, 12, 13, 14]
    assert splits["test"].y.tolist() == [[24, 25, 26], [25, 26, 27], [26, 27, 28], [27, 28, 29]]
    assert len(spec.target_mean) == len(spec.target_sd) == 1
    assert spec.target_mean == pytest.approx((splits["train"].y.mean(),))


def test_windows_that_share_steps_are_in_one_group(prepared):
    spec, splits = prepared(steps(), horizon=3)
    assert splits["test"].group.tolist() == [0, 0, 0, 1]
    assert spec.groups["test"] == 2


def two_series():
    """The second one begins ten days later, and is a thousand higher."""
    later = steps(20)
    later = later.assign(date=later["date"] + pd.Timedelta(days=10), price=later["price"] + 1000)
    return pd.concat([steps().assign(series="a"), later.assign(series="b")])


def test_no_window_goes_from_one_series_into_another_and_all_are_cut_at_one_date(prepared):
    spec, splits = prepared(two_series())
    assert splits["train"].y.tolist() == [*range(4, 18), *range(1004, 1008)]
    assert splits["test"].y.tolist() == [*range(24, 30), *range(1014, 1020)]
    assert {tuple(np.ptp(one.x, axis=1).ravel()) for one in splits.values()} == {(3.0,) * 18, (3.0,) * 12}
    assert splits["test"].group.tolist() == [0, 0, 1, 1, 2, 2] * 2
    assert spec.groups["test"] == 3


def test_the_test_begins_on_a_date_that_is_given(prepared):
    _, splits = prepared(steps(), split={"test": None, "test_from": "2024-01-21"})
    assert splits["test"].y.tolist() == list(range(20, 30))
    assert splits["validation"].y.tolist() == list(range(15, 20))


def test_a_split_that_the_source_declares_is_kept(prepared):
    declared = ["train"] * 20 + ["validation"] * 4 + ["test"] * 6
    _, splits = prepared(steps(split=declared), split={"test": None})
    assert splits["validation"].y.tolist() == [20, 21, 22, 23]
    assert splits["test"].y.tolist() == list(range(24, 30))
    _, splits = prepared(steps(split=["train"] * 20 + ["test"] * 10), split={"test": None})
    assert splits["validation"].y.tolist() == [15, 16, 17, 18, 19]


def test_a_split_that_nobody_declares_is_asked_for(prepared):
    with pytest.raises(EvermodelError, match=r"made/params\.yaml: .*declares no split; add split\.test"):
        prepared(steps(), split={"test": None})


def gaps():
    """A day that is missing in the middle of the training, and a price in the middle of the test."""
    found = steps()
    found.loc[26, "price"] = np.nan
    return found.drop(index=8)


def test_gaps_are_refused_with_the_first_one(prepared):
    with pytest.raises(EvermodelError, match=r"no row of 2024-01-09; .*`gaps: forward` .*`step: rows`"):
        prepared(gaps())
    with pytest.raises(EvermodelError, match=r"no value of price of 2024-01-27; .*`gaps: forward`"):
        prepared(gaps(), step="rows")


def test_a_gap_is_filled_and_nobody_has_to_predict_it(prepared):
    spec, splits = prepared(gaps(), gaps="forward")
    assert (spec.gaps, spec.rows["test"]) == ("forward", 5)
    assert spec.columns[0].missing == pytest.approx(1 / 18)
    assert splits["train"].y.tolist() == [4, 5, 6, 7, 9, 10, 11, 12, 13, 14, 15, 16, 17]
    assert splits["train"].x[4].ravel().tolist() == [5, 6, 7, 7]
    assert splits["test"].y.tolist() == [24, 25, 27, 28, 29]


def test_no_window_ends_in_a_value_that_knows_what_follows(prepared):
    _, splits = prepared(gaps(), gaps="interpolate")
    assert splits["train"].y.tolist() == [4, 5, 6, 7, 10, 11, 12, 13, 14, 15, 16, 17]
    assert splits["train"].x[4].ravel().tolist() == [6, 7, 8, 9]
    assert splits["test"].y.tolist() == [24, 25, 28, 29]


def test_where_each_row_is_a_step_a_day_without_one_is_no_gap(prepared):
    spec, splits = prepared(steps().drop(index=[8, 9]), step="rows")
    assert spec.step == ""
    assert splits["train"].x[4].ravel().tolist() == [4, 5, 6, 7]
    assert splits["train"].y[4] == 10


@pytest.mark.parametrize("window", [None, 18, 100])
def test_a_window_that_does_not_fit_into_the_training_steps_is_refused(prepared, window):
    with pytest.raises(EvermodelError, match=rf"params\.yaml: window is {window}, .* below 18"):
        prepared(steps(), window=window)


def test_a_season_longer_than_a_window_is_refused(prepared):
    with pytest.raises(EvermodelError, match=r"season is 5, but a window has 4 steps, .*; raise window"):
        prepared(steps(), season=5)


@pytest.mark.parametrize(
    ("rules", "told"),
    [
        ({"split": {"method": "shuffle"}}, "split.method is shuffle, which would mix the steps of a series"),
        ({"gaps": "fill"}, "gaps is fill, which is for tables"),
        ({"target": "profit"}, "no column 'profit'; set target in .* to one of price, name"),
        ({"drop": ["profit"]}, "no column 'profit'; set drop in .* to one of price, name"),
        ({}, "column 'name' is no number in every row; .*drop"),
        ({"horizon": 7, "drop": ["name"]}, "split gives validation no row, of 30 steps, .* 7 to predict"),
    ],
)
def test_what_does_not_fit_is_told(prepared, rules, told):
    with pytest.raises(EvermodelError, match=told):
        prepared(steps(name="x"), **rules)
