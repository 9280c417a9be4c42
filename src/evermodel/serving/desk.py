"""What every request goes through, whatever its form: it is read, answered and written down."""

import time
from collections.abc import Callable
from typing import Any

from prometheus_client import Histogram
from starlette.background import BackgroundTask
from starlette.responses import Response

from evermodel.core.data import Spec
from evermodel.serving.asked import Asked
from evermodel.serving.challengers import Challengers
from evermodel.serving.limits import Limits, WorkerPool
from evermodel.serving.protocol import Plane
from evermodel.serving.request_log import RequestLog

SECONDS = Histogram("evermodel_answer_seconds", "Time to an answer.", ["model", "version", "form"])


class Desk:
    """Where requests are read, answered by a champion or its challenger, and written down."""

    def __init__(
        self, plane: Plane, challengers: Challengers, request_log: RequestLog, limits: Limits
    ) -> None:
        self.plane, self.challengers, self.request_log = plane, challengers, request_log
        # One for all: nothing of a model runs here, so that nothing can hang, and memory stays bounded.
        self.reading = WorkerPool(limits, "the reading of requests")

    async def answer(self, name: str, how: str, body: bytes, read: Callable[[Spec], Asked]) -> Response:
        """What an experiment answers. how: the form of the request; read: what a champion is asked by it."""
        began, served = time.perf_counter(), self.plane.get_model_from_registry(name)
        served.pool.require_place()  # before anything is done for a model that hangs

        def understood() -> tuple[Asked, dict[str, Any]]:
            return read(served.champion.spec), self.request_log.mark(body)

        asked, mark = await self.reading.do(understood)
        version, shown = await self.challengers.answer(served, asked, mark)
        seconds = time.perf_counter() - began
        SECONDS.labels(version.name, version.version, how).observe(seconds)
        # In a thread, once the answer is sent.
        shown.response.background = BackgroundTask(
            self.request_log.note, version, how, seconds, mark, shown.noted
        )
        return shown.response
