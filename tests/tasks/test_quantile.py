import numpy as np
import pytest
from sklearn.metrics import mean_pinball_loss

from evermodel.core.data import Split
from evermodel.core.errors import EvermodelError
from evermodel.models import constant
from evermodel.tasks import quantile
from tests.specs import make_spec

Y = np.array([1.0, 2.0, 3.0, 4.0])
PREDICTION = np.array([2.0, 2.0, 1.0, 5.0])
TEST = Split(Y, Y)


def test_what_is_above_costs_the_quantile_and_what_is_below_the_rest():
    scores = quantile.score(TEST, PREDICTION, make_spec(), quantile=0.9)
    assert scores["pinball"].tolist() == pytest.approx([0.1, 0, 1.8, 0.1])
    assert scores["covered"].tolist() == [1, 1, 0, 1]


@pytest.mark.parametrize("share", [0.1, 0.5, 0.95])
def test_the_loss_is_that_of_scikit_learn(share):
    metrics = quantile.metrics(quantile.score(TEST, PREDICTION, make_spec(), quantile=share), make_spec())
    assert metrics["pinball"] == pytest.approx(mean_pinball_loss(Y, PREDICTION, alpha=share))
    assert metrics["coverage"] == 0.75
    assert metrics["mae"] == pytest.approx(1)


def test_the_constant_baseline_says_the_quantile_of_the_training_rows():
    y = np.arange(101.0)
    model = constant.build((1,), "number", quantile=0.9).fit(y[:, None], y)
    assert model.predict(y[:2, None]).tolist() == [90, 90]


def test_a_prediction_of_another_shape_is_refused():
    with pytest.raises(EvermodelError, match="predicted an array of shape"):
        quantile.score(TEST, np.stack([PREDICTION, PREDICTION], axis=1), make_spec(), quantile=0.9)
