"""How fast champions answer over HTTP, beside `mlflow models serve` of the same registered version.

    .venv/bin/python benchmarks/serving.py fashion_cnn imdb_dnn

Needs champions (`evermodel run fashion_cnn imdb_dnn`) and the environment of `make serve`. Both servers run
as they come, on this machine, and get the same test rows as JSON, one a request, from the same clients, each
of which asks again as soon as it has its answer (closed loop). They take turns of a few seconds, so that a
machine that is busy for a while slows both. Before that they have to give the same answers.
"""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from itertools import cycle
from typing import Any

import aiohttp
import numpy as np
import requests
from rich.console import Console
from rich.table import Table

from evermodel.core import data, folders, project
from evermodel.core.data import Array
from evermodel.core.errors import EvermodelError
from evermodel.publishing import tracking
from evermodel.runs import recipe
from evermodel.serving.protocol import DATATYPES

CLIENTS = (1, 8)
TURNS, SECONDS = 5, 4.0  # of each server, for each number of clients; of a turn
ROWS, WARM_UP = 32, 100  # test rows that are asked for in turn; requests before anything is timed
PATIENCE = 120  # seconds in which a server has to be up
TOLERANCE = 1e-4


@dataclass(frozen=True)
class Server:
    """Where a server answers, what it is asked, and how to read its answers."""

    who: str
    url: str
    bodies: list[bytes]
    key: str

    def read(self, answer: bytes) -> Array:
        """The numbers in an answer."""
        found: Any = json.loads(answer)[self.key]
        return np.ravel(found[0]["data"] if self.key == "outputs" else found)


@dataclass(frozen=True)
class Load:
    """What clients saw: seconds of each answer, and of all together."""

    seconds: list[float]
    passed: float

    def figures(self) -> tuple[float, float, float]:
        """p50 and p99 in milliseconds, answers per second."""
        p50, p99 = np.percentile(self.seconds, [50, 99]) * 1000
        return float(p50), float(p99), len(self.seconds) / self.passed


def main(names: list[str]) -> None:
    profile = project.load().profile
    table = Table("model", "clients", "server", "p50 ms", "p99 ms", "answers/s")
    for name in names:
        with both(name, recipe.load(name, profile).dataset) as servers:
            asyncio.run(compare(name, servers, table))
    Console(width=None if sys.stdout.isatty() else 100).print(table)


async def compare(name: str, servers: list[Server], table: Table) -> None:
    """Add the rows of a model to the table. Raises EvermodelError if the servers' answers differ."""
    await require_same(name, servers)
    for clients in CLIENTS:
        turns: dict[str, list[Load]] = {server.who: [] for server in servers}
        for server in servers * TURNS:
            turns[server.who].append(await load(server, clients))
        ours, theirs = (together(each).figures() for each in turns.values())
        for who, figures in zip(turns, (ours, theirs), strict=True):
            table.add_row(name, str(clients), who, *(f"{value:.1f}" for value in figures))
        ratios = [f"{one / other:.2f}" for one, other in zip(ours, theirs, strict=True)]
        table.add_row(name, str(clients), "ratio", *ratios, end_section=True)


async def require_same(name: str, servers: list[Server]) -> None:
    """Let each server answer for every row, often enough that it is warm; the answers have to be equal."""
    async with aiohttp.ClientSession() as session:
        answers = []
        for server in servers:
            rows = [await ask(session, server, body) for body in server.bodies * (1 + WARM_UP // ROWS)]
            answers.append(np.concatenate([server.read(row) for row in rows[: len(server.bodies)]]))
    if not np.allclose(*answers, rtol=0, atol=TOLERANCE):
        raise EvermodelError(f"{name}: the two servers give other answers for the same rows")


async def load(server: Server, clients: int) -> Load:
    """A turn of so many clients, each with a connection of its own."""
    began = time.perf_counter()
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=clients)) as session:
        each = await asyncio.gather(
            *(client(session, server, start, began + SECONDS) for start in range(clients))
        )
    return Load([second for seconds in each for second in seconds], time.perf_counter() - began)


