import math
from dataclasses import replace
from itertools import pairwise
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_digits
from sklearn.neural_network import MLPClassifier

from evermodel.core.errors import EvermodelError
from evermodel.evaluation import statistics
from evermodel.publishing import promotion, report
from evermodel.publishing.candidate import Candidate
from evermodel.publishing.policy import Promotion
from evermodel.publishing.promotion import Rival, decide
from evermodel.publishing.scores import Scores

ACCURACY = Promotion(metric="accuracy", floor=0.5)
MAE = Promotion(metric="mae", ceiling=4.0)
GOOD = {"accuracy": 0.9, "baseline_accuracy": 0.4, "mae": 3.0, "baseline_mae": 5.0}
HOW = {"accuracy": statistics.mean("correct"), "mae": statistics.mean("absolute_error")}
ROWS = 400
LUCK = np.random.default_rng(3).random(ROWS)


def scores(share=0.8, error=3.0, test_hash="rows", rows=ROWS, baseline=0.4):
    """Rows that are right or wrong by the same luck, and errors that follow it, beside a baseline's."""
    made = [{"correct": (part > LUCK).astype(int)} for part in (share, baseline)]
    made = [of | {"absolute_error": times * LUCK * 2} for of, times in zip(made, (error, 5), strict=True)]
    ours, beside = (pd.DataFrame(of) for of in made)
    return Scores(ours.join(beside.add_prefix("baseline_"))[:rows], test_hash, HOW)


def model(
    policy=ACCURACY, table=None, profile="sample", slices=None, megabytes=1.0, latency=math.nan, **figures
):
    return Candidate(
        name="it",
        profile=profile,
        recipe=None,
        policy=policy,
        spec=None,
        source=None,
        metadata=None,
        megabytes=megabytes,
        figures=GOOD | figures,
        scores=table or scores(),
        slices=slices or {},
        latency=latency,
    )


def rival(table=None, profile="sample", version=7):
    return Rival(version, profile, table)


@pytest.mark.parametrize("policy", [ACCURACY, MAE])
def test_the_first_model_within_the_limit_and_better_than_its_baseline_is_promoted(policy):
    decision = decide(model(policy), None)
    assert decision.promoted
    assert decision.trusted
    assert "and beats the baseline's" in decision.reason
    (one,) = decision.comparisons
    assert (one.rows, one.size, one.needed) == ("all", ROWS, 0)
    assert one.chance < one.level == pytest.approx(0.05 * 6 / math.pi**2)


def test_the_first_model_has_to_beat_its_baseline_by_more_than_luck():
    """Five wins to none have a chance of 3.125 % by luck and six one of 1.6 %; 3.04 % are allowed."""
    five, six = (scores(baseline=0.8).table for _ in range(2))
    for table, wins in ((five, 5), (six, 6)):
        wrong = table.index[table["correct"] == 0][:wins]
        table.loc[wrong, "correct"] = 1
    near = {"accuracy": 0.815, "baseline_accuracy": 0.8}
    lost, won = (decide(model(table=Scores(one, "rows", HOW), **near), None) for one in (five, six))
    assert won.promoted
    assert not lost.promoted
    assert not lost.trusted
    assert "may owe it to luck that it beats the baseline's 0.8: better by 0.0125 [" in lost.reason
    assert "(chance by luck 3.12 %, allowed are 3.04 %)" in lost.reason
    assert lost.comparisons, "it has used the test rows"
    assert not decide(model(table=Scores(six, "rows", HOW), **near), None, uses=1).promoted


