import numpy as np
import pytest

from evermodel.core.data import Predictions, Split
from evermodel.core.errors import EvermodelError
from evermodel.evaluation import figures
from evermodel.tasks import multiregression
from tests.specs import make_spec

Y = np.array([[1.0, 100], [2, 300], [3, 200], [4, 400]])
PREDICTION = Y + np.array([[0.5, 0], [0, -100], [-2, 0], [0, 50]])
TEST = Split(Y, Y)


@pytest.fixture
def spec():
    return make_spec(targets=("kilos", "grams"), target_mean=(0, 0), target_sd=(0.5, 100))


def test_errors_are_in_deviations_of_the_training_rows(spec):
    scores = multiregression.score(TEST, PREDICTION, spec)
    assert scores["scaled_error"].tolist() == [0.5, 0.5, 2, 0.25]
    assert scores["scaled_squared_error"].tolist() == [0.5, 0.5, 8, 0.125]
    assert scores["target_grams"].tolist() == Y[:, 1].tolist()


def test_metrics_are_of_each_number_in_its_unit_and_of_all_in_deviations(spec):
    metrics = multiregression.metrics(multiregression.score(TEST, PREDICTION, spec), spec)
    assert metrics == pytest.approx(
        {
            "mae_grams": 37.5,
            "mae_kilos": 0.625,
            "r2_grams": 1 - 12500 / 50000,
            "r2_kilos": 1 - 4.25 / 5,
            "rmse_grams": np.sqrt(12500 / 4),
            "rmse_kilos": np.sqrt(4.25 / 4),
            "scaled_mae": (0.625 / 0.5 + 37.5 / 100) / 2,
            "scaled_rmse": np.sqrt((4.25 / 4 / 0.25 + 12500 / 4 / 100**2) / 2),
        }
    )


def test_another_unit_changes_no_scaled_error(spec):
    in_tons = spec.model_copy(update={"target_sd": (0.0005, 100)})
    both = [
        multiregression.score(Split(Y, Y * unit), PREDICTION * unit, one)["scaled_error"].tolist()
        for unit, one in (([1, 1], spec), ([0.001, 1], in_tons))
    ]
    assert both[0] == pytest.approx(both[1])


@pytest.mark.parametrize("prediction", [PREDICTION[:, :1], PREDICTION[:3], PREDICTION * np.inf])
def test_a_prediction_without_each_number_is_refused(spec, prediction):
    with pytest.raises(EvermodelError, match="predicted"):
        multiregression.score(TEST, prediction, spec)


def test_there_is_a_panel_for_each_number(spec):
    scores = multiregression.score(TEST, PREDICTION, spec)
    with figures.look():
        drawn = multiregression.figures(scores, spec, Predictions(TEST, PREDICTION, PREDICTION, Y))
    assert [axes.get_xlabel() for axes in drawn["predicted_true"].axes] == ["true kilos", "true grams"]
