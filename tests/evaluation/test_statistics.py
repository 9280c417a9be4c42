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


def differ(ours, theirs, seed=0):
    tables = (pd.DataFrame({"x": values}) for values in (ours, theirs))
    return statistics.difference(statistics.mean("x"), *tables, seed)


def test_the_same_rows_tell_a_small_difference_that_two_intervals_do_not(rng):
    luck = rng.normal(0, 1, 500)
    better = luck + 0.05 + rng.normal(0, 0.1, 500)
    low, high = differ(better, luck)
    assert 0 < low < 0.05 < high
    assert of_mean(luck)[1] > of_mean(better)[0]


def test_a_model_does_not_differ_from_itself(rng):
    values = rng.random(50)
    assert differ(values, values) == (0, 0)


def test_a_difference_of_areas_pairs_the_rows(rng):
    target = np.repeat([0, 1], [200, 200])
    theirs = rng.normal(target, 1)
    tables = [pd.DataFrame({"target": target, "score": score}) for score in (theirs + 0.3 * target, theirs)]
    area = Statistic(kind="roc_auc", columns=("target", "score"))
    low, high = statistics.difference(area, *tables, 0)
    point = np.subtract(*(roc_auc_score(table["target"], table["score"]) for table in tables))
    assert 0 < low < point < high


AREA = Statistic(kind="roc_auc", columns=("target", "score"))


def width(statistic, scores, seed=0):
    low, high = statistics.intervals({"it": statistic}, scores, seed)["it"]
    return high - low


def clusters(rng, count, each):
    """Rows of groups, each as many, whose rows are all alike: a target, a score that tells it, and errors."""
    target = rng.integers(0, 2, count)
    of_each = {"target": target, "score": rng.normal(target), "x": rng.lognormal(size=count)}
    of_each |= {"y": 1 + rng.random(count), "group": rng.permutation(count)}
    return pd.DataFrame({name: np.repeat(values, each) for name, values in of_each.items()})


GROUPED = [
    statistics.mean("x"),
    Statistic(kind="root_mean", columns=("x",)),
    Statistic(kind="skill", columns=("x", "y")),
    Statistic(kind="ratio", columns=("x", "y")),
    AREA,
]


@pytest.mark.parametrize("statistic", GROUPED, ids=lambda one: one.kind)
@pytest.mark.parametrize("most", [statistics.MOST_RANKED, 0], ids=["ranked", "placements"])
def test_rows_that_say_the_same_tell_no_more_than_one_of_them(rng, monkeypatch, statistic, most):
    monkeypatch.setattr(statistics, "MOST_RANKED", most)
    scores = clusters(rng, 300, 9)
    one_each = scores.iloc[::9]
    assert width(statistic, scores) == pytest.approx(
        width(statistic, one_each.drop(columns="group")), rel=0.1
    )
    assert width(statistic, scores) > 2.5 * width(statistic, scores.drop(columns="group"))
    assert statistics.value(statistic, scores) == pytest.approx(statistics.value(statistic, one_each))


def test_groups_of_one_row_each_are_rows(rng):
    values = rng.random(200)
    low, high = interval(statistics.mean("x"), 1, x=values, group=np.arange(200))
    # A two-hundredth wider, as there might be few of them.
    assert (low, high) == pytest.approx(of_mean(values, 1), abs=0.01 * (high - low))


def test_groups_of_unequal_size_are_weighed_by_their_rows(rng):
    """The variance of a ratio of sums over groups, by hand (Cochran 1977, equation 2.46)."""
    group = np.repeat(np.arange(400), rng.integers(1, 12, 400))
    luck = rng.normal(size=400)[group]
    values = luck + rng.normal(0, 0.5, len(group))
    sums, sizes = np.bincount(group, values), np.bincount(group)
    error = np.sqrt(((sums - values.mean() * sizes) ** 2).sum()) / len(group)
    low, high = interval(statistics.mean("x"), 0, x=values, group=group)
    assert high - low == pytest.approx(2 * 1.96 * error, rel=0.06)
    assert low < values.mean() < high


def test_nineteen_of_twenty_intervals_over_groups_hold_the_truth(rng):
    group = np.repeat(np.arange(60), 5)
    held = []
    for seed in range(150):
        right = rng.random(300) < rng.beta(0.3, 0.7, 60)[group]
        low, high = interval(statistics.mean("x"), seed, x=right, group=group)
        held.append(low <= 0.3 <= high)
    assert 0.88 <= np.mean(held) <= 0.99