def test_the_margin_is_for_champions_and_not_for_baselines():
    wide = Promotion(metric="accuracy", floor=0.5, margin=0.3)
    assert decide(model(wide, scores(0.8, baseline=0.7)), None).promoted


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"columns": "baseline_correct"}, "scores of its baseline do not tell accuracy"),
        ({"columns": "correct"}, "scores of this model do not tell accuracy"),
    ],
)
def test_scores_that_lack_what_has_to_be_compared_are_told(change, reason):
    decision = decide(model(table=Scores(scores().table.drop(**change), "rows", HOW)), None)
    assert not decision.promoted
    assert not decision.trusted
    assert reason in decision.reason


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("name", ["accuracy", "baseline_accuracy", "mae", "baseline_mae"])
def test_what_is_not_finite_never_wins(name, value):
    decision = decide(model(MAE if name.endswith("mae") else ACCURACY, **{name: value}), None)
    assert not decision.promoted
    assert "finite" in decision.reason


@pytest.mark.parametrize("missing", ["accuracy", "baseline_accuracy"])
def test_what_is_missing_never_wins(missing):
    without = {name: value for name, value in GOOD.items() if name != missing}
    assert not decide(replace(model(), figures=without), None).promoted


@pytest.mark.parametrize(
    ("policy", "figures", "promoted"),
    [
        (ACCURACY, {"accuracy": 0.49}, False),
        (ACCURACY, {"accuracy": 0.5}, True),
        (MAE, {"mae": 4.01}, False),
        (MAE, {"mae": 4.0}, True),
    ],
)
def test_the_limit_itself_is_good_enough(policy, figures, promoted):
    decision = decide(model(policy, **figures), None)
    assert decision.promoted == promoted
    assert ("misses the limit" in decision.reason) == (not promoted)


@pytest.mark.parametrize(
    ("policy", "figures"), [(ACCURACY, {"baseline_accuracy": 0.9}), (MAE, {"baseline_mae": 3.0})]
)
def test_a_tie_with_the_baseline_loses(policy, figures):
    assert "does not beat the baseline" in decide(model(policy, **figures), None).reason


def test_a_model_that_is_too_large_loses():
    small = Promotion(metric="accuracy", floor=0.5, max_megabytes=0.5)
    assert not decide(model(small), None).promoted
    assert decide(model(small, megabytes=0.5), None).promoted


def test_a_model_that_has_too_little_of_another_metric_loses_and_what_that_means_is_told():
    asked = Promotion(metric="accuracy", floor=0.5, least={"recall": 0.3})
    made = SimpleNamespace(task="generation")
    for recall, promoted in ((0.29, False), (0.3, True), (math.nan, False)):
        decision = decide(replace(model(asked, recall=recall), recipe=made), None)
        assert (decision.promoted, decision.trusted) == (promoted, promoted)
        assert ("it has collapsed" in decision.reason) == (not promoted)
    assert (
        "recall 0.29 is less than 0.3: "
        in decide(replace(model(asked, recall=0.29), recipe=made), None).reason
    )
    assert not decide(replace(model(asked), recipe=made), rival(scores(0.1))).promoted, "it has no recall"


def test_a_model_that_is_too_slow_loses_and_so_does_one_whose_latency_is_unknown():
    quick = Promotion(metric="accuracy", floor=0.5, max_latency=3.0)
    decision = decide(model(quick, latency=3.5), None)
    assert not decision.promoted
    assert "3.5 times as long as the reference" in decision.reason
    assert not decide(model(quick), None).promoted
    assert decide(model(quick, latency=3.0), None).promoted
    assert decide(model(latency=3.5), None).promoted, "this policy has no limit"


@pytest.mark.parametrize(
    ("policy", "ours", "theirs"),
    [(ACCURACY, scores(0.9), scores(0.8)), (MAE, scores(error=2.0), scores(error=3.0))],
)
def test_better_on_the_same_rows_by_more_than_luck_wins_and_the_reverse_loses(policy, ours, theirs):
    won = decide(model(policy, ours), rival(theirs))
    lost = decide(model(policy, theirs), rival(ours))
    assert won.promoted
    assert not lost.promoted
    (one,) = won.comparisons
    assert 0 < one.low < one.value < one.high
    assert lost.comparisons[0].value == -one.value


def test_a_tie_keeps_the_champion():
    decision = decide(model(table=scores(0.8)), rival(scores(0.8)))
    assert not decision.promoted
    assert "does not beat champion 7's" in decision.reason


