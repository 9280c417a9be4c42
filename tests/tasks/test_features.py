import numpy as np
import pytest

from evermodel.core.data import Predictions, Split
from evermodel.core.errors import EvermodelError
from evermodel.evaluation import figures
from evermodel.tasks import classification, features
from tests.specs import make_spec

P = np.array([[0.7, 0.2, 0.1], [0.5, 0.4, 0.1], [0.1, 0.1, 0.8], [0.25, 0.25, 0.5]])
MAP = np.array([[-1.0, 2.0], [0.5, 0.0], [3.0, -4.0], [3.0, 1.0]])
TEST = Split(np.zeros((4, 2, 2, 3), np.uint8), np.array([0, 1, 2, 2]))
PREDICTION = np.hstack([P, MAP]).astype(np.float32)


@pytest.fixture
def spec():
    return make_spec(classes=("rose", "tulip", "daisy"))


def test_probabilities_score_as_in_a_classification_and_the_map_is_kept(spec):
    scores = features.score(TEST, PREDICTION, spec)
    plain = classification.score(TEST, PREDICTION[:, :3], spec)
    assert scores[list(plain)].equals(plain)
    assert scores[["map_x", "map_y"]].to_numpy().tolist() == MAP.tolist()


def test_a_baseline_without_a_map_can_be_judged(spec):
    assert features.score(TEST, P, spec).equals(classification.score(TEST, P, spec))


@pytest.mark.parametrize("broken", [np.nan, np.inf])
def test_a_map_that_is_not_finite_is_refused(spec, broken):
    prediction = PREDICTION.copy()
    prediction[1, -1] = broken
    with pytest.raises(EvermodelError, match="no finite number for 1 of 4 test rows"):
        features.score(TEST, prediction, spec)


def test_each_class_has_its_own_mark_on_the_map():
    spec = make_spec(classes=tuple(f"flower {number}" for number in range(17)))
    p = np.full((17, 17), 1 / 17)
    predictions = Split(np.zeros((17, 1)), np.arange(17))
    scores = features.score(predictions, np.hstack([p, np.zeros((17, 2))]), spec)
    with figures.look():
        axes = features.figures(scores, spec, Predictions(predictions, p, p, predictions.x))["map"].axes[0]
    marks = {
        (tuple(dots.get_facecolor()[0]), dots.get_paths()[0].vertices.tobytes()) for dots in axes.collections
    }
    assert len(marks) == 17
    assert [text.get_text() for text in axes.get_legend().get_texts()][16] == "flower 16 (1)"