async def client(session: aiohttp.ClientSession, server: Server, start: int, until: float) -> list[float]:
    """Seconds of each answer that one client waited for."""
    seconds = []
    for body in cycle(server.bodies[start:] + server.bodies[:start]):
        began = time.perf_counter()
        if began > until:
            break
        await ask(session, server, body)
        seconds.append(time.perf_counter() - began)
    return seconds


async def ask(session: aiohttp.ClientSession, server: Server, body: bytes) -> bytes:
    """The answer. Raises EvermodelError for any status but 200."""
    headers = {"Content-Type": "application/json"}
    async with session.post(server.url, data=body, headers=headers) as answer:
        content = await answer.read()
        if answer.status != 200:
            raise EvermodelError(f"{server.who} answers {answer.status}: {content[:200]!r}")
        return content


def together(turns: list[Load]) -> Load:
    """All turns of one server as one."""
    return Load([second for turn in turns for second in turn.seconds], sum(turn.passed for turn in turns))


@contextmanager
def both(name: str, dataset: str) -> Iterator[list[Server]]:
    """Both servers of a champion, up, and what they are asked."""
    prepared = folders.prepared(dataset)
    kind, rows = data.load_spec(prepared, "image").kind, data.load_inputs(prepared, "test")[:ROWS]
    first, second = free_port(), free_port()
    ours = ["evermodel", "serve", name, "--port", str(first)]
    theirs = [
        "mlflow",
        "models",
        "serve",
        "--model-uri",
        f"models:/{name}@champion",
        "--env-manager",
        "local",
    ]
    theirs += ["--host", "127.0.0.1", "--port", str(second)]
    with ExitStack() as at_end:
        at_end.enter_context(running(ours, f"http://127.0.0.1:{first}/v2/health/ready"))
        at_end.enter_context(running(theirs, f"http://127.0.0.1:{second}/ping"))
        yield [
            Server(
                "evermodel serve",
                f"http://127.0.0.1:{first}/v2/models/{name}/infer",
                [json.dumps({"inputs": [tensor(row, kind)]}).encode() for row in rows],
                "outputs",
            ),
            Server(
                "mlflow models serve",
                f"http://127.0.0.1:{second}/invocations",
                [json.dumps({"inputs": np.asarray([row]).tolist()}).encode() for row in rows],
                "predictions",
            ),
        ]


def tensor(row: Any, kind: str) -> dict[str, Any]:
    """One row as a tensor of the Open Inference Protocol."""
    values = np.asarray([row])
    return {
        "name": "examples",
        "shape": list(values.shape),
        "datatype": DATATYPES[kind],
        "data": values.tolist(),
    }


@contextmanager
def running(command: list[str], health: str) -> Iterator[None]:
    """A command in a process group of its own, which answers at that address, and is ended afterwards."""
    environment = os.environ | {"MLFLOW_TRACKING_URI": tracking.uri()}
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=log, start_new_session=True)
        try:
            if not is_up(process, health):
                log.seek(0)
                said = log.read().decode()[-2000:]
                raise EvermodelError(f"{' '.join(command)} does not answer at {health}; it said: {said}")
            yield
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)
            process.wait(60)


def is_up(process: "subprocess.Popen[bytes]", health: str) -> bool:
    """Whether a server answers before it ends, or PATIENCE does."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline and process.poll() is None:
        with suppress(requests.RequestException):
            if requests.get(health, timeout=5).ok:
                return True
        time.sleep(0.1)
    return False


def free_port() -> int:
    """A port of this machine that nobody listens to now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit("usage: python benchmarks/serving.py EXPERIMENT...")
    try:
        main(sys.argv[1:])
    except EvermodelError as error:
        sys.exit(f"serving: {error}")
