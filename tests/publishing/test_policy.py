import pytest

from evermodel.publishing import policy
from tests.settings import MISSING, refusal, write


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def refused(task, **values):
    """The sentence about an experiment with those values."""
    write(task=task, **values)
    sentence = refusal(policy.load, "mine", task, "full")
    assert sentence.startswith("experiments/mine/params.yaml: promotion")
    return sentence.removeprefix("experiments/mine/params.yaml: ")


def test_a_policy_says_no_more_than_it_must():
    write(schedule="not its business")
    found = policy.load("mine", "regression", "full")
    assert (found.metric, found.ceiling, found.direction) == ("mae", 4.0, -1)
    assert (found.margin, found.confidence, found.slices, found.approval) == (0, 0.95, {}, "auto")


@pytest.mark.parametrize(
    ("path", "value", "expected"),
    [
        ("promotion.ceiling", float("nan"), "finite"),
        ("promotion.approval", "maybe", "'report-only'"),
        ("promotion.margin", -1, "greater than or equal to 0"),
        ("promotion.metric", "accuracy", "mae"),
        ("promotion.metric", MISSING, "missing"),
        ("promotion.slices", {"RM": 0}, "greater than 0"),
        ("promotion.flor", 3, "ceiling, confidence, floor"),
        ("promotion", MISSING, "missing"),
    ],
)
def test_a_wrong_key_is_named_with_its_full_path(path, value, expected):
    sentence = refused("regression", **{path: value})
    assert sentence.startswith(path)
    assert expected in sentence


@pytest.mark.parametrize(
    ("task", "promotion", "expected"),
    [
        ("classification", {"metric": "accuracy", "ceiling": 0.8}, "must have a floor"),
        ("regression", {"metric": "mae", "floor": 4.0}, "must have a ceiling"),
        ("classification", {"metric": "accuracy"}, "needs one limit"),
        ("classification", {"metric": "accuracy", "floor": 0.8, "ceiling": 0.9}, "needs one limit"),
    ],
)
def test_a_policy_has_the_one_limit_that_its_metric_needs(task, promotion, expected):
    assert refused(task, promotion=promotion).startswith(f"promotion {expected}")


@pytest.mark.parametrize(
    ("task", "metric"),
    [
        ("binary", "roc_auc"),
        ("anomaly", "roc_auc"),
        ("embedding", "rank1"),
        ("embedding", "verification_auc"),
    ],
)
def test_a_metric_that_compares_rows_of_several_targets_has_no_slice_of_one(task, metric):
    promotion = {"metric": metric, "floor": 0.5, "slices": {"target": 0.1}}
    assert refused(task, promotion=promotion).startswith(f"promotion.slices names target, but {metric} ")
    write(task=task, promotion=promotion | {"slices": {"age": 0.1}})
    assert policy.load("mine", task, "full").slices == {"age": 0.1}


def test_accuracy_has_slices_of_the_target():
    write(task="binary", promotion={"metric": "accuracy", "floor": 0.5, "slices": {"target": 0.1}})
    assert policy.load("mine", "binary", "full").slices == {"target": 0.1}


@pytest.mark.parametrize("task", ["generation", "regression"])
def test_a_least_value_is_asked_only_of_what_a_task_says_has_too_little(task):
    metric = {"generation": "frechet", "regression": "mae"}[task]
    promotion = {"metric": metric, "ceiling": 4.0, "least": {"precision": 0.5}}
    choices = {"generation": "recall", "regression": "none"}[task]
    sentence = refused(task, promotion=promotion)
    assert sentence.startswith("promotion.least.precision ")
    assert sentence.endswith(f"the choices are {choices}")


def test_what_makes_examples_is_asked_for_a_least_recall():
    write(task="generation", promotion={"metric": "frechet", "ceiling": 4.0, "least": {"recall": 0.3}})
    assert policy.load("mine", "generation", "full").least == {"recall": 0.3}


@pytest.mark.parametrize(("task", "metric"), [("binary", "f1"), ("classification", "balanced_accuracy")])
@pytest.mark.parametrize("more", [{"margin": 0.01}, {"slices": {"RM": 0.1}}])
def test_of_what_counts_right_answers_unevenly_no_margin_can_be_told(task, metric, more):
    assert "no exact test" in refused(task, promotion={"metric": metric, "floor": 0.5, **more})
    write(task=task, promotion={"metric": metric, "floor": 0.5})
    assert policy.load("mine", task, "full").metric == metric
