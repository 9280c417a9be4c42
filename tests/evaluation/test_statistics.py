import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from evermodel.core.errors import EvermodelError
from evermodel.evaluation import statistics
from evermodel.evaluation.statistics import Statistic


@pytest.fixture
def rng():
    return np.random.default_rng(7)


def interval(statistic, seed, **columns):
    """The interval of a statistic of a table of these columns."""
    return statistics.intervals({"it": statistic}, pd.DataFrame(columns), seed)["it"]


def of_mean(values, seed=0):
    return interval(statistics.mean("x"), seed, x=values)


def of_area(target, score, seed=0):
    return interval(Statistic(kind="roc_auc", columns=("target", "score")), seed, target=target, score=score)


def of_ratio(above, below, seed=0):
    """Of 1 - sum / sum in order of time, as of the ratio itself."""
    statistic = Statistic(kind="skill", columns=("above", "below"), in_time=True)
    low, high = interval(statistic, seed, above=above, below=below)
    return 1 - high, 1 - low


def test_the_interval_of_a_mean_is_about_two_standard_errors_wide(rng):
    values = rng.normal(10, 2, 10_000)
    low, high = of_mean(values, seed=0)
    assert low < values.mean() < high
    assert high - low == pytest.approx(2 * 1.96 * values.std() / 100, rel=0.05)


def test_nineteen_of_twenty_intervals_hold_the_truth(rng):
    held = [low <= 0.3 <= high for low, high in (of_mean(rng.random(300) < 0.3, s) for s in range(200))]
    assert 0.90 <= np.mean(held) <= 0.99


def test_the_interval_of_roc_auc_is_the_one_of_a_bootstrap_with_scikit_learn(rng):
    target = np.repeat([0, 1], [300, 100])
    score = np.round(rng.normal(target, 1.2), 1)  # rounded, so that there are ties
    low, high = of_area(target, score, seed=0)
    assert low < roc_auc_score(target, score) < high
    areas = []
    for _ in range(500):
        rows = np.concatenate(
            [rng.choice(np.flatnonzero(target == label), n) for label, n in ((0, 300), (1, 100))]
        )
        areas.append(roc_auc_score(target[rows], score[rows]))
    assert (low, high) == pytest.approx(np.percentile(areas, [2.5, 97.5]), abs=0.015)


def test_a_perfect_order_has_no_width():
    assert of_area(np.array([0, 0, 1, 1]), np.array([0.1, 0.2, 0.8, 0.9]), seed=0) == (1, 1)


def test_the_same_seed_gives_the_same_interval_and_another_seed_another(rng):
    values = rng.random(100)
    assert of_mean(values, 1) == of_mean(values, 1) != of_mean(values, 2)


def test_few_resamples_at_a_time_give_the_same_interval_as_many(monkeypatch, rng):
    values = rng.random(100)
    whole = of_mean(values, 1)
    monkeypatch.setattr(statistics, "NUMBERS_AT_ONCE", 700)
    assert of_mean(values, 1) == whole


def test_a_single_row_is_refused():
    with pytest.raises(EvermodelError, match="too small for an interval"):
        of_mean(np.array([0.5]), seed=0)


def test_a_class_with_a_single_row_is_refused():
    with pytest.raises(EvermodelError, match="two of each class"):
        of_area(np.array([0, 0, 1]), np.array([0.1, 0.2, 0.3]), seed=0)


def test_a_ratio_of_sums_lies_within_its_interval(rng):
    above, below = rng.random(200), 1 + rng.random(200)
    low, high = of_ratio(above, below, seed=0)
    assert low < above.sum() / below.sum() < high


def test_a_ratio_is_less_sure_where_neighbours_are_alike(rng):
    errors = np.repeat(rng.random(40), 10)
    ones = np.ones(400)
    runs = of_ratio(errors, ones, seed=0)
    shuffled = of_ratio(rng.permutation(errors), ones, seed=0)
    assert runs[1] - runs[0] > 1.5 * (shuffled[1] - shuffled[0])


def people(rng, count, each):
    """Probes of people, each with as many images, known again by luck."""
    return pd.DataFrame(
        {
            "target": np.repeat(np.arange(count), each),
            "role": "probe",
            "rank1": np.repeat(rng.integers(0, 2, count), each),
        }
    )


def test_pictures_of_one_person_tell_no_more_than_one(rng):
    rank1 = Statistic(kind="identification", columns=("rank1",))
    scores = people(rng, 30, 4)
    alone = scores.iloc[::4]
    both = [statistics.intervals({"it": rank1}, table, 0)["it"] for table in (scores, alone)]
    assert both[0] == both[1]


def test_a_single_person_is_refused(rng):
    with pytest.raises(EvermodelError, match="too small for an interval"):
        statistics.intervals(
            {"it": Statistic(kind="identification", columns=("rank1",))}, people(rng, 1, 5), 0
        )


def differ(ours, theirs, level=0.95, seed=0, resamples=2000):
    tables = (pd.DataFrame({"x": values}) for values in (ours, theirs))
    return statistics.difference(statistics.mean("x"), *tables, seed, level, resamples)


def test_the_same_rows_tell_a_small_difference_that_two_intervals_do_not(rng):
    luck = rng.normal(0, 1, 500)
    better = luck + 0.05 + rng.normal(0, 0.1, 500)
    low, high = differ(better, luck)
    assert 0 < low < 0.05 < high
    assert of_mean(luck)[1] > of_mean(better)[0]


def test_a_model_does_not_differ_from_itself(rng):
    values = rng.random(50)
    assert differ(values, values) == (0, 0)


def test_more_confidence_is_a_wider_interval(rng):
    ours, theirs = rng.random(200), rng.random(200)
    narrow, wide = differ(ours, theirs, level=0.9), differ(ours, theirs, level=0.99)
    assert wide[0] < narrow[0] < narrow[1] < wide[1]


def test_a_difference_of_areas_pairs_the_rows(rng):
    target = np.repeat([0, 1], [200, 200])
    theirs = rng.normal(target, 1)
    tables = [pd.DataFrame({"target": target, "score": score}) for score in (theirs + 0.3 * target, theirs)]
    area = Statistic(kind="roc_auc", columns=("target", "score"))
    low, high = statistics.difference(area, *tables, 0, 0.95, 500)
    point = np.subtract(*(roc_auc_score(table["target"], table["score"]) for table in tables))
    assert 0 < low < point < high
