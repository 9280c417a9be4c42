"""What the server takes on at most."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeVar

from fastapi import HTTPException

from evermodel.core import generation
from evermodel.core.data import Spec

T = TypeVar("T")
SOON = {"Retry-After": "1"}


@dataclass(frozen=True)
class Limits:
    """Bounds of requests; beyond them a request is refused and the server stays well.

    body: bytes; rows, images, pixels: examples in one request, images that it brings and whatever it has
    made, and the pixels of all that it brings; seconds: for the body to arrive, and again for it to be read
    and for the answer; canary_seconds: for a challenger's, before the champion is asked.

    at_once: requests that one model computes or that wait for it; threads: those computed side by side.
    requests, bytes: of all requests that are going on, whatever they ask. uploads: bytes that the page's
    files may take.
    """

    body: int = 8_000_000
    rows: int = 1000
    images: int = 32
    pixels: int = 40_000_000
    seconds: float = 30
    canary_seconds: float = 2
    at_once: int = 64
    threads: int = 4
    requests: int = 256
    bytes: int = 64_000_000
    uploads: int = 500_000_000

    def examples(self, spec: Spec) -> int:
        """How many examples one request may have."""
        return self.images if spec.kind == "images" or generation.SEED in spec.columns else self.rows


class WorkerPool:
    """Threads beside the event loop, started when they are used; who would wait too long is turned away.

    who: whose they are. A thread can't be stopped: what ran out of time keeps its place until it is done.
    """

    def __init__(self, limits: Limits, who: str) -> None:
        self.limits, self.who = limits, who
        self.taken = 0
        self._pool = ThreadPoolExecutor(limits.threads, who)
        self._stuck: set[Future[Any]] = set()
        self._silent = False  # since the last request that ran out of time

    @property
    def hangs(self) -> bool:
        """Whether something ran out of time, is not done yet, and nothing else was done since."""
        return bool(self._stuck) and (self._silent or len(self._stuck) >= self.limits.threads)

    def require_place(self) -> None:
        """Raise HTTPException: 503 if every thread is stuck, 429 if too many wait."""
        if len(self._stuck) >= self.limits.threads:
            raise HTTPException(
                503,
                f"{self.who} hangs: each of its {self.limits.threads} threads has computed for more than "
                f"{self.limits.seconds:g} s; it is asked again when one is done, or after a restart",
                headers=SOON,
            )
        if self.taken >= self.limits.at_once:
            raise HTTPException(
                429,
                f"{self.taken} requests wait for {self.who}, which is the limit; try again in a second",
                headers=SOON,
            )

    async def do(self, work: Callable[[], T]) -> T:
        """The result of the work. Raises HTTPException as `require_place`, and 503 if it takes too long."""
        self.require_place()
        self.taken += 1
        loop, future = asyncio.get_running_loop(), self._pool.submit(work)
        future.add_done_callback(lambda done: loop.call_soon_threadsafe(self._leave, done))
        try:
            return await asyncio.wait_for(asyncio.wrap_future(future), self.limits.seconds)
        except TimeoutError:
            if not future.cancel() and not future.done():
                self._stuck.add(future)
                self._silent = True
            raise HTTPException(503, f"no answer within {self.limits.seconds:g} s; send fewer rows") from None

    def _leave(self, done: Future[Any]) -> None:
        self.taken -= 1
        self._stuck.discard(done)
        if not done.cancelled():
            self._silent = False
