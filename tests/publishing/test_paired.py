import math
from itertools import product

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from evermodel.evaluation import statistics
from evermodel.evaluation.statistics import Statistic
from evermodel.publishing import paired

RIGHT = statistics.mean("right")
ERROR = statistics.mean("error")
ROOT = Statistic(kind="root_mean", columns=("error",))
SKILL = Statistic(kind="skill", columns=("error", "persistence"))
RATIO = Statistic(kind="ratio", columns=("error", "persistence"))
AREA = Statistic(kind="roc_auc", columns=("target", "score"))
R2 = Statistic(kind="r2", columns=("error", "number"))
ANSWERED, SCORED = ("target", "predicted"), ("target", "score")
RECALLS = statistics.macro(Statistic(kind="recall", columns=ANSWERED, positive=one) for one in (0, 1, 2))
F1 = Statistic(kind="f1", columns=ANSWERED)
F1S = statistics.macro(Statistic(kind="f1", columns=ANSWERED, positive=one) for one in (0, 1, 2))
PRECISION = Statistic(kind="average_precision", columns=SCORED)
FOUND = {"recall": RECALLS, "f1": F1, "macro f1": F1S, "average precision": PRECISION}
FRECHET = Statistic(kind="frechet")
LEVEL = 0.05


@pytest.fixture
def rng():
    return np.random.default_rng(5)


def chance(statistic, ours, theirs, sign=1, needed=0.0, level=LEVEL):
    return paired.chance(statistic, ours, theirs, sign, needed, level)


def right(rows, wins=0, losses=0, **more):
    """Two models that are both right except where one of them is wrong alone."""
    ours, theirs = np.ones((2, rows), int)
    theirs[:wins] = 0
    ours[wins : wins + losses] = 0
    return tuple(pd.DataFrame({"right": each, **more}) for each in (ours, theirs))


def errors(rng, rows=11, digits=1):
    """Errors of two models, rounded so that there are ties, and of persistence."""
    theirs = rng.lognormal(size=rows).round(digits)
    ours = (theirs * rng.lognormal(-0.3, 0.4, rows)).round(digits)
    beside = {"persistence": 1 + rng.random(rows), "target": np.arange(rows) % 3 % 2}
    beside["number"] = rng.normal(size=rows)
    return tuple(pd.DataFrame({"error": each, "score": -each, **beside}) for each in (ours, theirs))


@pytest.mark.parametrize(("wins", "losses"), [(6, 0), (9, 3), (3, 9), (40, 20), (700, 620), (5, 5)])
def test_of_right_and_wrong_answers_it_is_mcnemars_test(wins, losses):
    expected = stats.binomtest(wins, wins + losses, alternative="greater").pvalue
    assert chance(RIGHT, *right(2000, wins, losses)) == pytest.approx(expected)


def test_two_that_answer_alike_are_as_good_as_each_other(rng):
    ours, _ = errors(rng)
    for statistic in (ERROR, ROOT, SKILL, AREA):
        assert chance(statistic, ours, ours) == 1


def test_six_wins_of_six_have_a_chance_of_one_in_64_and_no_fewer_rows_tell_more():
    assert chance(RIGHT, *right(400, wins=6)) == 1 / 64
    rows = pd.DataFrame({"error": [1.0, 2.5, 3.1, 0.2, 9.0, 4.4]})
    worse = rows.assign(error=rows["error"] + [1, 3, 0.1, 2, 5, 7])
    assert chance(ERROR, rows, worse, sign=-1) == 1 / 64


def answers(rng, rows, classes=3):
    """Answers of two models that err as often, about as hard rows; each class has two rows or more."""
    target = rng.permutation(np.concatenate([np.arange(classes).repeat(2), rng.integers(0, classes, rows)]))
    luck = rng.normal(size=(3, len(target), classes))
    tables = []
    for own in luck[:2]:
        scores = luck[2] + own + 1.5 * np.eye(classes)[target]
        table = {"target": target, "predicted": scores.argmax(axis=1), "score": scores[:, 1].round(1)}
        tables.append(pd.DataFrame(table))
    return tables


@pytest.mark.parametrize("statistic", FOUND.values(), ids=FOUND)
def test_the_gains_of_the_rows_are_the_difference_of_how_well_classes_are_found(rng, statistic):
    """And with any rows swapped they keep its sign, where it is not so small that its third order tells."""
    for _ in range(4):
        ours, theirs = answers(rng, 60)
        for swap in (np.zeros(66, bool), *(rng.random((30, 66)) < 0.5)):
            swapped = (np.where(swap[:, None], *pair) for pair in ((theirs, ours), (ours, theirs)))
            both = [pd.DataFrame(values, columns=ours.columns) for values in swapped]
            if statistic is PRECISION:  # it is ranks that change hands
                ranks = [stats.rankdata(each["score"]) for each in (ours, theirs)]
                score = [np.where(swap, *pair) for pair in (ranks[::-1], ranks)]
                both = [ours.assign(score=each) for each in score]
            told = np.subtract(*(statistics.value(statistic, each) for each in both))
            gains = paired._gains(statistic, *both).sum()
            assert gains == pytest.approx(told) or abs(told) < 0.02


