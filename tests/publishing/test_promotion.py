import math

import pytest

from evermodel.core.params import Promotion
from evermodel.publishing.promotion import Champion, decide

ACCURACY = Promotion(metric="accuracy", floor=0.8)
MAE = Promotion(metric="mae", ceiling=4.0)
GOOD = {"accuracy": 0.9, "baseline_accuracy": 0.7, "mae": 3.0, "baseline_mae": 5.0}


def champion(value, test_hash="rows", profile="sample"):
    return Champion(version="7", value=value, test_hash=test_hash, profile=profile)


def judged(policy=ACCURACY, champion=None, profile="sample", **figures):
    return decide(policy, GOOD | figures, "rows", profile, champion)


@pytest.mark.parametrize("policy", [ACCURACY, MAE])
def test_the_first_model_within_the_limit_and_better_than_its_baseline_is_promoted(policy):
    decision = judged(policy)
    assert decision.promoted
    assert "beats the baseline" in decision.reason


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("name", ["accuracy", "baseline_accuracy", "mae", "baseline_mae"])
def test_what_is_not_finite_never_wins(name, value):
    decision = judged(MAE if name.endswith("mae") else ACCURACY, **{name: value})
    assert not decision.promoted
    assert "finite" in decision.reason


@pytest.mark.parametrize("missing", ["accuracy", "baseline_accuracy"])
def test_what_is_missing_never_wins(missing):
    figures = {name: value for name, value in GOOD.items() if name != missing}
    assert not decide(ACCURACY, figures, "rows", "sample", None).promoted


@pytest.mark.parametrize(
    ("policy", "figures", "promoted"),
    [
        (ACCURACY, {"accuracy": 0.79}, False),
        (ACCURACY, {"accuracy": 0.8}, True),
        (MAE, {"mae": 4.01}, False),
        (MAE, {"mae": 4.0}, True),
    ],
)
def test_the_limit_itself_is_good_enough(policy, figures, promoted):
    decision = judged(policy, **figures)
    assert decision.promoted == promoted
    assert ("misses the limit" in decision.reason) == (not promoted)


@pytest.mark.parametrize(
    ("policy", "figures"),
    [
        (ACCURACY, {"baseline_accuracy": 0.9}),
        (ACCURACY, {"baseline_accuracy": 0.95}),
        (MAE, {"baseline_mae": 3.0}),
        (MAE, {"baseline_mae": 2.5}),
    ],
)
def test_a_model_no_better_than_its_baseline_loses(policy, figures):
    decision = judged(policy, **figures)
    assert not decision.promoted
    assert "does not beat the baseline" in decision.reason


@pytest.mark.parametrize(
    ("policy", "value", "promoted"),
    [
        (ACCURACY, 0.89, True),
        (ACCURACY, 0.9, False),
        (ACCURACY, 0.91, False),
        (MAE, 3.1, True),
        (MAE, 3.0, False),
        (MAE, 2.9, False),
    ],
)
def test_a_champion_is_replaced_only_by_a_better_model(policy, value, promoted):
    decision = judged(policy, champion(value))
    assert decision.promoted == promoted
    assert "champion 7's" in decision.reason


def test_a_champion_that_was_scored_on_other_rows_is_replaced():
    decision = judged(champion=champion(0.99, test_hash="other rows"))
    assert decision.promoted
    assert "champion 7 was scored on other test rows" in decision.reason


def test_other_test_rows_excuse_no_one_from_limit_and_baseline():
    old = champion(0.99, test_hash="other rows")
    assert not judged(champion=old, accuracy=0.79).promoted
    assert not judged(champion=old, baseline_accuracy=0.9).promoted


@pytest.mark.parametrize("test_hash", ["rows", "other rows"])
def test_a_model_of_the_sample_never_replaces_one_of_the_full_data(test_hash):
    decision = judged(champion=champion(0.5, test_hash, profile="full"), profile="sample")
    assert not decision.promoted
    assert "full profile" in decision.reason


def test_a_model_of_the_full_data_replaces_one_of_the_sample():
    assert judged(champion=champion(0.99, "other rows", profile="sample"), profile="full").promoted
