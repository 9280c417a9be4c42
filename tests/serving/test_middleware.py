import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from evermodel.serving import form, protocol
from evermodel.serving.middleware import AccessMiddleware
from tests.mlflow.servers import wait_for
from tests.serving.conftest import LIMITS, champion

ROW = {"rows": [{"a": 1, "b": 3}]}
TENSOR = {"inputs": [{"name": "x", "shape": [1, 2], "datatype": "FP64", "data": [1, 3]}]}


@pytest.mark.parametrize(
    "given", [None, "Bearer wrong", "Basic secret", "Basic bWU6d3Jvbmc=", "Basic bWU=", "Basic ü"]
)
def test_without_the_token_nobody_comes_in(start, given):
    client, headers = start(token="secret").client, {"authorization": given.encode()} if given else {}
    for answer in (
        client.post("/predict/houses", json=ROW, headers=headers),
        client.get("/metrics", headers=headers),
    ):
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"] == 'Basic realm="Evermodel"'


def test_with_the_token_everybody_does_and_health_needs_none(start):
    client = start(token="secret").client
    assert (
        client.post("/predict/houses", json=ROW, headers={"authorization": "Bearer secret"}).status_code
        == 200
    )
    assert client.get("/v2/health/ready").status_code == 200


def test_a_browser_gives_the_token_as_a_password(start):
    client = start(token="secret").client
    assert client.post("/predict/houses", json=ROW, auth=("me", "secret")).status_code == 200
    assert client.post("/predict/houses", json=ROW, auth=("secret", "wrong")).status_code == 401


@pytest.mark.parametrize("said", [True, False])
def test_a_body_that_is_too_large_is_refused_whether_it_says_so_or_not(client, said):
    content = b"x" * 200_000
    answer = client.post("/predict/houses", content=content if said else iter([content] * 2))
    assert answer.status_code == 413
    assert "100,000 bytes" in answer.json()["error"]


def test_a_body_that_comes_too_slowly_is_refused():
    sent = []

    async def never():
        await asyncio.sleep(60)

    async def send(message):
        sent.append(message)

    scope = {"type": "http", "path": "/predict/houses", "method": "POST", "headers": []}
    asyncio.run(AccessMiddleware(None, replace(LIMITS, seconds=0.05), None)(scope, never, send))
    assert sent[0]["status"] == 408


def test_an_answer_that_takes_too_long_is_given_up_and_keeps_its_place(start):
    go_on = threading.Event()
    running = start(replace(LIMITS, seconds=0.2, at_once=1, threads=2))
    running.serve(champion("houses", predict=lambda x: go_on.wait(60) and np.zeros((1, 1))))
    with running.client as client:
        assert client.post("/predict/houses", json=ROW).status_code == 503
        busy = client.post("/predict/houses", json=ROW)
        assert busy.status_code == 429
        assert busy.headers["retry-after"] == "1"
        go_on.set()
        wait_for(
            lambda: client.post("/predict/houses", json=ROW).status_code == 200, "there is a place again"
        )


def test_many_requests_at_once_are_turned_away_before_their_bodies_are_read():
    read = []

    async def endless():
        read.append(1)
        await asyncio.sleep(60)

    refused = asyncio.run(flood(replace(LIMITS, requests=3), [endless] * 5))
    assert [each["status"] for each in refused] == [429] * 2
    assert dict(refused[0]["headers"])[b"retry-after"] == b"1"
    assert len(read) == 3


def test_bodies_that_come_at_once_never_take_more_than_their_share_of_memory():
    pieces = []

    async def piece():
        pieces.append(1)
        await asyncio.sleep(0)
        return {"type": "http.request", "body": b"x" * 60, "more_body": len(pieces) < 5}

    async def waits():
        await asyncio.sleep(60)

    limits = replace(LIMITS, body=100, bytes=250)
    middleware = AccessMiddleware(None, limits, None)
    refused = asyncio.run(flood(limits, [piece] * 4 + [waits], middleware))
    assert {each["status"] for each in refused} == {413}
    assert middleware.bytes == 0
    middleware.bytes = 200
    refused = asyncio.run(flood(limits, [piece], middleware))
    assert [each["status"] for each in refused] == [429]


def test_a_body_that_says_that_there_is_no_room_for_it_is_not_read():
    limits = replace(LIMITS, bytes=1000)
    sent = asyncio.run(flood(limits, [None], AccessMiddleware(None, limits, None), said=b"1001"))
    assert [each["status"] for each in sent] == [429]


def test_room_is_there_again_when_a_request_is_answered(start):
    running = start(replace(LIMITS, bytes=100, requests=1))
    with running.client as client:
        for _ in range(5):
            assert client.post("/predict/houses", json=ROW).status_code == 200
        assert client.post("/predict/reviews", json={"text": "x" * 200}).status_code == 429
        assert client.post("/predict/houses", json=ROW).status_code == 200


@pytest.mark.parametrize(
    ("path", "body"),
    [("/predict/houses", ROW), ("/v2/models/houses/infer", TENSOR)],
)
def test_a_body_is_read_beside_the_loop_that_answers(running, monkeypatch, path, body):
    readers = []

    def read(read_by, *arguments, **options):
        readers.append(threading.current_thread().name)
        return read_by(*arguments, **options)

    for module in (form, protocol):
        monkeypatch.setattr(module, "read", partial(read, module.read))
    with running.client as client:
        assert client.post(path, json=body).status_code == 200
    assert readers == ["the reading of requests_0"]


async def flood(limits, receivers, middleware=None, said=b"", path="/predict/houses"):
    """The refusals of requests that come at the same time, each of which gets its body in its own way."""
    sent, middleware = [], middleware or AccessMiddleware(None, limits, None)

    async def send(message):
        sent.append(message)

    headers = [(b"content-length", said)] if said else []
    scope = {"type": "http", "path": path, "method": "POST", "headers": headers}
    asked = [asyncio.create_task(middleware(scope, one, send)) for one in receivers]
    await asyncio.wait(asked, timeout=0.2)
    for one in asked:
        one.cancel()
    await asyncio.gather(*asked, return_exceptions=True)
    return [message for message in sent if message["type"] == "http.response.start"]


def test_a_request_that_was_begun_is_answered_by_the_version_it_began_with(running):
    begun, go_on = threading.Event(), threading.Event()

    def slow(x):
        begun.set()
        assert go_on.wait(60)
        return np.ones((len(x), 1))

    running.serve(champion("houses", 1, slow))
    with running.client as client, ThreadPoolExecutor(1) as pool:
        asked = pool.submit(client.post, "/predict/houses", json=ROW)
        assert begun.wait(60)
        running.serve(champion("houses", 2, lambda x: np.full((len(x), 1), 2.0)))
        go_on.set()
        old, new = asked.result().json(), client.post("/predict/houses", json=ROW).json()
    assert (old["version"], old["answers"][0]["price"]) == (1, 1.0)
    assert (new["version"], new["answers"][0]["price"]) == (2, 2.0)
