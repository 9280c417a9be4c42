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


def test_a_prediction_of_several_steps_is_refused():
    with pytest.raises(EvermodelError, match=r"\(4, 3\).*need \(4, 1\)"):
        forecasting.score(TEST, np.zeros((4, 3)), make_spec())


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
