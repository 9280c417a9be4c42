import math

import numpy as np
import pytest
from sklearn import metrics

from evermodel.evaluation import detection

SKLEARN = {
    "recall": metrics.recall_score,
    "f1": metrics.f1_score,
    "average_precision": metrics.average_precision_score,
}
ROWS = 40


@pytest.fixture(params=SKLEARN)
def asked(request):
    """A measure, rows of a class, what was answered (with ties), and how often each row counts."""
    rng = np.random.default_rng(3)
    positive = rng.random(ROWS) < 0.4
    score = rng.integers(0, 9, ROWS) + 3 * positive
    answer = score if request.param == "average_precision" else score > 6
    return request.param, positive, answer, rng.integers(0, 4, ROWS).astype(float)


def test_rows_that_count_several_times_are_weighed_as_by_scikit_learn(asked):
    measure, positive, answer, times = asked
    expected = SKLEARN[measure](positive, answer, sample_weight=times)
    assert detection.value(*asked) == pytest.approx(expected)


def test_slopes_are_those_of_the_value(asked):
    measure, positive, answer, times = asked
    often, step = times + 0.5, 1e-6 * np.eye(ROWS)
    up, down = (
        [detection.value(measure, positive, answer, often + way * one) for one in step] for way in (1, -1)
    )
    slopes = detection.slopes(measure, positive, answer, often)
    assert slopes == pytest.approx(np.subtract(up, down) / 2e-6, abs=1e-7)
    assert (slopes * often).sum() == pytest.approx(0)


def test_nothing_is_told_of_a_class_that_no_row_is_of(asked):
    measure, positive, answer, times = asked
    assert math.isnan(detection.value(measure, positive, answer, times * ~positive))
