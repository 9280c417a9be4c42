"""Shadow mode: a challenger answers what the champion has answered, and the answers are compared."""

import logging
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from prometheus_client import Counter, Summary

from evermodel import prediction
from evermodel.core.data import Array
from evermodel.publishing import registry
from evermodel.serving.champion import Champion
from evermodel.serving.request_log import RequestLog

WAITING = 8  # copies that wait or are computed; what comes then is dropped
COPIES = Counter(
    "evermodel_shadow_copies",
    "Copies of requests for a challenger: compared, failed or dropped.",
    ["model", "version", "outcome"],
)
LIKENESS = Summary(
    "evermodel_shadow_likeness",
    "How alike the answers of challenger and champion are, a request.",
    ["model", "version", "measure"],
)
log = logging.getLogger("evermodel.serving")


class Shadow:
    """A challenger that sees copies in a thread of its own, and never keeps anybody waiting."""

    def __init__(self, challenger: Champion, request_log: RequestLog) -> None:
        self.challenger, self.request_log = challenger, request_log
        self._places = threading.Semaphore(WAITING)
        self._pool = ThreadPoolExecutor(1, "shadow")

    def see(self, champion: Champion, x: Any, answer: Array, mark: dict[str, Any]) -> None:
        """Take a copy of what the champion has answered, to be compared later, or drop it."""
        if not self._places.acquire(blocking=False):
            self._count("dropped")
            return
        self._pool.submit(self._guarded, champion, x, answer, mark)

    def _guarded(self, champion: Champion, x: Any, answer: Array, mark: dict[str, Any]) -> None:
        try:
            self._compare(champion, x, answer, mark)
        except Exception:  # whatever a challenger does, it was only asked for its opinion
            log.exception("%s: version %d failed as a shadow", self.challenger.name, self.challenger.version)
            self._count("failed")
        finally:
            self._places.release()

    def _compare(self, champion: Champion, x: Any, answer: Array, mark: dict[str, Any]) -> None:
        began = time.perf_counter()
        own = np.asarray(self.challenger.predict(x))
        seconds = time.perf_counter() - began
        if not registry.is_finite(own):
            raise ValueError("the answer is not finite")
        found = likeness(champion, answer, own)
        for measure, value in found.items():
            LIKENESS.labels(self.challenger.name, self.challenger.version, measure).observe(value)
        self.request_log.note(
            self.challenger, "shadow", seconds, mark, {"champion": champion.version} | found
        )
        self._count("compared")

    def _count(self, outcome: str) -> None:
        COPIES.labels(self.challenger.name, self.challenger.version, outcome).inc()


def likeness(champion: Champion, answer: Array, other: Array) -> dict[str, float]:
    """How alike two answers for the same examples are.

    agreement: the share of the examples that get the same class, or text; or mean_absolute_difference, in the
    unit of the answers, of each target where there are several. Raises ValueError if they are of different
    shapes.
    """
    if answer.shape != other.shape:
        raise ValueError(f"the answer is of shape {other.shape}, the champion's of {answer.shape}")
    if answer.dtype == object:
        return {"agreement": float((answer == other).mean())}
    rows, others = (np.asarray(each, dtype=float).reshape(len(each), -1) for each in (answer, other))
    difference = np.abs(rows - others)
    if champion.spec.targets:
        means = difference.mean(axis=0).tolist()
        return {
            f"mean_absolute_difference_{target}": mean
            for target, mean in zip(champion.spec.targets, means, strict=True)
        }
    if champion.spec.classes and answer.ndim == 2 and champion.task != "embedding":
        classes = [prediction.probabilities(each, champion.spec).argmax(axis=1) for each in (rows, others)]
        return {"agreement": float((classes[0] == classes[1]).mean())}
    return {"mean_absolute_difference": float(difference.mean())}