def test_better_within_luck_keeps_the_champion():
    table = scores(0.8).table.copy()
    table.loc[table.index[:2], "correct"] = 1
    decision = decide(model(table=Scores(table, "rows", HOW)), rival(scores(0.8)))
    assert not decision.promoted


def test_the_margin_has_to_be_cleared():
    ours, theirs = scores(0.9), scores(0.8)
    assert decide(model(ACCURACY, ours), rival(theirs)).promoted
    strict = Promotion(metric="accuracy", floor=0.5, margin=0.1)
    assert not decide(model(strict, ours), rival(theirs)).promoted


@pytest.mark.parametrize(
    ("theirs", "reason"),
    [
        (scores(0.6, test_hash="others"), "only the same rows"),
        (scores(0.6, rows=ROWS - 1), "only the same rows"),
        (Scores(scores(0.6).table, "rows", {}), "do not tell accuracy"),
        (Scores(scores(0.6).table.assign(correct=math.nan), "rows", HOW), "not finite"),
    ],
)
def test_scores_that_can_not_be_compared_never_win(theirs, reason):
    for decision in (
        decide(model(table=scores(0.9)), rival(theirs)),
        decide(model(table=theirs), rival(scores())),
    ):
        assert not decision.promoted
        assert reason in decision.reason


def test_the_full_profile_takes_over_from_the_sample_profile_if_it_beats_its_baseline():
    full = decide(model(profile="full", table=scores(0.6)), rival(None, "sample"))
    assert full.promoted
    assert full.reason.endswith("champion 7 is not of the full profile")
    assert len(full.comparisons) == 1
    equal = decide(model(profile="full", table=scores(0.4)), rival(None, "sample"))
    assert not equal.promoted
    assert "may owe it to luck" in equal.reason
    sample = decide(model(profile="sample", table=scores(0.9)), rival(None, "full"))
    assert (sample.promoted, sample.trusted, sample.waits) == (False, False, False)
    assert not sample.comparisons


def test_what_takes_other_inputs_than_the_champion_waits_for_a_person():
    decision = decide(model(), rival(None))
    assert (decision.promoted, decision.trusted, decision.waits) == (False, False, True)
    assert decision.reason.endswith("takes other inputs than champion 7, so that a person has to say")
    assert "beats the baseline's" in decision.reason
    luck = decide(model(table=scores(baseline=0.8)), rival(None))
    assert (luck.promoted, luck.waits) == (False, False), "nobody has to be asked about it"


def test_who_loses_to_the_champion_and_not_to_the_baseline_may_be_tried_on_visitors():
    lost = decide(model(table=scores(0.8)), rival(scores(0.9)))
    assert (lost.promoted, lost.trusted, lost.waits) == (False, True, False)
    luck = decide(model(table=scores(0.8, baseline=0.8)), rival(scores(0.9)))
    assert (luck.promoted, luck.trusted) == (False, False)
    others = decide(model(table=scores(0.8)), rival(scores(0.9, test_hash="others")))
    assert (others.promoted, others.trusted) == (False, False)


@pytest.mark.parametrize(
    "bad",
    [
        model(accuracy=0.49),
        model(accuracy=math.nan),
        model(baseline_accuracy=0.95),
        model(Promotion(metric="accuracy", floor=0.5, max_megabytes=0.5)),
        model(Promotion(metric="accuracy", floor=0.5, max_latency=3.0), latency=9.0),
    ],
)
def test_what_no_champion_may_be_is_not_tried_on_visitors_either(bad):
    for champion in (None, rival(scores(0.7)), rival(None), rival(None, "full")):
        decision = decide(bad, champion)
        assert (decision.promoted, decision.trusted, decision.waits) == (False, False, False)


