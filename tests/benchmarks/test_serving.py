import asyncio
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from benchmarks import serving
from benchmarks.serving import Load, Server
from evermodel.core.errors import EvermodelError


@contextmanager
def answering(who: str, status: int = 200, **answer: object) -> Iterator[Server]:
    """A server that gives everybody the same answer."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            content = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield Server(who, f"http://127.0.0.1:{server.server_port}/", [b"{}"] * 2, next(iter(answer)))
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def test_latency_is_told_by_its_percentiles_and_throughput_by_the_time_of_all_turns():
    turns = [Load([i / 1000 for i in range(1, 51)], 1.0), Load([i / 1000 for i in range(51, 101)], 1.5)]
    assert serving.together(turns).figures() == pytest.approx((50.5, 99.01, 40.0))


def test_what_both_servers_answer_is_compared_before_anything_is_timed():
    with (
        answering("ours", outputs=[{"data": [0.25, 0.75]}]) as ours,
        answering("theirs", predictions=[[0.25, 0.75]]) as same,
        answering("theirs", predictions=[[0.75, 0.25]]) as other,
    ):
        asyncio.run(serving.require_same("it", [ours, same]))
        with pytest.raises(EvermodelError, match="it: the servers give other answers"):
            asyncio.run(serving.require_same("it", [ours, other]))


def test_each_client_asks_until_the_turn_is_over(monkeypatch):
    monkeypatch.setattr(serving, "SECONDS", 0.2)
    with answering("ours", outputs=[]) as server:
        seen = asyncio.run(serving.load(server, 2))
    assert len(seen.seconds) > 2
    assert sum(seen.seconds) <= 2 * seen.passed
    assert seen.passed >= serving.SECONDS


def test_a_request_that_is_refused_ends_the_benchmark():
    with (
        answering("ours", status=422, error="no") as server,
        pytest.raises(EvermodelError, match=r'ours answers 422: .*"error": "no"'),
    ):
        asyncio.run(serving.load(server, 1))


def test_a_server_that_does_not_come_up_tells_why():
    command = [sys.executable, "-c", "raise SystemExit('no such model')"]
    with (
        pytest.raises(EvermodelError, match=r"does not answer at http://127\.0\.0\.1:1/; it said: no such"),
        serving.running(command, "http://127.0.0.1:1/"),
    ):
        pytest.fail("it is not up")
