import math

import numpy as np
import pytest

from evermodel.core.data import Predictions, Split
from evermodel.core.errors import EvermodelError
from evermodel.evaluation import figures, statistics
from evermodel.models import persistence
from evermodel.tasks import forecasting
from tests.specs import make_spec

TODAY = np.array([10.0, 12.0, 11.0, 11.0])
TRUTH = np.array([12.0, 11.0, 11.0, 14.0])
TEST = Split(np.stack([np.zeros(4), TODAY], axis=1)[:, :, None].repeat(2, axis=2), TRUTH)
FORECAST = np.array([11.0, 13.0, 12.0, 14.0])


def test_the_last_step_of_the_first_column_is_what_persistence_says():
    scores = forecasting.score(TEST, FORECAST[:, None], make_spec())
    assert scores["persistence"].tolist() == TODAY.tolist()
    assert scores["persistence_squared_error"].tolist() == [4, 1, 0, 9]
    assert scores["squared_error"].tolist() == [1, 4, 1, 0]


def test_a_move_is_right_wrong_or_half_right_where_there_is_none():
    assert forecasting.score(TEST, FORECAST, make_spec())["direction"].tolist() == [1, 0, 0.5, 1]


def test_metrics_are_those_computed_by_hand():
    metrics = forecasting.metrics(forecasting.score(TEST, FORECAST, make_spec()), make_spec())
    assert metrics == pytest.approx(
        {
            "direction": 0.625,
            "mae": 1,
            "persistence_rmse": math.sqrt(3.5),
            "r2": 1 - 6 / 6,
            "rmse": math.sqrt(1.5),
            "skill": 1 - 1.5 / 3.5,
        }
    )


def test_persistence_itself_has_no_skill_and_no_direction():
    model = persistence.build((2, 2), "forecasting").fit(TEST.x, TEST.y)
    metrics = forecasting.metrics(forecasting.score(TEST, model.predict(TEST.x), make_spec()), make_spec())
    assert (metrics["skill"], metrics["direction"]) == (0, 0.5)


def test_a_series_that_stands_still_has_no_skill_to_tell():
    still = Split(TEST.x, TODAY)
    assert math.isnan(
        forecasting.metrics(forecasting.score(still, FORECAST, make_spec()), make_spec())["skill"]
    )


def test_the_interval_of_skill_is_wider_where_good_and_bad_days_come_in_runs():
    rng = np.random.default_rng(0)
    moves = rng.normal(size=512)
    test = Split(np.zeros((512, 1, 1)), moves)

    def width(right):
        scores = forecasting.score(test, np.where(right, moves, 0), make_spec())
        low, high = statistics.intervals(forecasting.statistics(make_spec()), scores, seed=0)["skill"]
        return high - low

    runs = np.arange(512) % 64 < 32
    assert width(runs) > 1.5 * width(rng.permutation(runs))


@pytest.mark.parametrize(("horizon", "prediction"), [(1, np.zeros((4, 3))), (3, np.zeros(4))])
def test_a_prediction_of_other_steps_is_refused(horizon, prediction):
    test = Split(TEST.x, np.zeros((4, 3)) if horizon > 1 else TRUTH)
    with pytest.raises(EvermodelError, match=rf"need \(4, {horizon}\)"):
        forecasting.score(test, prediction, make_spec(horizon=horizon))


# Two windows of four steps, and the two steps that follow; a season has three.
AHEAD = make_spec(horizon=2, season=3)
WINDOWS = Split(np.array([[[1.0], [2], [3], [4]], [[5], [6], [7], [8]]]), np.array([[3.0, 6], [8, 12]]))
TWO = np.array([[4.0, 6], [9, 10]])


