import numpy as np
import pytest
from sklearn.dummy import DummyRegressor
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import KFold

from evermodel import repository
from evermodel.core import data, folders
from evermodel.core.errors import EvermodelError
from evermodel.searching import cross_validation
from evermodel.searching.cross_validation import BASELINE


@pytest.fixture
def judged(boston):
    """A function that cross-validates boston_linear, and experiments beside it."""

    def judge(count, seeds=1, *others):
        found = repository.load()
        chosen = found.chosen(["boston_linear", *others])
        rules = found.datasets["boston_housing"]
        return list(cross_validation.judge(chosen, rules, found.runtime, count, seeds))

    return judge


def rows_of_boston():
    prepared = data.load(folders.prepared("boston_housing"), "number", "train", "validation")
    x = np.concatenate([split.x.numbers for split in prepared.splits.values()])
    return x, np.concatenate([split.y for split in prepared.splits.values()])


def test_the_figures_are_those_of_a_loop_by_hand(judged):
    x, y = rows_of_boston()
    expected = {"boston_linear": [], BASELINE: []}
    for rest, part in KFold(5, shuffle=True, random_state=42).split(x):
        validation = max(1, int(np.ceil(len(rest) * 0.05)))
        learned = rest[np.random.RandomState(42).permutation(len(rest))[validation:]]
        for who, model in (("boston_linear", LinearRegression()), (BASELINE, DummyRegressor())):
            model.fit(x[learned], y[learned])
            expected[who].append(np.abs(model.predict(x[part]) - y[part]).mean())
    found = judged(5)
    for who, errors in expected.items():
        measured = [one.evaluated.metrics["mae"] for one in found if one.who == who]
        np.testing.assert_allclose(measured, errors, rtol=1e-4)
    told = cross_validation.summary(found)["mae"]["boston_linear"]
    assert told["mean"] == pytest.approx(np.mean(expected["boston_linear"]), rel=1e-4)
    assert told["sd"] == pytest.approx(np.std(expected["boston_linear"], ddof=1), rel=1e-3)


def test_without_folds_the_validation_rows_are_judged(judged):
    found = judged(0)
    split = data.load(folders.prepared("boston_housing"), "number", "validation").splits["validation"]
    assert [len(one.evaluated.scores) for one in found] == [len(split), len(split)]
    assert cross_validation.summary(found)["mae"]["boston_linear"]["sd"] is None


def test_each_seed_trains_on_the_same_folds(judged, edit):
    edit("experiments/boston_dnn/params.yaml", "epochs: {full: 100, sample: 50}", "epochs: 1")
    found = [one for one in judged(2, 2, "boston_dnn") if one.who == "boston_dnn"]
    assert [(one.fold, one.seed) for one in found] == [(1, 42), (1, 43), (2, 42), (2, 43)]
    targets = [one.evaluated.scores["target"].tolist() for one in found]
    errors = [one.evaluated.metrics["mae"] for one in found]
    assert targets[0] == targets[1] != targets[2] == targets[3]
    assert errors[0] != errors[1]


def test_it_is_the_same_again(judged):
    first, again = ([one.evaluated.metrics for one in judged(3)] for _ in range(2))
    assert first == again


def test_a_model_that_is_better_in_each_row_owes_it_to_luck_in_one_of_all_swaps(judged):
    found = judged(2)
    chosen = repository.load().experiment("boston_linear")
    for one in found:
        column = one.evaluated.scores
        column["absolute_error"] = 1.0 if one.who == "boston_linear" else 2.0
    better = cross_validation.chance(chosen, "mae", found, "boston_linear", BASELINE)
    worse = cross_validation.chance(chosen, "mae", found, BASELINE, "boston_linear")
    rows = sum(len(one.evaluated.scores) for one in found) // 2
    assert better == pytest.approx(0.5**rows)
    assert worse == 1.0


def test_data_that_are_not_prepared_are_told(workspace):
    found = repository.load()
    chosen, rules = found.chosen(["boston_linear"]), found.datasets["boston_housing"]
    with pytest.raises(EvermodelError, match="missing; `dvc repro` makes it"):
        list(cross_validation.judge(chosen, rules, found.runtime, 2, 1))