@pytest.mark.parametrize("count", [2, 3, 5, 10])
def test_few_groups_that_have_nothing_to_tell_are_rarely_taken_for_more(rng, count):
    """One in forty is above 0 by luck; plain percentiles of two groups would be so in ten."""
    above, group = 0, np.repeat(np.arange(count), 5)
    for seed in range(250):
        ours = pd.DataFrame({"x": rng.normal(size=count)[group], "group": group})
        theirs = ours.assign(x=0.0)
        above += statistics.difference(statistics.mean("x"), ours, theirs, seed).low > 0
    assert above / 250 <= 0.07


def test_a_slice_has_the_groups_of_its_own_rows(rng):
    scores = clusters(rng, 50, 4)
    part = scores[scores["group"] < 20]
    renamed = part.assign(group=part["group"] * 7 + 3)
    both = [statistics.intervals({"it": statistics.mean("x")}, one, 0)["it"] for one in (part, renamed)]
    assert both[0] == both[1]


def test_a_single_group_is_refused_and_so_is_a_class_that_one_group_has_alone():
    table = pd.DataFrame({"x": [1.0, 2, 3], "group": 5})
    with pytest.raises(EvermodelError, match=r"split\.groups"):
        statistics.intervals({"it": statistics.mean("x")}, table, 0)
    table = pd.DataFrame({"target": [1, 1, 0, 0, 0], "score": range(5), "group": [1, 1, 1, 2, 3]})
    with pytest.raises(EvermodelError, match="two of each class"):
        statistics.intervals({"it": AREA}, table, 0)


def test_the_area_over_groups_weighs_rows_by_how_often_their_group_is_drawn(rng):
    target, score = np.array([0, 1, 1, 0, 0, 1]), np.array([1, 2, 2, 2, 3, 4])
    table, group = pd.DataFrame({"target": target, "score": score}), np.array([0, 0, 1, 1, 2, 2])
    drawn = statistics.draws(AREA, table, group, 1)
    weights = np.array([2, 2, 0, 0, 1, 1])
    expected = roc_auc_score(target, score, sample_weight=weights)
    assert drawn.value(np.array([0, 2, 0])) == pytest.approx(expected)
    alike = statistics.draws(AREA, table, np.array([0, 1, 1, 2, 2, 3]), 1)
    assert alike.value(np.array([0, 2, 0])) == 0.5, "a draw without class 1 says nothing"


def test_rows_of_both_models_belong_together_where_ours_do(rng):
    ours = clusters(rng, 100, 5)
    theirs = ours.assign(x=ours["x"] * rng.normal(1, 0.1, 100).repeat(5))
    how = statistics.mean("x")
    kept = [theirs, theirs.drop(columns="group"), theirs.assign(group=range(500))]
    over = [statistics.difference(how, ours, one, 0) for one in kept]
    assert over[0] == over[1] == over[2]
    low, high = statistics.difference(how, ours.drop(columns="group"), theirs, 0)
    assert over[0].high - over[0].low > 1.8 * (high - low)


def table_of_many(rng, rows, groups=None):
    """Rows that are right or wrong, with errors that are skewed; two of them differ by a little."""
    target = (rng.random(rows) < 0.2).astype(int)
    table = {"target": target, "score": rng.normal(1.2 * target).round(3), "right": rng.random(rows) < 0.9}
    table |= {"x": rng.lognormal(size=rows), "y": 1 + rng.random(rows)}
    return pd.DataFrame(table | ({} if groups is None else {"group": rng.integers(0, groups, rows)}))


MANY = [statistics.mean("right"), *GROUPED]


@pytest.mark.parametrize("statistic", MANY, ids=lambda one: f"{one.kind} {' '.join(one.columns)}")
@pytest.mark.parametrize("groups", [None, 4000])
def test_the_interval_of_many_rows_is_as_wide_as_that_of_a_plain_bootstrap(
    rng, monkeypatch, statistic, groups
):
    scores = table_of_many(rng, 12_000, groups)
    plain = statistics.intervals({"it": statistic}, scores, 0)["it"]
    monkeypatch.setattr(statistics, "MOST_NUMBERS", 1500 * statistics.RESAMPLES)
    monkeypatch.setattr(statistics, "MOST_RANKED", 1500 * statistics.RESAMPLES)
    bounded = statistics.intervals({"it": statistic}, scores, 0)["it"]
    assert bounded != plain
    # Half of what 1500 blocks (2 %) and twice 2000 draws (2 %) may differ by luck alone, three times over.
    assert bounded.high - bounded.low == pytest.approx(plain.high - plain.low, rel=0.09)
    assert sum(bounded) / 2 == pytest.approx(sum(plain) / 2, abs=0.1 * (plain.high - plain.low))


