"""How fast champions answer over HTTP, beside `mlflow models serve` of the same registered version.

    .venv/bin/python benchmarks/serving.py fashion_cnn imdb_dnn
    .venv/bin/python benchmarks/serving.py --litserve .venv-litserve/bin/python fashion_cnn unet

With --litserve also beside LitServe, which puts requests together into batches; litserve_server.py tells how
to install it. Needs champions (`evermodel run fashion_cnn imdb_dnn`) and the environment of `make serve`. All
servers run as they come, on this machine, and get the same test rows as JSON, one a request, from the same
clients, each of which asks again as soon as it has its answer (closed loop). They take turns of a few
seconds, so that a machine that is busy for a while slows all. Before that they have to give the same answers.
"""

import argparse
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
from pathlib import Path
from typing import Any

import aiohttp
import numpy as np
import requests
from rich.console import Console
from rich.table import Table

from evermodel.core import data, folders, project
from evermodel.core.data import Array
from evermodel.core.errors import EvermodelError
from evermodel.publishing import registry, tracking
from evermodel.runs import recipe
from evermodel.serving.protocol import DATATYPES

CLIENTS = (1, 8, 32)
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


def main(names: list[str], litserve: str | None) -> None:
    profile = project.load().profile
    table = Table("model", "clients", "server", "p50 ms", "p99 ms", "answers/s")
    for name in names:
        with ready(name, recipe.load(name, profile).dataset, litserve) as servers:
            asyncio.run(compare(name, servers, table))
    Console(width=None if sys.stdout.isatty() else 100).print(table)


async def compare(name: str, servers: list[Server], table: Table) -> None:
    """Add the rows of a model to the table. Raises EvermodelError if the servers' answers differ."""
    await require_same(name, servers)
    for clients in CLIENTS:
        turns: dict[str, list[Load]] = {server.who: [] for server in servers}
        for server in servers * TURNS:
            turns[server.who].append(await load(server, clients))
        ours, *others = (together(each).figures() for each in turns.values())
        for who, figures in zip(turns, (ours, *others), strict=True):
            table.add_row(name, str(clients), who, *(f"{value:.1f}" for value in figures))
        for server, theirs in zip(servers[1:], others, strict=True):
            ratios = [f"{one / other:.2f}" for one, other in zip(ours, theirs, strict=True)]
            table.add_row(name, str(clients), f"ours / {server.who}", *ratios)
        table.add_section()


async def require_same(name: str, servers: list[Server]) -> None:
    """Let each server answer for every row, often enough that it is warm; the answers have to be equal."""
    async with aiohttp.ClientSession() as session:
        answers = []
        for server in servers:
            rows = [await ask(session, server, body) for body in server.bodies * (1 + WARM_UP // ROWS)]
            answers.append(np.concatenate([server.read(row) for row in rows[: len(server.bodies)]]))
    if not all(np.allclose(answers[0], other, rtol=0, atol=TOLERANCE) for other in answers[1:]):
        raise EvermodelError(f"{name}: the servers give other answers for the same rows")


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
def ready(name: str, dataset: str, litserve: str | None) -> Iterator[list[Server]]:
    """The servers of a champion, ours first, all up, and what each is asked."""
    prepared = folders.prepared(dataset)
    kind, rows = data.load_spec(prepared, "image").kind, data.load_inputs(prepared, "test")[:ROWS]
    tensors = [json.dumps({"inputs": [tensor(row, kind)]}).encode() for row in rows]
    arrays = [json.dumps({"inputs": np.asarray([row]).tolist()}).encode() for row in rows]
    first, second, third = (f"http://127.0.0.1:{free_port()}" for _ in range(3))
    champion = f"models:/{name}@champion"
    ours = ["evermodel", "serve", name, "--port", port(first)]
    mlflows = ["mlflow", "models", "serve", "--model-uri", champion, "--env-manager", "local"]
    mlflows += ["--host", "127.0.0.1", "--port", port(second)]
    with ExitStack() as at_end:
        at_end.enter_context(running(ours, f"{first}/v2/health/ready"))
        at_end.enter_context(running(mlflows, f"{second}/ping"))
        servers = [
            Server("evermodel serve", f"{first}/v2/models/{name}/infer", tensors, "outputs"),
            Server("mlflow models serve", f"{second}/invocations", arrays, "predictions"),
        ]
        if litserve:
            package = at_end.enter_context(tempfile.TemporaryDirectory())
            registry.fetch(registry.named(tracking.connect(), name, registry.CHAMPION), Path(package))
            (model,) = Path(package).rglob("model.keras")
            theirs = [litserve, "benchmarks/litserve_server.py", str(model), port(third)]
            at_end.enter_context(running(theirs, f"{third}/health"))
            servers.append(Server("LitServe", f"{third}/predict", arrays, "predictions"))
        yield servers


def port(url: str) -> str:
    """The port of an address."""
    return url.rpartition(":")[2]


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
    environment = os.environ | {"MLFLOW_TRACKING_URI": tracking.uri(), "PYTHONPATH": "src"}
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
    parser = argparse.ArgumentParser(description="How fast champions answer over HTTP.")
    parser.add_argument("names", nargs="+", metavar="EXPERIMENT")
    parser.add_argument("--litserve", metavar="PYTHON", help="of an environment that has LitServe")
    asked = parser.parse_args()
    try:
        main(asked.names, asked.litserve)
    except EvermodelError as error:
        sys.exit(f"serving: {error}")
