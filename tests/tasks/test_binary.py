import numpy as np
import pytest

from evermodel.core.data import Split
from evermodel.core.errors import EvermodelError
from evermodel.tasks import binary
from tests.specs import make_spec

Y = np.array([0, 1, 1, 0])
P = np.array([0.1, 0.8, 0.4, 0.6])


@pytest.fixture
def spec():
    return make_spec(classes=("negative", "positive"))


def rows(y):
    """Test rows of which only the targets count."""
    return Split(y, y)


def test_a_sigmoid_and_two_columns_score_alike(spec):
    flat = binary.score(rows(Y), P, spec)
    assert flat.equals(binary.score(rows(Y), P[:, None], spec))
    assert flat.equals(binary.score(rows(Y), np.stack([1 - P, P], axis=1), spec))


def test_scores_are_of_the_true_class(spec):
    scores = binary.score(rows(Y), P, spec)
    assert scores["predicted"].tolist() == [0, 1, 0, 1]
    assert scores["correct"].tolist() == [1, 1, 0, 0]
    assert scores["probability"].tolist() == pytest.approx([0.9, 0.8, 0.4, 0.4])
    assert scores["p_positive"].tolist() == pytest.approx(P.tolist())


def test_metrics_are_those_computed_by_hand(spec):
    metrics = binary.metrics(binary.score(rows(Y), P, spec), spec)
    assert metrics == pytest.approx(
        {
            "accuracy": 0.5,
            "average_precision": 0.5 * 1 + 0.5 * 2 / 3,
            "balanced_accuracy": 0.5,
            "brier": np.mean([0.01, 0.04, 0.36, 0.36]),
            "f1": 0.5,
            "log_loss": -np.log([0.9, 0.8, 0.4, 0.4]).mean(),
            "precision": 0.5,
            "recall": 0.5,
            "roc_auc": 0.75,
        }
    )


def test_figures_name_both_classes(spec):
    drawn = binary.figures(binary.score(rows(Y), P, spec), spec, None)
    assert set(drawn) == {"calibration", "confusion_matrix", "roc"}
    axes = drawn["roc"].axes[0]
    assert axes.get_xlabel() == "share of negative taken for positive"
    assert axes.get_ylabel() == "share of positive found"


@pytest.mark.parametrize("prediction", [P[:3], P + 0.9, np.stack([P, P], axis=1), np.full(4, np.nan)])
def test_a_prediction_that_is_no_probability_of_each_row_is_refused(spec, prediction):
    with pytest.raises(EvermodelError, match="predicted"):
        binary.score(rows(Y), prediction, spec)
