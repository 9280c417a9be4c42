"""What the server takes on at most."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

from fastapi import HTTPException

T = TypeVar("T")


@dataclass(frozen=True)
class Limits:
    """Bounds of requests; beyond them a request is refused and the server stays well.

    body: bytes; rows, images: examples in one request; seconds: for the body to arrive, and again for the
    answer; canary_seconds: for a challenger's, before the champion is asked; at_once: requests that are
    computed or wait for it; threads: those computed side by side; uploads: bytes that the page's files may
    take.
    """

    body: int = 8_000_000
    rows: int = 1000
    images: int = 32
    seconds: float = 30
    canary_seconds: float = 2
    at_once: int = 64
    threads: int = 4
    uploads: int = 500_000_000


class WorkerPool:
    """Computes answers beside the event loop, so many at a time, and turns away who would wait too long."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.taken = 0
        self._pool = ThreadPoolExecutor(limits.threads, "answer")

    async def do(self, work: Callable[[], T]) -> T:
        """The result of the work. Raises HTTPException: 429 if too many wait, 503 if it takes too long."""
        if self.taken >= self.limits.at_once:
            raise HTTPException(
                429,
                f"{self.taken} requests are being answered, which is the limit; try again in a second",
                headers={"Retry-After": "1"},
            )
        self.taken += 1
        loop = asyncio.get_running_loop()
        future = self._pool.submit(work)
        # A thread can't be stopped: what ran out of time keeps its place until it is done.
        future.add_done_callback(lambda _: loop.call_soon_threadsafe(self._leave))
        try:
            return await asyncio.wait_for(asyncio.wrap_future(future), self.limits.seconds)
        except TimeoutError:
            raise HTTPException(503, f"no answer within {self.limits.seconds:g} s; send fewer rows") from None

    def _leave(self) -> None:
        self.taken -= 1
