"""A model that hangs is told, and stops nobody but those who ask it."""

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest

from tests.mlflow.servers import wait_for
from tests.serving.conftest import LIMITS, champion

ROW = {"rows": [{"a": 1, "b": 3}]}
STEPS = {"rows": [{"Open": step, "Close": step} for step in (1.0, 2.0, 3.0)]}


@pytest.fixture
def go_on():
    event = threading.Event()
    yield event
    event.set()


@pytest.fixture
def hanging(start, go_on):
    """The application with two threads for each model, and houses that hang; a client of it."""
    running = start(replace(LIMITS, seconds=0.3, at_once=8, threads=2))
    running.serve(champion("houses", predict=lambda x: go_on.wait(60) and np.ones((len(x), 1))))
    with running.client:
        yield running


def ask(running, name="houses", body=ROW):
    return running.client.post(f"/predict/{name}", json=body)


def ready(running, name="houses"):
    return running.client.get(f"/v2/models/{name}/ready").status_code


def test_others_answer_while_one_hangs_and_readiness_tells_which(hanging):
    assert ready(hanging) == 200
    with ThreadPoolExecutor(8) as pool:
        asked = [pool.submit(ask, hanging) for _ in range(8)]
        for _ in range(20):
            assert ask(hanging, "prices", STEPS).status_code == 200
        assert {each.result().status_code for each in asked} == {503}
    assert (ready(hanging), ready(hanging, "prices")) == (503, 200)
    champions = hanging.client.get("/champions").json()["champions"]
    assert {name: one["ready"] for name, one in champions.items() if name in ("houses", "prices")} == {
        "houses": False,
        "prices": True,
    }


def test_who_asks_a_model_that_hangs_is_told_at_once(hanging):
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda _: ask(hanging), range(2)))
    refused = ask(hanging)
    assert refused.status_code == 503
    assert refused.json()["error"] == (
        "houses version 1 hangs: each of its 2 threads has computed for more than 0.3 s; it is asked again "
        "when one is done, or after a restart"
    )


def test_one_answer_that_does_not_come_is_enough_to_be_not_ready_until_another_comes(start, go_on):
    running = start(replace(LIMITS, seconds=0.3, at_once=8, threads=2))
    slow = iter([True])
    running.serve(champion("houses", predict=lambda x: go_on.wait(60 * next(slow, False)) or np.ones((1, 1))))
    with running.client:
        assert ask(running).status_code == 503
        assert ready(running) == 503
        assert ask(running).status_code == 200
        assert ready(running) == 200


def test_it_is_asked_again_when_its_threads_come_back(hanging, go_on):
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda _: ask(hanging), range(2)))
    go_on.set()
    wait_for(lambda: ready(hanging) == 200, "its threads are back")
    assert ask(hanging).status_code == 200


def test_the_next_champion_has_threads_of_its_own(hanging):
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda _: ask(hanging), range(2)))
    hanging.serve(champion("houses", 2))
    assert (ask(hanging).json()["version"], ready(hanging)) == (2, 200)


def test_the_server_is_ready_while_all_that_were_named_answer_and_one_at_all(hanging):
    assert hanging.plane.names == ["houses"]
    ask(hanging)
    assert hanging.client.get("/v2/health/ready").status_code == 503
    hanging.plane.names = ["prices"]
    assert hanging.client.get("/v2/health/ready").status_code == 200
    hanging.plane.names = []
    assert hanging.client.get("/v2/health/ready").status_code == 200
    for model in hanging.plane.served:
        hanging.plane.model_registry.unload(model.name)
    assert hanging.client.get("/v2/health/ready").status_code == 503


def test_a_model_without_champion_is_not_found_in_a_sentence(hanging):
    hanging.plane.model_registry.unload("houses")
    for answer in (
        ask(hanging),
        hanging.client.get("/v2/models/houses/ready"),
        hanging.client.get("/v2/models/houses"),
    ):
        assert answer.status_code == 404
        assert answer.json()["error"].startswith("no champion answers for 'houses'")
