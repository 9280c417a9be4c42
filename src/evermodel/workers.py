"""Workers: one `dvc repro` a pipeline, several of them at a time in this one workspace."""

import fcntl
import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import pairwise
from typing import BinaryIO

import psutil

from evermodel import pipeline
from evermodel.core import folders
from evermodel.pipeline import Pipeline, Progress
from evermodel.publishing import receipt
from evermodel.repository import Experiment
from evermodel.runs import journal
from evermodel.scheduling import shell
from evermodel.scoreboard import Scoreboard

LOGS = folders.STATE / "logs"
TICK = 0.1  # seconds between two looks at the workers
WARNING = "warning: "  # how a line begins in which a stage warns
SHOWN = 5  # of the warnings of a pipeline
PATIENCE = journal.PATIENCE + 10  # seconds that a stage has to end when it is told to


@dataclass(frozen=True)
class Failure:
    """The pipeline that failed, at which stage ("" if it never came to one), and why."""

    pipeline: str
    stage: str
    reason: str

    def __str__(self) -> str:
        return f"{self.pipeline} {f'failed at {self.stage}' if self.stage else 'did not run'}: {self.reason}"


class BusyError(Exception):
    """Another command still works on the pipeline."""


class Worker:
    """One `dvc repro` over the stages of a pipeline, in a process group of its own.

    Its log is locked as long as DVC or a stage can write to it, whatever becomes of this process. So the next
    command sees what a killed one left at work. Raises BusyError if there is such a process.
    """

    def __init__(self, at: Pipeline, environment: Mapping[str, str]) -> None:
        file = LOGS / f"{at.name}.log"
        with file.open("ab") as log:
            _lock(log)
            log.truncate(0)
            self.process = psutil.Popen(
                [*shell.DVC, "repro", *at.options, at.target],
                stdout=log,
                stderr=subprocess.STDOUT,
                # Unbuffered, or what a stage printed long ago would follow its last words.
                env={**environment, "PYTHONUNBUFFERED": "1"},
                start_new_session=True,
            )
        self.pipeline, self.log = at, file.open(encoding="utf-8", errors="replace")
        self.started, self.progress, self.rest = time.monotonic(), Progress(), ""
        self.warnings: list[str] = []
        self.told: set[psutil.Process] = set()

    @property
    def seconds(self) -> float:
        """How long it has worked."""
        return time.monotonic() - self.started

    def read(self) -> list[str]:
        """Follow what was printed since the last time; returns the stages that began."""
        *lines, self.rest = (self.rest + self.log.read()).split("\n")
        stages = [self.progress.stage]
        for line in lines:
            self.progress = pipeline.follow(self.progress, line)
            stages.append(self.progress.stage)
        self.warnings += [line for line in lines if line.startswith(WARNING)]
        return [new for old, new in pairwise(stages) if new != old]

    def failure(self) -> Failure | None:
        """Why it failed, if it did."""
        self.log.close()
        if self.process.returncode == 0:
            return None
        reason = self.progress.reason or f"DVC ended with {self.process.returncode}, see {self.log.name}"
        return Failure(self.pipeline.name, self.progress.stage, reason)

    def end_stage(self) -> None:
        """Tell the running stage to end, once."""
        self.told |= shell.end_stage(self.process, self.told)

    def kill(self) -> None:
        """End everything, at once."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


class Crew:
    """Workers, at most `jobs` at a time, and the pipelines that wait for one."""

    def __init__(
        self, todo: Sequence[Pipeline], jobs: int, environment: Mapping[str, str], board: Scoreboard
    ) -> None:
        self.waiting, self.jobs, self.environment, self.board = list(todo), jobs, environment, board
        self.busy: set[str] = set()  # those that another command works on, as somebody was told
        self.running: list[Worker] = []
        self.failures: list[Failure] = []
        self.deadline: float | None = None  # once told to stop

    def work(self) -> list[Failure]:
        """Run all pipelines; one that fails stops only those that wait for it.

        Raises KeyboardInterrupt when told to stop, after every process has ended.
        """
        LOGS.mkdir(parents=True, exist_ok=True)
        with told_to_stop() as told, self.board.live:
            try:
                while self.waiting or self.running:
                    self._stop(at_once=len(told) > 1) if told else self._start()
                    self._look()
                    self.board.draw([_row(worker) for worker in self.running], len(self.waiting))
                    time.sleep(TICK)
            finally:
                self._kill()
        if told:
            raise KeyboardInterrupt
        return self.failures

    def _start(self) -> None:
        failed = {failure.pipeline for failure in self.failures}
        unfinished = {one.name for one in self.waiting} | {worker.pipeline.name for worker in self.running}
        for one in list(self.waiting):
            if one.dataset in failed:
                self.waiting.remove(one)
                self.failures.append(Failure(one.name, "", f"its data set {one.dataset} failed"))
            elif one.dataset not in unfinished and len(self.running) < self.jobs:
                self._begin(one)

    def _begin(self, one: Pipeline) -> None:
        try:
            self.running.append(Worker(one, self.environment))
            self.waiting.remove(one)
        except BusyError:
            if one.name not in self.busy:
                self.board.say(f"{one.name}: an earlier command still works on it; waiting for its end")
            self.busy.add(one.name)

    def _look(self) -> None:
        for worker in list(self.running):
            ended = worker.process.poll() is not None  # asked first, so that its last words are read
            for stage in worker.read():
                self.board.began(worker.pipeline.name, stage)
            if ended:
                self.running.remove(worker)
                worker.kill()  # what a shell that was told to end left behind
                if failure := worker.failure():
                    self.failures.append(failure)
                if self.deadline is None:
                    for line in (*_warned(worker), str(failure or _done(worker))):
                        self.board.say(line)

    def _stop(self, at_once: bool) -> None:
        self.waiting.clear()
        self.deadline = self.deadline or time.monotonic() + PATIENCE
        if at_once or time.monotonic() > self.deadline:
            self._kill()
        for worker in self.running:
            worker.end_stage()

    def _kill(self) -> None:
        for worker in self.running:
            worker.kill()


def run(experiments: Mapping[str, Experiment], jobs: int, device: str) -> list[Failure]:
    """Run the pipelines of experiments, `jobs` at a time, as far as they are not up to date.

    Those of data sets come before the experiments that wait for them; what `dvc exp run` made is handed in at
    the end. Raises KeyboardInterrupt when told to stop, after every process has ended.
    """
    planned, environment = pipeline.plan(experiments), os.environ | {"EVERMODEL_DEVICE": device}
    busy = {one.name for one in planned if _is_busy(one)}
    # DVC can't tell of those, nor of what waits for them. Asked of nothing, it would tell of everything.
    told = [one.target for one in planned if not {one.name, one.dataset} & busy]
    stale = list(shell.changed(*told)) if told else []
    stale += [one.target for one in planned if one.name in busy]
    failures = Crew(pipeline.to_do(planned, stale), jobs, environment, Scoreboard()).work()
    failed = {failure.pipeline for failure in failures}
    waiting = [
        pipeline.handing_in(name) for name in experiments if name not in failed and receipt.is_pending(name)
    ]
    return failures + Crew(waiting, jobs, environment, Scoreboard()).work()


def _is_busy(one: Pipeline) -> bool:
    file = LOGS / f"{one.name}.log"
    if not file.exists():
        return False
    with file.open("ab") as log:
        try:
            _lock(log)
        except BusyError:
            return True
    return False


def _lock(log: BinaryIO) -> None:
    """Lock a log for whoever has it open from now on; BusyError if somebody else has."""
    try:
        fcntl.flock(log, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise BusyError from None


def _row(worker: Worker) -> tuple[str, ...]:
    at = worker.progress
    return (worker.pipeline.name, at.stage or "DVC", at.epoch, f"{worker.seconds:.0f}", at.figures)


def _warned(worker: Worker) -> list[str]:
    """The first warnings, and where the others stand."""
    more = len(worker.warnings) - SHOWN
    return worker.warnings[:SHOWN] + ([f"{WARNING}{more} more in {worker.log.name}"] if more > 0 else [])


def _done(worker: Worker) -> str:
    one = worker.pipeline
    file = folders.experiment(one.name) / "metrics.json"
    figures = json.loads(file.read_text(encoding="utf-8")) if one.metric and file.exists() else {}
    score = f": {one.metric} {figures[one.metric]:.4g}" if one.metric in figures else ""
    return f"{one.name} done in {worker.seconds:.0f} s{score}"


@contextmanager
def told_to_stop() -> Iterator[list[int]]:
    """The signals that came; none interrupts anything by itself, so that no process is ever lost sight of."""
    told: list[int] = []
    before = {
        number: signal.signal(number, lambda came, _: told.append(came))
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
        if signal.getsignal(number) != signal.SIG_IGN  # as it is under nohup
    }
    try:
        yield told
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
