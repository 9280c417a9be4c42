import itertools
import threading
from dataclasses import replace

import numpy as np
import pytest

from evermodel.serving import challengers
from evermodel.serving.shadow import WAITING
from tests.mlflow.servers import wait_for
from tests.serving.conftest import LIMITS, champion

ROW = {"rows": [{"a": 1, "b": 3}]}
TENSOR = {"inputs": [{"name": "x", "shape": [1, 2], "datatype": "FP64", "data": [1, 3]}]}
ALL = 1.0  # the requests that a challenger answers
VERSIONS = itertools.count(100)


@pytest.fixture
def version():
    """A version that no other test counts anything of."""
    return next(VERSIONS)


def broken(x):
    raise RuntimeError("the challenger is broken")


def constant(value):
    return lambda x: np.full((len(x), 1), float(value))


def ask(running, name="houses", body=ROW):
    answer = running.client.post(f"/predict/{name}", json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()


def shadows(running):
    return [line for line in running.lines if line["form"] == "shadow"]


def metric(running, line):
    found = [each for each in running.client.get("/metrics").text.splitlines() if each.startswith(line)]
    return float(found[0].split()[-1]) if found else 0.0


def told(running):
    return running.client.get("/champions").json()


def test_a_shadow_sees_what_the_champion_answered_and_both_are_compared(start, version):
    running = start()
    running.challengers.take("houses", champion("houses", version, constant(5)))
    answer = ask(running)
    assert (answer["version"], answer["answers"][0]["price"]) == (1, 2.0)
    running.client.post("/v2/models/houses/infer", json=TENSOR)
    wait_for(lambda: len(shadows(running)) == 2, "the shadow has answered")
    shadow = shadows(running)[0]
    assert shadow["answer"] == {"champion": 1, "mean_absolute_difference": 3.0}
    assert (shadow["version"], shadow["run_id"]) == (version, f"run{version}")
    asked = [line["input_hmac"] for line in running.lines if line["form"] != "shadow"]
    assert [line["input_hmac"] for line in shadows(running)] == asked
    labels = f'{{measure="mean_absolute_difference",model="houses",version="{version}"}}'
    assert metric(running, f"evermodel_shadow_likeness_sum{labels}") == 6.0
    copies = f'evermodel_shadow_copies_total{{model="houses",outcome="compared",version="{version}"}}'
    wait_for(lambda: metric(running, copies) == 2, "both are counted")


@pytest.mark.parametrize(("better", "agreement"), [(0.9, 1.0), (0.4, 0.0)])
def test_classes_are_compared_by_how_often_they_agree(start, better, agreement):
    running = start()
    running.challengers.take("reviews", champion("reviews", 2, constant(better)))
    ask(running, "reviews", {"text": "Größe 🎉"})
    wait_for(lambda: shadows(running), "the shadow has answered")
    assert shadows(running)[0]["answer"] == {"champion": 1, "agreement": agreement}


@pytest.mark.parametrize("predict", [broken, constant("nan"), lambda x: np.zeros((len(x), 7))])
def test_a_shadow_that_fails_is_counted_and_nobody_notices(start, version, predict):
    running = start()
    running.challengers.take("houses", champion("houses", version, predict))
    assert ask(running)["version"] == 1
    failed = f'evermodel_shadow_copies_total{{model="houses",outcome="failed",version="{version}"}}'
    wait_for(lambda: metric(running, failed) == 1, "it is counted")
    assert shadows(running) == []


def test_a_shadow_that_is_busy_keeps_nobody_waiting(start, version):
    running, go_on = start(), threading.Event()
    running.challengers.take("houses", champion("houses", version, lambda x: go_on.wait(60) and mean(x)))
    try:
        for _ in range(20):
            assert ask(running)["version"] == 1
        dropped = f'evermodel_shadow_copies_total{{model="houses",outcome="dropped",version="{version}"}}'
        assert metric(running, dropped) == 20 - WAITING
    finally:
        go_on.set()
    wait_for(lambda: len(shadows(running)) == WAITING, "those that waited are compared")


def test_a_challenger_answers_its_share_and_says_who_it_is(start, monkeypatch):
    running = start(share=0.25)
    running.challengers.take("houses", champion("houses", 2, constant(5)))
    drawn = iter([0.2, 0.25, 0.9, 0.1])
    monkeypatch.setattr(challengers.random, "random", lambda: next(drawn))
    answers = [ask(running) for _ in range(4)]
    assert [(one["version"], one["answers"][0]["price"]) for one in answers] == [
        (2, 5.0),
        (1, 2.0),
        (1, 2.0),
        (2, 5.0),
    ]
    assert told(running)["challengers"] == {"houses": {"version": 2, "run_id": "run2", "share": 0.25}}
    assert [line["version"] for line in running.lines if line["form"] == "plain"] == [2, 1, 1, 2]


def test_a_tensor_may_be_answered_by_a_challenger_too(start):
    running = start(share=ALL)
    running.challengers.take("houses", champion("houses", 2, constant(5)))
    answer = running.client.post("/v2/models/houses/infer", json=TENSOR).json()
    assert (answer["model_version"], answer["parameters"]) == ("2", {"run_id": "run2"})
    assert answer["outputs"][0]["data"] == [5.0]


@pytest.mark.parametrize(
    ("predict", "why"),
    [
        (broken, "RuntimeError: the challenger is broken"),
        (constant("nan"), "InvalidInput: the model has no finite answer"),
        (lambda x: np.zeros((len(x), 0)), "IndexError"),
        (
            lambda x: threading.Event().wait(1),
            "hangs: each of its 1 threads has computed for more than 0.05 s",
        ),
    ],
)
def test_a_challenger_that_fails_is_never_seen_and_loses_its_share(start, version, predict, why):
    running = start(replace(LIMITS, canary_seconds=0.05), share=ALL)
    running.challengers.take("houses", champion("houses", version, predict))
    for number in range(1, 6):
        answer = ask(running)
        assert (answer["version"], answer["answers"][0]["price"]) == (1, 2.0)
        assert ("houses" in told(running)["challengers"]) == (number < challengers.FAILURES)
    problem = told(running)["problems"]["houses@challenger"]
    assert problem.startswith(
        f"version {version} is challenger but is asked no more: 3 of its last 3 answers"
    )
    assert why in problem
    labels = f'model="houses",version="{version}"'
    assert metric(running, f"evermodel_canary_returns_total{{{labels}}}") == 1
    failed = f'evermodel_canary_requests_total{{model="houses",outcome="failed",version="{version}"}}'
    assert metric(running, failed) == 3


def test_what_the_champion_can_not_answer_is_no_failure_of_the_challenger(start):
    running = start(share=ALL)
    running.serve(champion("houses", 1, constant("nan")))
    running.challengers.take("houses", champion("houses", 2, broken))
    for _ in range(5):
        assert running.client.post("/predict/houses", json=ROW).status_code == 422
    assert "houses" in told(running)["challengers"]


def test_failures_long_ago_are_forgotten(start, monkeypatch):
    monkeypatch.setattr(challengers, "LAST", 3)
    running = start(share=ALL)
    fails = iter([True, True, False] * 4)
    running.challengers.take("houses", champion("houses", 2, lambda x: broken(x) if next(fails) else mean(x)))
    for _ in range(12):
        ask(running)
    assert "houses" in told(running)["challengers"]


def test_the_next_challenger_begins_anew(start):
    running = start(share=ALL)
    running.challengers.take("houses", champion("houses", 2, broken))
    for _ in range(3):
        ask(running)
    running.challengers.take("houses", champion("houses", 3, constant(5)))
    assert ask(running)["version"] == 3
    running.challengers.take("houses", None)
    assert ask(running)["version"] == 1
    assert told(running)["challengers"] == {}


def test_a_challenger_that_became_champion_is_asked_as_champion_alone(start):
    running = start(share=ALL)
    running.challengers.take("houses", champion("houses", 2, broken))
    running.serve(champion("houses", 2, constant(5)))
    assert ask(running)["answers"][0]["price"] == 5.0
    assert "houses" in told(running)["challengers"]
    assert shadows(running) == []


def test_a_challenger_that_takes_something_else_is_not_asked(start):
    running = start(share=ALL)
    other = replace(champion("prices", 2), name="houses")
    running.challengers.take("houses", other)
    assert ask(running)["version"] == 1
    assert told(running)["problems"]["houses@challenger"] == (
        "version 2 is challenger but is asked no more: it takes or gives something else than the champion"
    )


def mean(x):
    return np.asarray(x, dtype=float).mean(axis=1, keepdims=True)
