import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import log_loss

from evermodel.errors import EvermodelError
from evermodel.tasks import classification

Y = np.array([0, 1, 2, 2])
P = np.array([[0.7, 0.2, 0.1], [0.5, 0.4, 0.1], [0.1, 0.1, 0.8], [0.25, 0.25, 0.5]])


@pytest.fixture
def spec(make_spec):
    return make_spec("cat", "dog", "cow")


def test_scores_have_one_row_per_example_in_order(spec):
    scores = classification.score(Y, P, spec)
    assert scores["target"].tolist() == [0, 1, 2, 2]
    assert scores["predicted"].tolist() == [0, 0, 2, 2]
    assert scores["correct"].tolist() == [1, 0, 1, 1]
    assert scores["probability"].tolist() == pytest.approx([0.7, 0.4, 0.8, 0.5])
    assert scores["log_loss"].tolist() == pytest.approx(-np.log([0.7, 0.4, 0.8, 0.5]))
    assert scores["p_dog"].tolist() == pytest.approx([0.2, 0.4, 0.1, 0.25])


def test_metrics_are_those_computed_by_hand(spec):
    metrics = classification.metrics(classification.score(Y, P, spec), spec)
    assert metrics["accuracy"] == 0.75
    assert metrics["balanced_accuracy"] == pytest.approx(2 / 3)
    assert metrics["macro_f1"] == pytest.approx((2 / 3 + 0 + 1) / 3)
    assert metrics["log_loss"] == pytest.approx(log_loss(Y, P))
    assert "top3_accuracy" not in metrics


def test_top3_accuracy_is_told_from_five_classes_on(make_spec):
    spec = make_spec(*"abcde")
    p = np.tile([0.4, 0.3, 0.15, 0.1, 0.05], (4, 1))
    metrics = classification.metrics(classification.score(np.array([0, 1, 2, 3]), p, spec), spec)
    assert (metrics["accuracy"], metrics["top3_accuracy"]) == (0.25, 0.75)


def test_calibration_error_weighs_the_gap_of_each_bin_by_its_rows():
    confidence = pd.Series([0.9, 0.9, 0.9, 0.5])
    correct = pd.Series([1, 1, 0, 1])
    expected = 3 / 4 * abs(2 / 3 - 0.9) + 1 / 4 * abs(1 - 0.5)
    assert classification.calibration_error(correct, confidence) == pytest.approx(expected)


def test_calibration_error_of_a_calibrated_model_is_zero():
    assert classification.calibration_error(pd.Series([1, 1, 1, 0]), pd.Series([0.75] * 4)) == pytest.approx(
        0
    )


def test_a_sure_mistake_costs_the_same_in_float32_and_float64(spec):
    sure = np.array([[1, 0, 0]] * 4)
    losses = [
        classification.score(Y, sure.astype(kind), spec)["log_loss"].max()
        for kind in (np.float32, np.float64)
    ]
    assert losses[0] == losses[1] == pytest.approx(15.94, abs=0.01)


def test_rounding_of_a_softmax_is_no_mistake(spec):
    scores = classification.score(Y, P.astype(np.float32), spec)
    assert classification.metrics(scores, spec)["log_loss"] == pytest.approx(
        scores["log_loss"].mean(), rel=1e-12
    )


def test_a_class_without_test_rows_has_its_place_in_every_figure(spec):
    drawn = classification.figures(classification.score(np.array([0, 1, 1, 0]), P, spec), spec)
    assert set(drawn) == {"calibration", "classes", "confusion_matrix"}
    labels = [label.get_text() for label in drawn["confusion_matrix"].axes[0].get_yticklabels()]
    assert labels == ["cat", "dog", "cow"]
    assert "cow (0)" in [label.get_text() for label in drawn["classes"].axes[0].get_yticklabels()]


def test_the_confusion_matrix_writes_what_was_taken_for_what(spec):
    axes = classification.confusion_matrix(classification.score(Y, P, spec), spec).axes[0]
    written = {text.get_position(): text.get_text() for text in axes.texts if text.get_text()}
    assert written == {(0.5, 0.5): "1", (0.5, 1.5): "1", (2.5, 2.5): "2"}
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("predicted", "true")


def test_the_worst_are_named(spec):
    worst = classification.worst(classification.score(Y, P, spec), spec, 2)
    assert worst.index.tolist() == [1, 3]
    assert worst.iloc[0][["true", "predicted"]].tolist() == ["dog", "cat"]


def test_a_prediction_of_another_size_is_refused(spec):
    with pytest.raises(EvermodelError, match=r"\(4, 2\).*need \(4, 3\)"):
        classification.score(Y, P[:, :2], spec)


def test_a_prediction_that_is_not_finite_is_refused(spec):
    with pytest.raises(EvermodelError, match="no finite number for 2 of 4 test rows"):
        classification.score(Y, np.where(P == 0.1, np.nan, P)[[0, 3, 1, 3]], spec)


@pytest.mark.parametrize("logits", [P * 3, P - 0.2])
def test_numbers_that_are_no_probabilities_are_refused(spec, logits):
    with pytest.raises(EvermodelError, match=r"not probabilities.*softmax"):
        classification.score(Y, logits, spec)
