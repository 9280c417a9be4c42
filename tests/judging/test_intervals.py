import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from evermodel.core.errors import EvermodelError
from evermodel.judging import intervals

RNG = np.random.default_rng(7)


def test_the_interval_of_a_mean_is_about_two_standard_errors_wide():
    values = RNG.normal(10, 2, 10_000)
    low, high = intervals.mean(values, seed=0)
    assert low < values.mean() < high
    assert high - low == pytest.approx(2 * 1.96 * values.std() / 100, rel=0.05)


def test_nineteen_of_twenty_intervals_hold_the_truth():
    held = [
        low <= 0.3 <= high for low, high in (intervals.mean(RNG.random(300) < 0.3, s) for s in range(200))
    ]
    assert 0.90 <= np.mean(held) <= 0.99


def test_the_interval_of_roc_auc_is_the_one_of_a_bootstrap_with_scikit_learn():
    target = np.repeat([0, 1], [300, 100])
    score = np.round(RNG.normal(target, 1.2), 1)  # rounded, so that there are ties
    low, high = intervals.roc_auc(target, score, seed=0)
    assert low < roc_auc_score(target, score) < high
    areas = []
    for _ in range(500):
        rows = np.concatenate(
            [RNG.choice(np.flatnonzero(target == label), n) for label, n in ((0, 300), (1, 100))]
        )
        areas.append(roc_auc_score(target[rows], score[rows]))
    assert (low, high) == pytest.approx(np.percentile(areas, [2.5, 97.5]), abs=0.015)


def test_a_perfect_order_has_no_width():
    assert intervals.roc_auc(np.array([0, 0, 1, 1]), np.array([0.1, 0.2, 0.8, 0.9]), seed=0) == (1, 1)


def test_the_same_seed_gives_the_same_interval_and_another_seed_another():
    values = RNG.random(100)
    assert intervals.mean(values, 1) == intervals.mean(values, 1) != intervals.mean(values, 2)


def test_few_resamples_at_a_time_give_the_same_interval_as_many(monkeypatch):
    values = RNG.random(100)
    whole = intervals.mean(values, 1)
    monkeypatch.setattr(intervals, "NUMBERS_AT_ONCE", 700)
    assert intervals.mean(values, 1) == whole


def test_a_single_row_is_refused():
    with pytest.raises(EvermodelError, match="too small for an interval"):
        intervals.mean(np.array([0.5]), seed=0)


def test_a_class_with_a_single_row_is_refused():
    with pytest.raises(EvermodelError, match="two of each class"):
        intervals.roc_auc(np.array([0, 0, 1]), np.array([0.1, 0.2, 0.3]), seed=0)


def test_a_ratio_of_sums_lies_within_its_interval():
    above, below = RNG.random(200), 1 + RNG.random(200)
    low, high = intervals.ratio(above, below, seed=0)
    assert low < above.sum() / below.sum() < high


def test_a_ratio_is_less_sure_where_neighbours_are_alike():
    errors = np.repeat(RNG.random(40), 10)
    ones = np.ones(400)
    runs = intervals.ratio(errors, ones, seed=0)
    shuffled = intervals.ratio(RNG.permutation(errors), ones, seed=0)
    assert runs[1] - runs[0] > 1.5 * (shuffled[1] - shuffled[0])


def test_groups_of_equal_rows_give_the_interval_of_as_many_single_rows():
    values = RNG.normal(size=30)
    interval = intervals.groups(30, lambda drawn: drawn @ values / 30, 0)
    assert interval == pytest.approx(intervals.mean(values, 0), abs=0.05)


def test_a_single_group_is_refused():
    with pytest.raises(EvermodelError, match="too small for an interval"):
        intervals.groups(1, np.sum, 0)
