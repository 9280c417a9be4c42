"""Challengers beside the champions: they see copies of what is asked, and may answer a share of it."""

import logging
import random
from collections import deque
from collections.abc import MutableMapping
from dataclasses import replace
from typing import Any

from prometheus_client import Counter

from evermodel.publishing.aliases import CHALLENGER
from evermodel.serving.asked import Asked, Shown
from evermodel.serving.champion import Champion
from evermodel.serving.limits import Limits
from evermodel.serving.protocol import Served
from evermodel.serving.request_log import RequestLog
from evermodel.serving.shadow import Shadow

LAST, FAILURES = 200, 3  # a challenger's answers that count, and how many of them end its share
CANARIES = Counter(
    "evermodel_canary_requests",
    "Requests that a challenger was to answer: answered or failed.",
    ["model", "version", "outcome"],
)
RETURNS = Counter(
    "evermodel_canary_returns", "Challengers that lost their share of the requests.", ["model", "version"]
)
log = logging.getLogger("evermodel.serving")


class Challenger:
    """A version under trial: its shadow, a pool of its own, and which of its last answers failed."""

    def __init__(self, version: Champion, limits: Limits, request_log: RequestLog) -> None:
        self.version = version
        self.served = Served(version, replace(limits, seconds=limits.canary_seconds))
        self.shadow = Shadow(version, request_log)
        self.failed: deque[bool] = deque(maxlen=LAST)
        self.ended = False

    def count(self, failed: bool) -> None:
        """Keep in mind how it did."""
        self.failed.append(failed)
        outcome = "failed" if failed else "answered"
        CANARIES.labels(self.version.name, self.version.version, outcome).inc()


class Challengers:
    """The challenger of each experiment that has one. share: of the requests, which it answers itself.

    problems: why one of them is asked no more, under NAME@challenger.
    """

    def __init__(
        self, share: float, limits: Limits, request_log: RequestLog, problems: MutableMapping[str, str]
    ) -> None:
        self.share, self.limits, self.request_log, self.problems = share, limits, request_log, problems
        self._there: dict[str, Challenger] = {}

    def take(self, name: str, version: Champion | None) -> None:
        """Let this version be an experiment's challenger from now on, or none."""
        if version is None:
            self._there.pop(name, None)
        else:
            self._there[name] = Challenger(version, self.limits, self.request_log)

    def state(self) -> dict[str, dict[str, Any]]:
        """Which versions are asked, and the share of the requests that they answer."""
        return {
            name: {"version": one.version.version, "run_id": one.version.run_id, "share": self.share}
            for name, one in sorted(self._there.items())
            if not one.ended
        }

    async def answer(self, served: Served, asked: Asked, mark: dict[str, Any]) -> tuple[Champion, Shown]:
        """The version that answers, and what it shows; the champion wherever the challenger can't.

        mark: of the request, for the log. Raises what the champion raises, and nothing of the challenger's.
        """
        challenger, failure = self._challenger(served.champion), None
        if challenger and random.random() < self.share:
            try:
                (_, shown), _ = await challenger.served(asked)
                challenger.count(failed=False)
                return challenger.version, shown
            except Exception as reason:
                failure = reason
        (answer, shown), _ = await served(asked)
        # What the champion can't answer either, is no fault of the challenger's.
        if challenger and failure:
            self._failed(challenger, failure)
        elif challenger:
            challenger.shadow.see(served.champion, asked.x, answer, mark)
        return served.champion, shown

    def _challenger(self, champion: Champion) -> Challenger | None:
        found = self._there.get(champion.name)
        if found is None or found.ended or found.version.version == champion.version:
            return None
        if _interface(found.version) != _interface(champion):
            self._end(found, "it takes or gives something else than the champion")
            return None
        return found

    def _failed(self, challenger: Challenger, reason: Exception) -> None:
        challenger.count(failed=True)
        why = f"{type(reason).__name__}: {getattr(reason, 'detail', reason)}"
        log.warning("%s: version %d failed: %s", challenger.version.name, challenger.version.version, why)
        if sum(challenger.failed) >= FAILURES:
            self._end(challenger, f"{FAILURES} of its last {len(challenger.failed)} answers failed ({why})")

    def _end(self, challenger: Challenger, why: str) -> None:
        version = challenger.version
        if challenger.ended:  # by another request that it was trying to answer
            return
        challenger.ended = True
        RETURNS.labels(version.name, version.version).inc()
        problem = f"version {version.version} is {CHALLENGER} but is asked no more: {why}"
        self.problems[f"{version.name}@{CHALLENGER}"] = problem
        log.warning("%s: %s", version.name, problem)


def _interface(version: Champion) -> tuple[Any, ...]:
    spec = version.spec
    columns = [(column.name, column.kind) for column in spec.columns]
    return version.task, spec.kind, spec.input_shape, columns, spec.classes, spec.targets
