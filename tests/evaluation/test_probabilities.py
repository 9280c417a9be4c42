import numpy as np
import pytest

from evermodel.core.data import Split
from evermodel.core.errors import EvermodelError
from evermodel.evaluation import probabilities
from tests.specs import make_spec

Y = np.array([0, 1, 2, 2])
P = np.array([[0.7, 0.2, 0.1], [0.5, 0.4, 0.1], [0.1, 0.1, 0.8], [0.25, 0.25, 0.5]])


@pytest.fixture
def spec():
    return make_spec("images", classes=("cat", "dog", "cow"))


def test_scores_have_one_row_per_example_in_order(spec):
    scores = probabilities.score(Split(Y, Y), P, spec)
    assert scores["target"].tolist() == [0, 1, 2, 2]
    assert scores["predicted"].tolist() == [0, 0, 2, 2]
    assert scores["correct"].tolist() == [1, 0, 1, 1]
    assert scores["probability"].tolist() == pytest.approx([0.7, 0.4, 0.8, 0.5])
    assert scores["log_loss"].tolist() == pytest.approx(-np.log([0.7, 0.4, 0.8, 0.5]))
    assert scores["p_dog"].tolist() == pytest.approx([0.2, 0.4, 0.1, 0.25])


def test_a_sure_mistake_costs_the_same_in_float32_and_float64(spec):
    sure = np.array([[1, 0, 0]] * 4)
    losses = [
        probabilities.score(Split(Y, Y), sure.astype(kind), spec)["log_loss"].max()
        for kind in (np.float32, np.float64)
    ]
    assert losses[0] == losses[1] == pytest.approx(15.94, abs=0.01)


def test_the_confusion_matrix_writes_what_was_taken_for_what(spec):
    axes = probabilities.confusion_matrix(probabilities.score(Split(Y, Y), P, spec), spec).axes[0]
    written = {text.get_position(): text.get_text() for text in axes.texts if text.get_text()}
    assert written == {(0.5, 0.5): "1", (0.5, 1.5): "1", (2.5, 2.5): "2"}
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("predicted", "true")


def test_the_worst_are_named(spec):
    worst = probabilities.worst(probabilities.score(Split(Y, Y), P, spec), spec, 2)
    assert worst.index.tolist() == [1, 3]
    assert worst.iloc[0][["true", "predicted"]].tolist() == ["dog", "cat"]


def test_a_prediction_of_another_size_is_refused(spec):
    with pytest.raises(EvermodelError, match=r"\(4, 2\).*need \(4, 3\)"):
        probabilities.score(Split(Y, Y), P[:, :2], spec)


def test_a_prediction_that_is_not_finite_is_refused(spec):
    with pytest.raises(EvermodelError, match="no finite number for 2 of 4 test rows"):
        probabilities.score(Split(Y, Y), np.where(P == 0.1, np.nan, P)[[0, 3, 1, 3]], spec)


@pytest.mark.parametrize("logits", [P * 3, P - 0.2])
def test_numbers_that_are_no_probabilities_are_refused(spec, logits):
    with pytest.raises(EvermodelError, match=r"not probabilities.*softmax"):
        probabilities.score(Split(Y, Y), logits, spec)