def test_many_rows_that_rarely_differ_have_the_interval_of_those_few(rng, monkeypatch):
    """Twelve of a hundred thousand are right where the other is wrong: about 12 ± 1.96 √12 of them."""
    monkeypatch.setattr(statistics, "MOST_NUMBERS", 2000 * statistics.RESAMPLES)
    theirs = np.zeros(100_000)
    ours = theirs.copy()
    ours[rng.choice(100_000, 12, replace=False)] = 1
    low, high = differ(ours, theirs)
    assert (low * 100_000, high * 100_000) == pytest.approx((6, 19), abs=1)


@pytest.mark.parametrize("statistic", MANY, ids=lambda one: f"{one.kind} {' '.join(one.columns)}")
def test_no_more_numbers_are_drawn_than_fit_however_many_rows_there_are(rng, statistic):
    scores = table_of_many(rng, 100_000)
    drawn = statistics.draws(statistic, scores, None, 50_000)
    assert drawn.at_once
    for units in drawn.units:
        assert 1000 < len(units) <= statistics.MOST_NUMBERS / 50_000
    whole = drawn.value(*drawn.units)
    assert whole == pytest.approx(statistics.value(statistic, scores)), "every row is in one block"


def test_a_rare_class_is_drawn_row_by_row_among_many_rows(rng):
    target = np.zeros(200_000, int)
    target[:30] = 1
    table = pd.DataFrame({"target": target, "score": rng.normal(2 * target)})
    units = statistics.draws(AREA, table, None, 2000).units
    assert [len(one) for one in units] == [30, 39_994]
    area = statistics.value(AREA, table)
    low, high = statistics.intervals({"it": AREA}, table, 0)["it"]
    placed = (table["score"][:30].to_numpy()[:, None] > table["score"][30:].to_numpy()).mean(axis=1)
    assert area == pytest.approx(placed.mean())
    assert high - low == pytest.approx(2 * 1.96 * placed.std() / np.sqrt(30), rel=0.12)