def test_where_one_finds_what_the_other_does_not_each_row_counts_by_its_class():
    target = np.array([0] * 8 + [1] * 2)
    theirs = pd.DataFrame({"target": target, "predicted": 0})
    ours = theirs.assign(predicted=target)
    gains = paired._gains(RECALLS, ours, theirs)
    assert gains.tolist() == [0] * 8 + [0.25] * 2
    assert chance(RECALLS, ours, theirs) == 1 / 4
    worse = ours.assign(predicted=[1, 1, 1, 0, 0, 0, 0, 0, 1, 1])
    assert chance(RECALLS, worse, theirs) == 1 / 4, "three losses of the large class are less than a win"


@pytest.mark.parametrize("statistic", FOUND.values(), ids=FOUND)
def test_no_more_than_the_level_find_classes_better_by_luck(rng, statistic):
    told = [chance(statistic, *answers(rng, 25, 3 if statistic in (RECALLS, F1S) else 2)) for _ in range(150)]
    assert np.mean(np.array(told) < 0.1) == pytest.approx(0.1, abs=0.075)


def test_a_better_ranking_is_told_from_a_worse_one(rng):
    ours, theirs = answers(rng, 100)
    better = ours.assign(score=ours["score"] + (ours["target"] == 1))
    assert chance(PRECISION, better, theirs) < 0.001
    assert chance(PRECISION, theirs, better) > 0.999


@pytest.mark.parametrize("statistic", [ERROR, ROOT, SKILL, R2, AREA], ids=lambda one: one.kind)
@pytest.mark.parametrize("digits", [1, 9], ids=["ties", "none"])
def test_it_counts_the_swaps_that_are_as_good(rng, statistic, digits):
    """Each swap made for real and valued by the statistic itself."""
    sign = -1 if statistic in (ERROR, ROOT) else 1
    for _ in range(3):
        ours, theirs = errors(rng, rows=7, digits=digits)
        swaps = np.array(list(product([False, True], repeat=7)))  # none is swapped in the first
        differences = sign * np.array([difference(statistic, ours, theirs, swap) for swap in swaps])
        expected = (differences >= differences[0] - 1e-9).mean()
        assert chance(statistic, ours, theirs, sign) == pytest.approx(expected, abs=1e-9)


def difference(statistic, ours, theirs, swap):
    column = statistic.columns[1 if statistic == AREA else 0]
    values = [stats.rankdata(each[column]) if statistic == AREA else each[column] for each in (ours, theirs)]
    both = np.where(swap, values[1], values[0]), np.where(swap, values[0], values[1])
    if statistic == AREA:
        return np.subtract(*(area(ours["target"] == 1, ranks) for ranks in both))
    first, second = (statistics.value(statistic, ours.assign(error=each)) for each in both)
    return first - second


def area(positive, ranks):
    """The share of pairs in the right order, a tie counting half."""
    order = np.sign(ranks[positive][:, None] - ranks[~positive])
    return (1 + order.mean()) / 2


@pytest.mark.parametrize("statistic", [ERROR, ROOT, RATIO, SKILL, R2, AREA], ids=lambda one: one.kind)
def test_the_gains_of_the_rows_are_the_difference(rng, statistic):
    ours, theirs = errors(rng, rows=300)
    gains, shares = paired._units(statistic, ours, theirs)
    first, second = (statistics.value(statistic, each) for each in (ours, theirs))
    assert gains.sum() == pytest.approx(first - second)
    assert shares.sum() == pytest.approx(1)


def test_scipys_permutation_test_says_the_same(rng):
    ours, theirs = errors(rng, rows=60)
    both = [each["error"].to_numpy() for each in (theirs, ours)]

    def of(first, second, axis):
        return (first - second).mean(axis=axis)

    drawn = stats.permutation_test(
        both, of, permutation_type="samples", alternative="greater", n_resamples=20_000, rng=1
    )
    assert chance(ERROR, ours, theirs, sign=-1) == pytest.approx(drawn.pvalue, abs=0.005)


def test_far_tails_are_told_apart(rng):
    """Of normal differences, as the normal limit tells them."""
    ours = pd.DataFrame({"error": np.zeros(400)})
    luck = stats.zscore(rng.normal(size=400))
    for shift in (0.15, 0.2, 0.23):
        theirs = pd.DataFrame({"error": luck + shift})
        limit = stats.norm.sf(theirs["error"].sum() / np.linalg.norm(theirs["error"]))
        assert chance(ERROR, ours, theirs, sign=-1) == pytest.approx(limit, rel=0.3)


