"""The real server in a project."""

import http.client
import itertools
import json
import signal
import subprocess
from collections.abc import Sequence

from tests.mlflow.servers import wait_for
from tests.project import Project

NUMBERS = itertools.count()


class Server:
    """`evermodel serve` in a project, on a free port; program: what runs instead of `evermodel`."""

    def __init__(
        self, project: Project, *arguments: str, program: Sequence[str] = ("evermodel",), **extra: str
    ) -> None:
        self.log = project.folder.parent / f"serve-{next(NUMBERS)}.log"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [*program, "serve", *arguments, "--port", "0", "--every", "0.5"],
                cwd=project.folder,
                env=project.environment(**extra),
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        try:
            wait_for(lambda: self.process.poll() is not None or self.url, "the server is up")
        except BaseException:
            self.stop()
            raise
        assert self.url, self.log.read_text()

    @property
    def url(self) -> str:
        """Where it answers, which it says when it does."""
        said = [line.split()[0] for line in self.log.read_text().splitlines() if " answers for " in line]
        return said[0] if said else ""

    def post(self, path: str, body: object) -> tuple[int, dict]:
        connection = http.client.HTTPConnection(self.url.removeprefix("http://"), timeout=60)
        try:
            connection.request("POST", path, json.dumps(body), {"Content-Type": "application/json"})
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())
        finally:
            connection.close()

    def stop(self) -> int:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(60)
        finally:
            if self.process.poll() is None:
                self.process.kill()