def test_a_slice_in_which_it_may_be_worse_keeps_the_champion():
    groups = pd.Series(np.where(np.arange(ROWS) % 10 == 0, "rare", "common"))
    theirs = scores(0.7)
    table = scores(0.9).table.copy()
    table.loc[groups == "rare", "correct"] = 0
    ours = Scores(table, "rows", HOW)
    careful = Promotion(metric="accuracy", floor=0.5, slices={"kind": 0.1})
    assert decide(model(table=ours), rival(theirs)).promoted
    decision = decide(model(careful, ours, slices={"kind": groups}), rival(theirs))
    assert not decision.promoted
    assert "may be worse than champion 7's where kind = rare" in decision.reason
    assert [one.rows for one in decision.comparisons] == ["all", "kind = common", "kind = rare"]


def grouped(share):
    """Rows in twenty groups, each right or wrong as a whole, with all the same luck."""
    group = np.arange(ROWS) % 20
    luck = np.random.default_rng(8).random(20)[group]
    made = {"correct": (luck < share).astype(int), "baseline_correct": 0, "group": group}
    return Scores(pd.DataFrame(made), "rows", HOW)


def test_rows_that_belong_together_are_no_more_evidence_than_one_of_them():
    ours, theirs = grouped(0.8), grouped(0.65)
    rows = [Scores(one.table.drop(columns="group"), "rows", HOW) for one in (ours, theirs)]
    assert decide(model(table=rows[0]), rival(rows[1])).promoted
    decision = decide(model(table=ours), rival(theirs))
    assert not decision.promoted
    assert decision.comparisons[0].value == decide(model(table=rows[0]), rival(rows[1])).comparisons[0].value
    assert decide(model(table=ours), rival(rows[1])) == decision, "scores of the champion from before groups"


@pytest.mark.parametrize(("table", "told"), [(grouped, True), (scores, False)])
def test_the_report_tells_that_rows_that_belong_together_count_as_one(table, told):
    candidate, champion = model(table=table(0.9)), rival(table(0.5))
    page = report.page(candidate, champion, decide(candidate, champion), 0)
    assert ("those that belong together count as one" in page) == told
    assert "Compared with champion 7 on the same test rows" in page
    assert "| all | 400 |" in page


def test_the_report_of_the_first_model_is_about_its_baseline():
    decision = decide(model(), None, uses=2)
    page = report.page(model(), None, decision, 2)
    assert "Compared with its baseline on the same test rows." in page
    assert "below 0.338 % in each line: these rows had been used for 2 such decisions" in page
    assert "| accuracy better by | 95 % interval | needed | chance | |" in page
    assert "| 0 | less than 0.0001 % | yes |" in page
    assert report.image(ACCURACY, decision).startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("share", "text"),
    [(1, "100 %"), (0.0304, "3.04 %"), (3.4e-5, "0.0034 %"), (1e-9, "less than 0.0001 %"), (0.5, "50 %")],
)
def test_chances_are_written_as_a_person_reads_them(share, text):
    assert promotion.percent(share) == text