def test_the_scores_of_a_window_are_the_means_of_its_steps():
    scores = forecasting.score(WINDOWS, TWO, AHEAD)
    assert scores[["target_1", "target_2"]].to_numpy().tolist() == WINDOWS.y.tolist()
    assert scores["absolute_error"].tolist() == [0.5, 1.5]
    assert scores["squared_error"].tolist() == [0.5, 2.5]
    assert scores["persistence_squared_error"].tolist() == [2.5, 8]
    assert scores["direction"].tolist() == [0.75, 0.75]


def test_the_season_before_is_the_step_of_that_place_in_it():
    scores = forecasting.score(WINDOWS, TWO, AHEAD)
    assert scores[["seasonal_1", "seasonal_2"]].to_numpy().tolist() == [[2, 3], [6, 7]]
    again = forecasting.score(
        Split(WINDOWS.x, np.zeros((2, 4))), np.zeros((2, 4)), make_spec(horizon=4, season=3)
    )
    assert again.filter(regex="seasonal_[0-9]").to_numpy().tolist() == [[2, 3, 4, 2], [6, 7, 8, 6]]


def test_metrics_are_over_all_steps_and_of_each():
    metrics = forecasting.metrics(forecasting.score(WINDOWS, TWO, AHEAD), AHEAD)
    assert metrics == pytest.approx(
        {
            "direction": 0.75,
            "mae": 1,
            "persistence_rmse": math.sqrt(5.25),
            "r2": 1 - 6 / 42.75,
            "rmse": math.sqrt(1.5),
            "skill": 1 - 1.5 / 5.25,
            "seasonal_rmse": math.sqrt((1 + 9 + 4 + 25) / 4),
            "seasonal_skill": 1 - 1.5 / 9.75,
            "rmse_1": 1,
            "rmse_2": math.sqrt(2),
            "skill_1": -1,
            "skill_2": 1 - 2 / 10,
        }
    )


def test_a_season_that_windows_do_not_hold_is_told():
    with pytest.raises(EvermodelError, match=r"windows of 4 steps .* season of 5; raise window in data/made"):
        forecasting.score(WINDOWS, TWO, make_spec(horizon=2, season=5))


def test_groups_of_neighbours_are_drawn_where_there_are_some():
    grouped = make_spec(groups={"train": 9, "validation": 2, "test": 3})
    assert all(one.in_time for one in forecasting.statistics(make_spec()).values())
    assert not any(one.in_time for one in forecasting.statistics(grouped).values())


def test_the_worst_windows_are_told_by_the_means_of_their_steps():
    rows = forecasting.worst(forecasting.score(WINDOWS, TWO, AHEAD), AHEAD, 1)
    assert rows.to_dict("index") == {1: {"true": 10, "predicted": 9.5, "off by": 1.5}}


def test_first_and_last_step_are_drawn_and_the_error_of_each():
    scores = forecasting.score(WINDOWS, TWO, AHEAD)
    with figures.look():
        drawn = forecasting.figures(scores, AHEAD, Predictions(WINDOWS, TWO, TWO, WINDOWS.x))
    labels = [axes.get_ylabel() for axes in drawn["forecast"].axes]
    assert labels == ["price, step 1", "price, step 2"]
    lines = {line.get_label(): line.get_ydata().tolist() for line in drawn["steps"].axes[0].lines}
    assert lines["forecast"] == pytest.approx([1, math.sqrt(2)])
    assert lines["one season before"] == pytest.approx([math.sqrt(2.5), math.sqrt(17)])


def test_the_forecast_is_drawn_beside_truth_and_persistence():
    scores = forecasting.score(TEST, FORECAST, make_spec())
    with figures.look():
        drawn = forecasting.figures(scores, make_spec(), Predictions(TEST, FORECAST, TODAY, TEST.x))
    lines = {line.get_label(): line.get_ydata().tolist() for line in drawn["forecast"].axes[0].lines}
    assert lines == {
        "truth": TRUTH.tolist(),
        "persistence": TODAY.tolist(),
        "forecast": FORECAST.tolist(),
    }
    assert drawn["forecast"].axes[0].get_ylabel() == "price"
