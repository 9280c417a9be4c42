import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import log_loss

from evermodel.core.data import Split
from evermodel.evaluation.classification import calibration_error
from evermodel.tasks import classification
from tests.specs import make_spec

Y = np.array([0, 1, 2, 2])
P = np.array([[0.7, 0.2, 0.1], [0.5, 0.4, 0.1], [0.1, 0.1, 0.8], [0.25, 0.25, 0.5]])


@pytest.fixture
def spec():
    return make_spec(classes=("cat", "dog", "cow"))


def rows(y):
    """Test rows of which only the targets count."""
    return Split(y, y)


def test_metrics_are_those_computed_by_hand(spec):
    metrics = classification.metrics(classification.score(rows(Y), P, spec), spec)
    assert metrics["accuracy"] == 0.75
    assert metrics["balanced_accuracy"] == pytest.approx(2 / 3)
    assert metrics["f1"] == pytest.approx((2 / 3 + 0 + 1) / 3)
    assert metrics["log_loss"] == pytest.approx(log_loss(Y, P))
    assert "top3_accuracy" not in metrics


def test_classes_that_the_test_rows_lack_are_in_no_mean_over_classes(spec):
    y, p = np.array([0, 0, 1, 1]), np.eye(3)[[0, 2, 1, 1]] * 0.7 + 0.1
    metrics = classification.metrics(classification.score(rows(y), p, spec), spec)
    assert metrics["balanced_accuracy"] == pytest.approx((0.5 + 1) / 2)
    assert metrics["f1"] == pytest.approx((2 / 3 + 1) / 2)
    assert metrics["average_precision"] == pytest.approx((0.5 + 0.5 * 2 / 4 + 1) / 2)


def test_top3_accuracy_is_told_from_five_classes_on():
    spec = make_spec(classes=tuple("abcde"))
    p = np.tile([0.4, 0.3, 0.15, 0.1, 0.05], (4, 1))
    metrics = classification.metrics(classification.score(rows(np.array([0, 1, 2, 3])), p, spec), spec)
    assert (metrics["accuracy"], metrics["top3_accuracy"]) == (0.25, 0.75)


def test_calibration_error_weighs_the_gap_of_each_bin_by_its_rows():
    confidence = pd.Series([0.9, 0.9, 0.9, 0.5])
    correct = pd.Series([1, 1, 0, 1])
    expected = 3 / 4 * abs(2 / 3 - 0.9) + 1 / 4 * abs(1 - 0.5)
    assert calibration_error(correct, confidence) == pytest.approx(expected)


def test_calibration_error_of_a_calibrated_model_is_zero():
    assert calibration_error(pd.Series([1, 1, 1, 0]), pd.Series([0.75] * 4)) == pytest.approx(0)


def test_rounding_of_a_softmax_is_no_mistake(spec):
    scores = classification.score(rows(Y), P.astype(np.float32), spec)
    assert classification.metrics(scores, spec)["log_loss"] == pytest.approx(
        scores["log_loss"].mean(), rel=1e-12
    )


def test_a_class_without_test_rows_has_its_place_in_every_figure(spec):
    drawn = classification.figures(classification.score(rows(np.array([0, 1, 1, 0])), P, spec), spec, None)
    assert set(drawn) == {"calibration", "classes", "confusion_matrix"}
    labels = [label.get_text() for label in drawn["confusion_matrix"].axes[0].get_yticklabels()]
    assert labels == ["cat", "dog", "cow"]
    assert "cow (0)" in [label.get_text() for label in drawn["classes"].axes[0].get_yticklabels()]