@pytest.mark.parametrize(
    ("statistic", "alone", "compared"),
    [
        (statistics.mean("right"), (17 / 60, 32 / 60), (-26 / 60, 4 / 60)),
        (
            Statistic(kind="root_mean", columns=("x",)),
            (1.949358868961793, 2.232338086700430),
            (-0.203437707127379, 0.233214283397800),
        ),
        (
            Statistic(kind="skill", columns=("x", "y"), in_time=True),
            (-0.227937924935051, 0.160270979020979),
            (-0.557770871259979, 0.117197371613454),
        ),
        (AREA, (0.57875, 0.850625), (0.1575, 0.70125)),
    ],
    ids=lambda value: getattr(value, "kind", None),
)
def test_rows_that_stand_for_themselves_have_the_intervals_they_always_had(statistic, alone, compared):
    """Of the code that knew no groups and no blocks: champions of then are still compared alike."""
    rng, count = np.random.default_rng(11), np.arange(60)
    ours = pd.DataFrame({"target": count % 3 // 2, "score": rng.integers(0, 9, 60) + count % 3})
    ours = ours.assign(right=rng.integers(0, 2, 60), x=rng.integers(1, 9, 60), y=rng.integers(1, 9, 60))
    theirs = ours.assign(right=1 - ours["right"], x=ours["y"], y=ours["x"] + 1, score=9 - ours["score"])
    assert statistics.intervals({"it": statistic}, ours, 5)["it"] == pytest.approx(alone, abs=1e-12)
    difference = statistics.difference(statistic, ours, theirs, 5)
    assert difference == pytest.approx(compared, abs=1e-12)


ANSWERED = ("target", "right")
FOUND = {
    "recall": Statistic(kind="recall", columns=ANSWERED),
    "f1": Statistic(kind="f1", columns=ANSWERED),
    "average precision": Statistic(kind="average_precision", columns=("target", "score")),
    "macro f1": statistics.macro(Statistic(kind="f1", columns=ANSWERED, positive=one) for one in (0, 1)),
}
FOUND["r2"] = Statistic(kind="r2", columns=("x", "y"))


@pytest.mark.parametrize("statistic", FOUND.values(), ids=FOUND)
@pytest.mark.parametrize("groups", [None, 800])
def test_classes_found_among_many_rows_have_the_interval_of_a_plain_bootstrap(
    rng, monkeypatch, statistic, groups
):
    scores = table_of_many(rng, 2500, groups).astype({"right": int})
    plain = statistics.intervals({"it": statistic}, scores, 0)["it"]
    monkeypatch.setattr(statistics, "MOST_SORTED", 0)
    by_slopes = statistics.intervals({"it": statistic}, scores, 0)["it"]
    assert by_slopes.high - by_slopes.low == pytest.approx(plain.high - plain.low, rel=0.1)
    assert sum(by_slopes) / 2 == pytest.approx(sum(plain) / 2, abs=0.15 * (plain.high - plain.low))
    assert plain.low < statistics.value(statistic, scores) < plain.high


@pytest.mark.parametrize("statistic", FOUND.values(), ids=FOUND)
def test_groups_of_rows_that_are_alike_tell_no_more_of_classes_than_one_of_them(rng, statistic):
    scores = clusters(rng, 150, 6)
    scores["right"] = np.where(scores["score"] > 0.5, 1, 0)
    one_each = scores.iloc[::6].drop(columns="group")
    assert width(statistic, scores) == pytest.approx(width(statistic, one_each), rel=0.12)


def test_f1_and_average_precision_need_two_rows_of_the_class_and_macro_leaves_out_what_is_not_there():
    table = pd.DataFrame({"target": [0, 0, 0, 1], "right": [0, 0, 1, 1], "score": [1.0, 2, 3, 4]})
    for name in ("f1", "average precision"):
        with pytest.raises(EvermodelError, match="two of each class"):
            statistics.intervals({"it": FOUND[name]}, table, 0)
    assert statistics.value(FOUND["macro f1"], table[:3]) == pytest.approx(2 * 2 / (3 + 2))


def test_r2_of_rows_that_are_all_alike_is_0():
    table = pd.DataFrame({"x": [1.0, 4.0, 0.0], "y": [1 / 3, 1 / 3, 1 / 3]})
    assert statistics.value(FOUND["r2"], table) == 0
    assert statistics.value(FOUND["r2"], table.assign(y=[0.0, 1, 5])) == pytest.approx(1 - 5 / 14)


def test_an_interval_of_the_frechet_distance_lies_around_it_and_is_as_wide_as_luck_makes_it(rng):
    """Of points whose means are 2 apart: it is all but |m|², whose deviation is 2 · 2 · (2 / n)^½."""

    def drawn():
        both = {"real": rng.normal(size=(400, 2)), "made": rng.normal([2, 0], size=(400, 2))}
        return pd.concat([pd.DataFrame(one).add_prefix(f"{name}_") for name, one in both.items()], axis=1)

    how = Statistic(kind="frechet")
    one = drawn()
    low, high = statistics.intervals({"": how}, one, 0)[""]
    assert low < statistics.value(how, one) < high
    width = 2 * 1.96 * 4 * (2 / 400) ** 0.5
    assert high - low == pytest.approx(width, rel=0.2)
    assert np.std([statistics.value(how, drawn()) for _ in range(200)]) == pytest.approx(
        width / 3.92, rel=0.2
    )


def test_a_frechet_distance_is_not_below_0(rng):
    real = rng.normal(size=(20, 2))
    both = [pd.DataFrame(real).add_prefix(name) for name in ("real_", "made_")]
    low, high = statistics.intervals({"": Statistic(kind="frechet")}, pd.concat(both, axis=1), 0)[""]
    assert (low, high) == pytest.approx((0, 0), abs=1e-9)


def test_a_ratio_is_of_sums_and_its_interval_that_of_its_linear_part(rng):
    below = rng.integers(1, 250, 4000)
    above = below * rng.normal(2, 0.3, 4000)
    ratio = Statistic(kind="ratio", columns=("above", "below"))
    table = pd.DataFrame({"above": above, "below": below})
    middle = above.sum() / below.sum()
    assert statistics.value(ratio, table) == pytest.approx(middle)
    low, high = statistics.intervals({"it": ratio}, table, 0)["it"]
    error = (above - middle * below).std() / below.mean() / len(table) ** 0.5
    assert low < middle < high
    assert high - low == pytest.approx(2 * 1.96 * error, rel=0.1)