def test_a_slice_is_compared_by_the_groups_that_it_has():
    careful = Promotion(metric="accuracy", floor=0.5, slices={"half": 0.05})
    halves = {"half": pd.Series(np.where(np.arange(ROWS) % 2, "odd", "even"))}
    decision = decide(model(careful, grouped(0.9), slices=halves), rival(grouped(0.5)))
    assert [(one.rows, one.size) for one in decision.comparisons] == [
        ("all", ROWS),
        ("half = even", ROWS // 2),
        ("half = odd", ROWS // 2),
    ]
    rows = [Scores(of.table.drop(columns="group"), "rows", HOW) for of in (grouped(0.9), grouped(0.5))]
    by_rows = decide(model(careful, rows[0], slices=halves), rival(rows[1]))
    for one, other in zip(decision.comparisons, by_rows.comparisons, strict=True):
        assert one.high - one.low > 3 * (other.high - other.low)


KIND = {"kind": pd.Series(np.where(np.arange(ROWS) == 7, "rare", "common"))}


@pytest.mark.parametrize("champion", [None, rival(scores(0.7)), rival(None, "full")])
@pytest.mark.parametrize("value", [0.9, 0.1])
def test_a_slice_in_which_nothing_could_pass_is_refused_whatever_the_champion_and_the_model(champion, value):
    careful = Promotion(metric="accuracy", floor=0.5, slices={"kind": 0.05})
    told = (
        r"^experiments/it/params\.yaml: promotion\.slices\.kind is 0\.05, but 1 test rows, where kind = rare"
    )
    with pytest.raises(EvermodelError, match=told):
        decide(model(careful, scores(0.9), slices=KIND, accuracy=value), champion)


def test_more_may_be_worse_where_too_few_rows_tell_less():
    """36 rows can tell, as the refusal advises, that no more than 10 % are worse, and not that 5 % are."""
    few = {"target": pd.Series(np.where(np.arange(ROWS) < 36, "few", "many"))}
    strict, advised = (
        Promotion(metric="accuracy", floor=0.5, slices={"target": most}) for most in (0.05, 0.1)
    )
    with pytest.raises(EvermodelError, match=r"36 test rows, where target = few, .*allow more"):
        decide(model(strict, scores(0.9), slices=few), None)
    assert decide(model(advised, scores(0.9), slices=few), None).promoted


def test_test_rows_on_which_nothing_could_pass_are_told():
    """Four groups that all gain have a chance of 1 in 16."""
    table = pd.DataFrame({"correct": 1, "baseline_correct": 0, "group": np.arange(ROWS) % 4})
    decision = decide(model(table=Scores(table, "rows", HOW)), None)
    assert not decision.promoted
    assert "; no chance is below 6.25 % on so few test rows that do not belong together: " in decision.reason
    assert "no chance is below" not in decide(model(table=grouped(0.9)), None).reason
    worn = decide(model(table=grouped(0.9)), rival(grouped(0.8)), uses=10_000)
    assert "no chance is below" in worn.reason


def test_one_group_of_rows_that_belong_together_is_no_slice():
    careful = Promotion(metric="accuracy", floor=0.5, slices={"kind": 0.05})
    one_group = {"kind": pd.Series(np.where(np.arange(ROWS) % 20 == 7, "rare", "common"))}
    with pytest.raises(EvermodelError, match="20 test rows, where kind = rare"):
        decide(model(careful, grouped(0.9), slices=one_group), rival(grouped(0.7)))


def test_a_slice_of_one_class_has_no_area_under_the_curve():
    target = (LUCK > 0.5).astype(int)
    table = pd.DataFrame({"target": target, "score": LUCK, "baseline_score": 1 - LUCK})
    ranked = Scores(
        table, "rows", {"roc_auc": statistics.Statistic(kind="roc_auc", columns=("target", "score"))}
    )
    policy = Promotion(metric="roc_auc", floor=0.5, slices={"kind": 0.2})
    figures = {"roc_auc": 0.9, "baseline_roc_auc": 0.5}
    mixed = {"kind": pd.Series(np.arange(ROWS) % 2)}
    assert decide(model(policy, ranked, slices=mixed, **figures), None).promoted
    with pytest.raises(EvermodelError, match=r"promotion\.slices\.kind .*where kind = 0"):
        decide(model(policy, ranked, slices={"kind": pd.Series(target)}, **figures), None)


def test_a_slice_of_many_numbers_is_cut_into_quarters():
    careful = Promotion(metric="accuracy", floor=0.5, slices={"x": 1.0})
    slices = {"x": pd.Series(np.arange(ROWS) / 7)}
    decision = decide(model(careful, scores(0.9), slices=slices), rival(scores(0.7)))
    assert [one.size for one in decision.comparisons] == [ROWS, *[ROWS // 4] * 4]
    assert [one.rows.split(", ")[0] for one in decision.comparisons[1:]] == [
        "x = (-0.001",
        "x = (14.25",
        "x = (28.5",
        "x = (42.75",
    ]
    assert decision.promoted


def test_many_names_are_groups_of_their_own_and_so_is_what_is_missing():
    names = pd.Series([f"class {number}" for number in range(12)] * 3)
    assert [name for name, _ in promotion.groups("target", names)][:2] == [
        "target = class 0",
        "target = class 1",
    ]
    assert len(promotion.groups("target", names)) == 12
    gaps = promotion.groups("x", pd.Series([2.0, math.nan, 1.0, 2.0]))
    assert [(name, rows.tolist()) for name, rows in gaps] == [
        ("x = 1.0", [False, False, True, False]),
        ("x = 2.0", [True, False, False, True]),
        ("x is missing", [False, True, False, False]),
    ]


def test_each_slice_has_the_whole_level():
    """All have to pass, so that more of them make no promotion likelier (Berger 1982)."""
    careful = Promotion(metric="accuracy", floor=0.5, slices={"x": 1.0})
    slices = {"x": pd.Series(np.arange(ROWS) % 8)}
    plain = decide(model(table=scores(0.9)), rival(scores(0.7)))
    sliced = decide(model(careful, scores(0.9), slices=slices), rival(scores(0.7)))
    assert sliced.comparisons[0] == plain.comparisons[0]
    assert {one.level for one in sliced.comparisons} == {plain.comparisons[0].level}
    assert len(sliced.comparisons) == 9


def test_the_level_sinks_with_each_use_of_the_rows_and_all_uses_share_the_chance():
    spent = [promotion.spent(0.95, uses) for uses in range(2000)]
    assert spent == sorted(spent)
    assert sum(1 - one for one in spent) == pytest.approx(0.05, rel=1e-3)
    first, tenth = (decide(model(table=scores(0.84)), rival(scores(0.8)), uses) for uses in (0, 9))
    assert tenth.comparisons[0].level == pytest.approx(first.comparisons[0].level / 100)
    assert tenth.comparisons[0][:-1] == first.comparisons[0][:-1]


def test_six_wins_to_none_pass_the_first_time_and_never_after():
    table = scores(0.8).table
    wrong = table.index[table["correct"] == 0][:6]
    ours = Scores(table.assign(correct=table["correct"].where(~table.index.isin(wrong), 1)), "rows", HOW)
    won = [decide(model(table=ours), rival(scores(0.8)), uses).promoted for uses in range(8)]
    assert won == [True] + [False] * 7


class Digits:
    """Scikit-learn's digits; a small network learns some of the rows, and 360 others are the test rows."""

    def __init__(self):
        x, y = load_digits(return_X_y=True)
        order = np.random.default_rng(0).permutation(len(x))
        self.x, self.y = x[order] / 16, y[order]

    def trained(self, seed, rows=200):
        network = MLPClassifier((32,), max_iter=30, batch_size=32, learning_rate_init=0.01, random_state=seed)
        network.fit(self.x[-rows:], self.y[-rows:])
        right = (network.predict(self.x[:360]) == self.y[:360]).astype(int)
        table = pd.DataFrame({"correct": right, "baseline_correct": 0})
        return model(table=Scores(table, "rows", HOW), accuracy=right.mean())


def wins(challenger, champion, uses=0):
    return decide(challenger, rival(champion.scores), uses).promoted


@pytest.mark.all
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_of_a_hundred_challengers_with_other_seeds_five_at_most_are_promoted_and_most_with_twice_the_data():
    """Each against the one before; what wins without spending and not with it would have been luck."""
    digits = Digits()
    networks = [digits.trained(seed) for seed in range(101)]
    pairs = list(enumerate(pairwise(networks)))
    won = [(uses, pair) for uses, pair in pairs if wins(pair[1], pair[0])]
    still = [pair for uses, pair in won if wins(pair[1], pair[0], uses)]
    assert 0 < len(won) <= 5
    assert len(still) < len(won)
    half = digits.trained(seed=0, rows=100)
    assert sum(wins(network, half) for network in networks) >= 90
