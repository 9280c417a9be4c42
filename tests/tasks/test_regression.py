import math

import numpy as np
import pytest

from evermodel.core.data import Predictions, Split
from evermodel.core.errors import EvermodelError
from evermodel.evaluation import statistics
from evermodel.tasks import regression
from tests.specs import make_spec

Y = np.array([1.0, 2.0, 3.0, 4.0])
TEST = Split(np.zeros((4, 2)), Y)


def test_scores_have_one_row_per_example_in_order():
    scores = regression.score(TEST, np.array([[1.5], [2.0], [1.0], [4.0]], dtype=np.float32), make_spec())
    assert scores["target"].tolist() == [1, 2, 3, 4]
    assert scores["prediction"].tolist() == [1.5, 2, 1, 4]
    assert scores["absolute_error"].tolist() == [0.5, 0, 2, 0]
    assert scores["squared_error"].tolist() == [0.25, 0, 4, 0]


def test_a_flat_prediction_scores_like_a_column():
    flat, column = (regression.score(TEST, Y.reshape(shape) + 1, make_spec()) for shape in ((4,), (4, 1)))
    assert flat.equals(column)


def test_metrics_are_those_computed_by_hand():
    metrics = regression.metrics(regression.score(TEST, np.array([1.5, 2, 1, 4]), make_spec()), make_spec())
    assert metrics == pytest.approx(
        {
            "mae": 0.625,
            "max_error": 2,
            "median_absolute_error": 0.25,
            "mse": 1.0625,
            "r2": 1 - 4.25 / 5,
            "rmse": math.sqrt(1.0625),
        }
    )


def test_a_prediction_of_another_size_is_refused():
    with pytest.raises(EvermodelError, match=r"\(4, 2\).*need \(4, 1\).*price"):
        regression.score(TEST, np.zeros((4, 2)), make_spec())


@pytest.mark.parametrize("broken", [np.nan, np.inf, -np.inf])
def test_a_prediction_that_is_not_finite_is_refused(broken):
    with pytest.raises(EvermodelError, match="no finite number for 1 of 4 test rows"):
        regression.score(TEST, np.array([1, 2, broken, 4]), make_spec())


def test_the_interval_of_rmse_is_the_root_of_that_of_mse():
    scores = regression.score(TEST, np.array([1.5, 2, 1, 4]), make_spec())
    intervals = statistics.intervals(regression.statistics(make_spec()), scores, seed=1)
    assert intervals["rmse"] == pytest.approx([math.sqrt(bound) for bound in intervals["mse"]])


def test_the_worst_are_the_largest_errors_first_with_their_rows():
    scores = regression.score(TEST, np.array([1.5, 2, 1, 4]), make_spec())
    worst = regression.worst(scores, make_spec(), 2)
    assert worst.index.tolist() == [2, 0]
    assert worst["off by"].tolist() == [2, 0.5]
    assert worst["true"].tolist() == [3, 1]


def test_axes_say_what_was_predicted():
    scores = regression.score(TEST, Y + 1, make_spec())
    drawn = regression.figures(scores, make_spec(), Predictions(TEST, Y + 1, Y, TEST.x))
    assert set(drawn) == {"predicted_true", "residuals"}
    axes = drawn["predicted_true"].axes[0]
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("true price", "predicted price")
