import numpy as np
import pytest

from evermodel.core.data import Split
from evermodel.core.errors import EvermodelError
from evermodel.models import constant, linear
from evermodel.tasks import multilabel
from tests.specs import make_spec

Y = np.array([[1.0, 0], [1, 1], [0, 0], [0, 1]])
P = np.array([[0.9, 0.2], [0.4, 0.6], [0.3, 0.7], [0.1, 0.8]])
TEST = Split(Y, Y)


@pytest.fixture
def spec():
    return make_spec(targets=("hot", "wet"))


def test_scores_are_of_each_label(spec):
    scores = multilabel.score(TEST, P, spec)
    assert scores["target_hot"].tolist() == [1, 1, 0, 0]
    assert scores["predicted_hot"].tolist() == [1, 0, 0, 0]
    assert scores["predicted_wet"].tolist() == [0, 1, 1, 1]
    assert scores["hamming_loss"].tolist() == [0, 0.5, 0.5, 0]
    assert scores["log_loss"].tolist() == pytest.approx(
        (-np.log([[0.9, 0.8], [0.4, 0.6], [0.7, 0.3], [0.9, 0.8]])).mean(axis=1).tolist()
    )


def test_metrics_are_those_computed_by_hand(spec):
    metrics = multilabel.metrics(multilabel.score(TEST, P, spec), spec)
    hot, wet = 2 / 3, 4 / 5
    assert metrics == pytest.approx(
        {
            "average_precision": (1 + (1 + 2 / 3) / 2) / 2,
            "average_precision_hot": 1,
            "average_precision_wet": (1 + 2 / 3) / 2,
            "exact_match": 0.5,
            "f1": (hot + wet) / 2,
            "f1_hot": hot,
            "f1_wet": wet,
            "hamming_loss": 0.25,
            "log_loss": -np.log([0.9, 0.8, 0.4, 0.6, 0.7, 0.3, 0.9, 0.8]).mean(),
            "micro_f1": 2 * 3 / (4 + 4),
            "precision_hot": 1,
            "precision_wet": 2 / 3,
            "recall_hot": 0.5,
            "recall_wet": 1,
        }
    )


def test_a_label_that_no_test_row_has_is_in_no_mean(spec):
    truth = Y * [1, 0]
    metrics = multilabel.metrics(multilabel.score(Split(truth, truth), P, spec), spec)
    assert metrics["f1"] == metrics["f1_hot"] == pytest.approx(2 / 3)
    assert "f1_wet" not in metrics


@pytest.mark.parametrize("wrong", [2.0, 0.5, -1.0, np.nan])
def test_a_target_that_is_neither_0_nor_1_is_refused(spec, wrong):
    truth = Y.copy()
    truth[2, 1] = wrong
    with pytest.raises(EvermodelError, match=r"1 test rows .*data/made/params\.yaml"):
        multilabel.score(Split(truth, truth), P, spec)


@pytest.mark.parametrize("prediction", [P[:, :1], P[:3], P * 2, P * np.nan])
def test_a_prediction_that_is_no_probability_of_each_label_is_refused(spec, prediction):
    with pytest.raises(EvermodelError, match="predicted"):
        multilabel.score(TEST, prediction, spec)


def test_the_worst_are_told_by_the_labels_that_apply(spec):
    worst = multilabel.worst(multilabel.score(TEST, P, spec), spec, 2)
    assert worst["true"].tolist() == ["none", "hot, wet"]
    assert worst["predicted"].tolist() == ["wet", "wet"]


def test_the_constant_says_how_frequent_labels_are_and_linear_weighs_each_by_itself(spec):
    x = np.array([[0.0], [1], [2], [3]] * 5)
    y = np.tile(Y[:, ::-1], (5, 1))
    assert constant.build((1,), "labels").fit(x, y).predict(x[:1]).tolist() == [[0.5, 0.5]]
    answered = linear.build((1,), "labels", c=100.0).fit(x, y).predict_proba(x)
    assert answered.shape == y.shape
    assert ((answered > 0.5)[:, 1] == y[:, 1]).all()
