"""Workers: one `dvc repro` a lane, several of them at a time in this one workspace."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import psutil
import yaml

from evermodel import lanes, lockfile
from evermodel.core.errors import EvermodelError
from evermodel.core.params import Params
from evermodel.lanes import Lane, Progress
from evermodel.lockfile import Aside
from evermodel.runs import journal
from evermodel.scoreboard import Scoreboard

PIPELINE = Path("dvc.yaml")
LOGS = journal.FOLDER / "logs"
# That of this environment, whatever PATH says; it waits for its turn to read and write dvc.lock.
DVC = (sys.executable, "-m", "dvc", "--wait-for-lock")
TICK = 0.1  # seconds between two looks at the workers
PATIENCE = journal.PATIENCE + 10  # seconds that a stage has to end when it is told to


@dataclass(frozen=True)
class Failure:
    """The lane that failed, at which stage ("" if it never came to one), and why."""

    lane: str
    stage: str
    reason: str

    def __str__(self) -> str:
        return f"{self.lane} {f'failed at {self.stage}' if self.stage else 'did not run'}: {self.reason}"


class Worker:
    """One `dvc repro` over the stages of a lane, in a process group of its own."""

    def __init__(self, lane: Lane, environment: Mapping[str, str]) -> None:
        # Without -s DVC walks up to the data set's stages and locks their folders, which others read.
        command = [*DVC, "repro", "-s", "--glob", f"*@{lane.name}"]
        file = LOGS / f"{lane.name}.log"
        with file.open("wb") as log:
            self.process = subprocess.Popen(
                command, stdout=log, stderr=subprocess.STDOUT, env=environment, start_new_session=True
            )
        self.lane, self.log = lane, file.open(encoding="utf-8", errors="replace")
        self.started, self.progress, self.rest = time.monotonic(), Progress(), ""
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
            self.progress = lanes.follow(self.progress, line)
            stages.append(self.progress.stage)
        return [new for old, new in pairwise(stages) if new != old]

    def failure(self) -> Failure | None:
        """Why it failed, if it did."""
        self.log.close()
        if self.process.returncode == 0:
            return None
        reason = self.progress.reason or f"DVC ended with {self.process.returncode}, see {self.log.name}"
        return Failure(self.lane.name, self.progress.stage, reason)

    def end_stage(self) -> None:
        """Tell the running stage to end, once; DVC itself, which then closes its books, is left alone.

        Killed while it writes dvc.lock, DVC would leave half of it.
        """
        with suppress(psutil.NoSuchProcess, ProcessLookupError):
            for process in set(psutil.Process(self.process.pid).children(recursive=True)) - self.told:
                if os.getpgid(process.pid) == self.process.pid:  # a sidecar is not, and ends with its stage
                    self.told.add(process)
                    process.terminate()

    def kill(self) -> None:
        """End everything, at once."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


class Crew:
    """Workers, at most `jobs` at a time, and the lanes that wait for one."""

    def __init__(self, todo: Sequence[Lane], jobs: int, device: str, aside: Aside) -> None:
        self.waiting, self.jobs, self.aside = list(todo), jobs, aside
        self.ended: list[str] = []  # the stages of lanes that have ended, as long as dvc.lock tells of them
        self.running: list[Worker] = []
        self.failures: list[Failure] = []
        self.deadline: float | None = None  # once told to stop
        # Unbuffered, or what a stage printed long ago would follow its last words.
        self.environment = os.environ | {"EVERMODEL_DEVICE": device, "PYTHONUNBUFFERED": "1"}

    def work(self) -> list[Failure]:
        """Run all lanes; one that fails stops only those that wait for it.

        Raises KeyboardInterrupt when told to stop, after every process has ended.
        """
        LOGS.mkdir(parents=True, exist_ok=True)
        board = Scoreboard()
        with told_to_stop() as told, board.live:
            try:
                while self.waiting or self.running:
                    self._stop(at_once=len(told) > 1) if told else self._start()
                    self._look(board)
                    board.draw([_row(worker) for worker in self.running], len(self.waiting))
                    time.sleep(TICK)
            finally:
                self._kill()
        if told:
            raise KeyboardInterrupt
        return self.failures

    def _start(self) -> None:
        failed = {failure.lane for failure in self.failures}
        unfinished = {lane.name for lane in self.waiting} | {worker.lane.name for worker in self.running}
        for lane in list(self.waiting):
            if lane.data in failed:
                self.waiting.remove(lane)
                self.failures.append(Failure(lane.name, "", f"its data set {lane.data} failed"))
            elif lane.data not in unfinished and len(self.running) < self.jobs:
                self.waiting.remove(lane)
                self._put_aside()
                self.running.append(Worker(lane, self.environment))

    def _put_aside(self) -> None:
        """Keep dvc.lock small for the next lane, unless a DVC process that runs won't let go of it."""
        if not self.ended:
            return
        from dvc.lock import LockError
        from dvc.repo import Repo

        with suppress(LockError), Repo() as repo, repo.lock:
            self.aside.put(self.ended)
            self.ended.clear()

    def _look(self, board: Scoreboard) -> None:
        for worker in list(self.running):
            ended = worker.process.poll() is not None  # asked first, so that its last words are read
            for stage in worker.read():
                board.began(worker.lane.name, stage)
            if ended:
                self.running.remove(worker)
                self.ended += [f"{stage}@{worker.lane.name}" for stage in worker.lane.stages]
                worker.kill()  # what a shell that was told to end left behind
                if failure := worker.failure():
                    self.failures.append(failure)
                if self.deadline is None:
                    board.say(str(failure or _done(worker)))

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


def run(
    planned: Sequence[Lane], status: Mapping[str, list[Any]], jobs: int, device: str, values: Params
) -> list[Failure]:
    """Run the lanes with a changed stage, `jobs` at a time, and leave dvc.lock as one `dvc repro` would have.

    status: what `changed` found. Raises KeyboardInterrupt when told to stop, after every process has ended.
    """
    todo, aside = lanes.to_do(planned, status), Aside()
    with lockfile.in_serial_order(pipeline(), values):
        try:
            aside.put(lanes.bound_to_run(todo, status))  # what stands there of them is of no use to DVC
            return Crew(todo, jobs, device, aside).work()
        finally:
            aside.put_back()


def pipeline() -> dict[str, Any]:
    """The stages of dvc.yaml."""
    if not PIPELINE.exists():
        raise EvermodelError(f"{PIPELINE} is not here; run this command in the root of the repository")
    return dict(yaml.safe_load(PIPELINE.read_text(encoding="utf-8"))["stages"])


def changed() -> dict[str, list[Any]]:
    """The stages whose command, code, parameters, inputs or outputs are not those of dvc.lock, and which.

    Raises EvermodelError with DVC's own words if it can't tell.
    """
    done = subprocess.run([*DVC, "status", "--json"], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise EvermodelError(f"`dvc status` failed: {' '.join(done.stderr.split())}")
    return dict(json.loads(done.stdout))


def _row(worker: Worker) -> tuple[str, ...]:
    at = worker.progress
    return (worker.lane.name, at.stage or "DVC", at.epoch, f"{worker.seconds:.0f}", at.figures)


def _done(worker: Worker) -> str:
    from evermodel.core import data

    lane, file = worker.lane, data.REPORTS / worker.lane.name / "metrics.json"
    score = f": {lane.metric} {json.loads(file.read_text())[lane.metric]:.4g}" if lane.metric else ""
    return f"{lane.name} done in {worker.seconds:.0f} s{score}"


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