@pytest.mark.parametrize("statistic", [ERROR, ROOT, SKILL], ids=lambda one: one.kind)
def test_rows_that_belong_together_are_swapped_together(rng, statistic):
    alone, sign = errors(rng), 1 if statistic == SKILL else -1
    together = [each.loc[each.index.repeat(7)].assign(group=np.arange(11).repeat(7)) for each in alone]
    assert chance(statistic, *together, sign) == pytest.approx(chance(statistic, *alone, sign))
    apart = [each.drop(columns="group") for each in together]
    assert chance(statistic, *apart, sign) < chance(statistic, *together, sign)


def test_groups_of_right_and_wrong_are_swapped_together_even_where_something_is_allowed():
    groups = np.arange(100) // 10
    ours, theirs = right(100, wins=30, group=groups)
    assert chance(RIGHT, ours, theirs) == 1 / 8
    assert chance(RIGHT, ours, ours, needed=-0.05) == 1 / 2**10


def test_neighbours_in_time_are_swapped_together(rng):
    rows = 343
    better = pd.DataFrame({"error": np.ones(rows)})
    of_each = rng.normal(0.4, 1, 49)
    worse = better + of_each.repeat(7)[:, None]
    in_time = Statistic(kind="mean", columns=("error",), in_time=True)
    expected = chance(ERROR, *(pd.DataFrame({"error": one}) for one in (np.zeros(49), of_each)), sign=-1)
    assert chance(in_time, better, worse, sign=-1) == pytest.approx(expected)
    assert chance(ERROR, better, worse, sign=-1) < expected


