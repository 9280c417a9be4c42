"""Models of trees: what they answer for each target, and by however many threads."""

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from evermodel.core.columns import Column
from evermodel.core.data import Split
from evermodel.core.rows import Rows
from evermodel.models import boosting, forest
from evermodel.runs import saved
from evermodel.training import estimator
from tests.specs import make_spec

RANDOM = np.random.RandomState(5)
X = RANDOM.normal(size=(3000, 2))
SPEC = make_spec(columns=(Column(name="a"), Column(name="b")))
ROWS = Rows(("a", "b"), X, {})
NUMBER = X[:, 0] + 0.1 * RANDOM.normal(size=3000)
FEW = {boosting: {"max_iter": 20}, forest: {"trees": 5, "min_samples_leaf": 5}}


def fitted(model, target, y, **options):
    split = Split(ROWS, y)
    return estimator.fit(model.build, SPEC, target, split, 1, **FEW[model], **options)


@pytest.mark.parametrize("model", [boosting, forest])
@pytest.mark.parametrize(
    ("target", "y"),
    [
        ("number", NUMBER),
        ("class", np.digitize(NUMBER, [-0.5, 0.5])),
        ("numbers", np.stack([NUMBER, -2 * NUMBER], axis=1)),
        ("labels", np.stack([NUMBER > 0, NUMBER > 1], axis=1).astype(np.int64)),
    ],
)
def test_each_target_is_learned(model, target, y):
    answers = estimator.predict(fitted(model, target, y), ROWS)
    if target == "class":
        assert answers.shape == (3000, 3)
        assert (answers.argmax(axis=1) == y).mean() > 0.9
    else:
        assert answers.shape == y.shape
        assert np.abs(answers - y).mean() < 0.4 * np.abs(y - y.mean(axis=0)).mean()


def test_a_quantile_lies_above_its_share_of_the_numbers():
    noisy = NUMBER + RANDOM.exponential(size=3000)
    answers = estimator.predict(fitted(boosting, "number", noisy, quantile=0.9), ROWS)
    assert (noisy < answers).mean() == pytest.approx(0.9, abs=0.03)


@pytest.mark.parametrize("model", [boosting, forest])
def test_any_number_of_threads_fits_the_same_bytes(model, tmp_path):
    contents = []
    for threads in (1, 2):
        with threadpool_limits(threads):
            file = saved.save_sklearn(fitted(model, "number", NUMBER), tmp_path)
        contents.append(file.read_bytes())
    assert contents[0] == contents[1]
