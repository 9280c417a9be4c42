import numpy as np
import pytest

from evermodel.core.data import Predictions, Split
from evermodel.core.errors import EvermodelError
from evermodel.tasks import anomaly
from tests.specs import make_spec

X = np.zeros((4, 3, 3, 1), np.uint8)
TEST = Split(X, np.array([0, 1, 0, 1]))


@pytest.fixture
def spec():
    return make_spec(classes=("fine", "odd"))


def off(*values):
    """Reconstructions that are off by so much everywhere."""
    return np.array(values).reshape(-1, 1, 1, 1) * np.ones((1, 3, 3, 1))


def test_the_score_is_the_mean_squared_error(spec):
    scores = anomaly.score(TEST, off(0.1, 0.2, 0.3, 0.4), spec)
    assert scores["error"].tolist() == pytest.approx([0.01, 0.04, 0.09, 0.16])
    assert scores["target"].tolist() == [0, 1, 0, 1]


@pytest.mark.parametrize(
    ("errors", "area", "precision"),
    [
        ((0.1, 0.2, 0.3, 0.4), 0.75, (1 + 2 / 3) / 2),
        ((0.1, 0.3, 0.2, 0.4), 1, 1),
        ((0.4, 0.2, 0.3, 0.1), 0, (1 / 3 + 2 / 4) / 2),
        ((0.5, 0.5, 0.5, 0.5), 0.5, 0.5),
    ],
)
def test_metrics_are_those_computed_by_hand(spec, errors, area, precision):
    metrics = anomaly.metrics(anomaly.score(TEST, off(*errors), spec), spec)
    assert metrics == pytest.approx({"roc_auc": area, "average_precision": precision})


def test_the_worst_are_ranked_farthest_from_their_class(spec):
    worst = anomaly.worst(anomaly.score(TEST, off(0.4, 0.2, 0.3, 0.25), spec), spec, 2)
    assert worst.index.tolist() == [0, 1]
    assert worst["true"].tolist() == ["fine", "odd"]


@pytest.mark.parametrize("prediction", [off(0.1, 0.2, 0.3), off(0.1, 0.2, 0.3, np.nan), off(0, 0, 0, 2)])
def test_what_is_no_reconstruction_is_refused(spec, prediction):
    with pytest.raises(EvermodelError, match="predicted"):
        anomaly.score(TEST, prediction, spec)


def test_figures_name_both_classes_and_put_the_most_suspicious_first(spec):
    predictions = Predictions(TEST, off(0.1, 0.2, 0.3, 0.4), off(0.1, 0.1, 0.2, 0.2), X)
    drawn = anomaly.figures(anomaly.score(TEST, predictions.model, spec), spec, predictions)
    assert drawn["roc"].axes[0].get_xlabel() == "share of fine taken for odd"
    titles = [axes.get_title() for axes in drawn["suspects"].axes]
    assert titles == ["odd", "fine", "odd", "fine", "fine", "odd", "fine", "odd"]