def people(rng, count, each, spread):
    """Probes and gallery of people, whose embeddings differ by so much among images of one person."""
    person = np.arange(count).repeat(each)
    vectors = rng.normal(size=(count, 8))[person] + spread * rng.normal(size=(count * each, 8))
    table = pd.DataFrame(vectors, columns=[f"e_{place}" for place in range(8)])
    role = np.where(np.arange(count * each) % each < each // 2, "gallery", "probe")
    return table.assign(target=person, role=role, rank1=(rng.random(count * each) > spread / 4).astype(int))


def test_people_are_swapped_with_all_their_images(rng):
    rank1 = Statistic(kind="identification", columns=("rank1",))
    theirs = people(rng, 8, 6, spread=1)
    ours = theirs.assign(rank1=1)
    helped = theirs[theirs["role"] == "probe"].groupby("target")["rank1"].min().eq(0).sum()
    assert chance(rank1, ours, theirs) == 1 / 2**helped
    assert paired.least(rank1, ours) == 1 / 2**8


def test_pairs_of_people_are_judged_by_what_each_person_adds(rng):
    how = Statistic(kind="verification")
    ours, theirs = people(rng, 10, 4, spread=0.5), people(rng, 10, 4, spread=2)
    gains, shares = paired._units(how, ours, theirs)
    assert gains.sum() == pytest.approx(statistics.value(how, ours) - statistics.value(how, theirs))
    assert shares == pytest.approx(np.full(10, 0.1))
    assert 1 / 2**10 == paired.least(how, ours) <= chance(how, ours, theirs) < 0.01
    assert chance(how, theirs, ours) > 0.9


def test_people_that_tell_nothing_are_rarely_taken_for_more(rng):
    how = Statistic(kind="verification")
    told = [chance(how, people(rng, 9, 3, spread=1), people(rng, 9, 3, spread=1)) for _ in range(80)]
    assert np.mean(np.array(told) < 0.1) <= 0.2


@pytest.mark.parametrize(("needed", "most"), [(-0.05, 0.03), (-0.15, 0.03), (0.05, 0.05)])
def test_no_rate_of_disagreement_lets_more_pass_than_the_level(needed, most):
    """The chance of passing where just as much is true as is needed, summed over all that may be seen."""
    rows = 30
    seen = [(win, loss) for win in range(rows + 1) for loss in range(rows + 1 - win)]
    passed = [pair for pair in seen if paired._unconditional(*pair, rows, needed, most) < most]
    counts = np.array([(win, loss, rows - win - loss) for win, loss in passed])
    rates = np.linspace(abs(needed), 1, 80)
    laws = [((rate + needed) / 2, (rate - needed) / 2, 1 - rate) for rate in rates]
    worst = max(stats.multinomial.pmf(counts, rows, law).sum() for law in laws)
    assert 0.4 * most < worst <= most


def test_no_loss_among_few_rows_does_not_prove_that_there_are_none():
    """Where 3 of 100 rows were lost, none among 50 would be no rare luck: 0.97^50 is 22 %."""
    assert chance(RIGHT, *right(50), needed=-0.03) > 0.97**50
    assert chance(RIGHT, *right(115), needed=-0.03, level=0.0304) > 0.0304
    assert chance(RIGHT, *right(125), needed=-0.03, level=0.0304) < 0.0304


def test_a_margin_has_to_be_cleared_by_more_than_luck():
    tables = right(400, wins=40, losses=8)
    told = [chance(RIGHT, *tables, needed=needed) for needed in (0, 0.02, 0.04, 0.08, 0.12)]
    assert told == sorted(told)
    assert told[1] < 0.01
    assert told[3] > 0.4


def test_errors_have_to_be_smaller_by_the_margin_and_may_be_larger_by_what_is_allowed(rng):
    theirs = pd.DataFrame({"error": rng.lognormal(size=200)})
    ours = theirs - 0.1 + rng.normal(0, 0.05, (200, 1))
    assert chance(ERROR, ours, theirs, sign=-1, needed=0.05) < 0.001
    assert chance(ERROR, ours, theirs, sign=-1, needed=0.12) > 0.9
    assert chance(ERROR, theirs, ours, sign=-1, needed=-0.15) < 0.001
    assert chance(ERROR, theirs, ours, sign=-1, needed=-0.05) > 0.9


@pytest.mark.parametrize("needed", [0.0, -0.0005, 0.0005])
def test_a_million_right_and_wrong_answers_are_as_sure_as_the_normal_limit(needed):
    rows, wins, losses = 1_000_000, 20_500, 20_000
    told = chance(RIGHT, *right(rows, wins, losses), needed=needed)
    score = (wins - losses - rows * needed) / math.sqrt(wins + losses)
    assert told == pytest.approx(stats.norm.sf(score), abs=0.008)


def test_many_errors_are_swapped_in_blocks_and_are_as_sure(rng):
    theirs = pd.DataFrame({"error": rng.lognormal(size=200_000)})
    ours = theirs * rng.lognormal(-0.001, 0.2, (200_000, 1))
    gains = (theirs - ours)["error"]
    expected = stats.norm.sf(gains.sum() / math.sqrt((gains**2).sum()))
    assert chance(ERROR, ours, theirs, sign=-1) == pytest.approx(expected, abs=0.03)


def test_as_many_pass_by_luck_as_the_level_says(rng):
    """Skewed errors, of which either model has the larger one by luck."""
    told = []
    for _ in range(400):
        first, second = rng.lognormal(sigma=1.5, size=(2, 12))
        told.append(chance(ERROR, *(pd.DataFrame({"error": each}) for each in (first, second)), sign=-1))
    assert np.mean(np.array(told) < LEVEL) == pytest.approx(LEVEL, abs=0.03)


def made(rng, *shifts, rows=150):
    """Two models whose examples are moved by so much along the first of four features."""
    real = pd.DataFrame(rng.normal(size=(rows, 4))).add_prefix("real_")
    moved = (rng.normal(size=(rows, 4)) + shift * np.eye(4)[0] for shift in shifts)
    return [pd.concat([real, pd.DataFrame(one).add_prefix("made_")], axis=1) for one in moved]


def test_of_the_frechet_distance_each_row_adds_its_part_of_the_difference(rng):
    ours, theirs = made(rng, 0.3, 1.5)
    gains, shares = paired._units(FRECHET, ours, theirs)
    assert gains.sum() == pytest.approx(statistics.value(FRECHET, ours) - statistics.value(FRECHET, theirs))
    assert shares == pytest.approx(np.full(150, 1 / 150))
    assert chance(FRECHET, ours, theirs, sign=-1) < 1e-6
    assert chance(FRECHET, theirs, ours, sign=-1) > 0.999


def test_two_that_are_as_far_off_in_two_directions_are_rarely_told_apart_by_the_luck_of_the_test_rows(rng):
    told = [chance(FRECHET, *made(rng, 1, -1, rows=60), sign=-1) for _ in range(80)]
    assert np.mean(np.array(told) < 0.1) <= 0.2
    assert np.mean(np.array(told) < 0.5) == pytest.approx(0.5, abs=0.2)


def test_of_a_ratio_every_swap_is_counted_and_what_is_needed_is_dealt_out_by_what_is_below_the_line(rng):
    ours, theirs = errors(rng, rows=9)
    (above, other), below = (each["error"].to_numpy() for each in (ours, theirs)), ours["persistence"]
    for needed in (0.0, 0.1):
        gains = (other - above - needed * below.to_numpy()) / below.sum()
        swaps = np.array([*product((1, -1), repeat=9)]) @ gains
        expected = (swaps >= gains.sum() - 1e-12).mean()
        assert chance(RATIO, ours, theirs, -1, needed) == pytest.approx(expected)
