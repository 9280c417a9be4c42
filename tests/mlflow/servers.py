"""Real MLflow servers, and a proxy that can make them fail."""

import http.server
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from tests.server import free_port

PATIENCE = 120  # seconds that anything here may take on a busy machine before it counts as broken


def wait_for(what: Callable[[], object], message: str) -> None:
    """Return when `what` holds; looking takes half of the time at most."""
    began = time.monotonic()
    deadline = began + PATIENCE
    while not what():
        now = time.monotonic()
        assert now < deadline, f"{message}: not within {PATIENCE} s"
        time.sleep(max(0.05, now - began))
        began = time.monotonic()


class Server:
    """An MLflow server of its own on a free port of this machine; it keeps port and store over a restart."""

    def __init__(self, folder: Path, store: str = "store.db") -> None:
        self.folder, self.store = folder, store
        self.process: subprocess.Popen[bytes] | None = None
        self.port = free_port()
        self.uri = f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        options = {
            "--host": "127.0.0.1",
            "--port": str(self.port),
            "--workers": "1",
            "--backend-store-uri": f"sqlite:///{self.store}",
            "--artifacts-destination": "artifacts",
        }
        # Its job runner is eight more processes that import MLflow and have nothing to do here.
        settings = {"MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
        with (self.folder / "server.log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "mlflow", "server", *sum(options.items(), ())],
                cwd=self.folder,
                env=os.environ | settings,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        wait_for(self.answers, f"{self.uri} is up")

    def answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.uri}/health", timeout=5) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    def stop(self) -> None:
        if self.process is not None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
            self.process = None

    def keep(self, state: str) -> None:
        """Take a copy of what it holds, under a name."""
        self._copy(self.folder, self.folder / "kept" / state)

    def restore(self, state: str) -> None:
        """Hold that again; a server that runs, whose start takes seconds, need not know."""
        self._copy(self.folder / "kept" / state, self.folder)
        if self.process is None:  # a test has stopped it
            self.start()

    def _copy(self, source: Path, target: Path) -> None:
        shutil.rmtree(target / "artifacts", ignore_errors=True)
        target.mkdir(parents=True, exist_ok=True)
        if (source / "artifacts").exists():  # it makes the folder for the first file
            shutil.copytree(source / "artifacts", target / "artifacts")
        with (
            closing(sqlite3.connect(source / self.store)) as one,
            closing(sqlite3.connect(target / self.store)) as other,
        ):
            one.backup(other)


class Proxy(http.server.ThreadingHTTPServer):
    """Passes everything on to a server, unless `fault` has another idea.

    fault gets the path of a request and returns an HTTP status to answer at once, or None. `lose` gets it
    too, and says whether the request is done but answered with 500.
    """

    daemon_threads = True

    def __init__(self, target: str) -> None:
        super().__init__(("127.0.0.1", 0), Forward)
        self.target = target
        self.uri = f"http://127.0.0.1:{self.server_port}"
        self.heal()
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def heal(self) -> None:
        self.fault: Callable[[str], int | None] = lambda path: None
        self.lose: Callable[[str], bool] = lambda path: False

    def handle_error(self, request: object, client_address: object) -> None:
        """Clients that are killed while they wait are what these tests are about."""


class Forward(http.server.BaseHTTPRequestHandler):
    server: Proxy

    def forward(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if status := self.server.fault(self.path):
            return self.answer(status, b"no", {"Retry-After": "3600"})
        headers = {name: self.headers[name] for name in ("Content-Type",) if name in self.headers}
        request = urllib.request.Request(
            self.server.target + self.path, body or None, headers, method=self.command
        )
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                status, content, kind = answer.status, answer.read(), answer.headers.get("Content-Type")
        except urllib.error.HTTPError as error:
            status, content, kind = error.code, error.read(), error.headers.get("Content-Type")
        if self.server.lose(self.path):
            return self.answer(500, b"lost", {})
        return self.answer(status, content, {"Content-Type": kind or "text/plain"})

    def answer(self, status: int, content: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(content))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = forward  # noqa: N815

    def log_message(self, *arguments: object) -> None:
        """Keep quiet."""
