"""The workers of a search on this machine, and the table of what they try."""

import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

import optuna
from optuna.trial import FrozenTrial, TrialState
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.live import Live
from rich.table import Table

from evermodel import number
from evermodel.core.errors import EvermodelError
from evermodel.searching import proposal, study
from evermodel.searching.study import Plan
from evermodel.searching.worker import known_as
from evermodel.workers import LOGS, told_to_stop

TICK = 0.5  # seconds between two looks at the study
SHOWN = 12  # trials of the table
KILLED = 3  # times that a worker may be killed, for each of them


@dataclass
class Worker:
    """A process that runs trials until it is told to end, or this one is gone."""

    plan: Plan
    called: str
    number: int
    process: subprocess.Popen[bytes] = field(init=False)
    log: Path = field(init=False)

    def __post_init__(self) -> None:
        LOGS.mkdir(parents=True, exist_ok=True)
        self.log = LOGS / f"search-{self.plan.name}-{self.number}.log"
        command = [sys.executable, "-m", "evermodel.searching.worker", self.plan.name, self.called]
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [*command, str(self.number)], stdin=subprocess.PIPE, stdout=log, stderr=subprocess.STDOUT
            )

    @property
    def reason(self) -> str:
        """The last line that it has said."""
        lines = self.log.read_text(encoding="utf-8", errors="replace").split("\n")
        return next((line for line in reversed(lines) if line.strip()), f"a worker ended, see {self.log}")


class Crew:
    """So many workers; a table shows what they try on a terminal, lines elsewhere."""

    def __init__(self, plan: Plan, called: str, jobs: int) -> None:
        self.plan, self.study, self.killed = plan, study.load(plan, called), KILLED * jobs
        self.console, self.said = Console(highlight=False), len(study.ended(self.study))
        self.workers = [Worker(plan, called, number) for number in range(jobs)]

    def work(self) -> None:
        """Let the workers run trials until none is left; one that was killed is replaced.

        Raises KeyboardInterrupt when told to stop, and EvermodelError if a worker can't go on; after every
        process has ended.
        """
        with told_to_stop() as told, Live(console=self.console, transient=True) as live:
            try:
                while self.workers and not told:
                    time.sleep(TICK)
                    self.workers = [worker for worker in map(self._seen, self.workers) if worker]
                    self._show(live)
            finally:
                for worker in self.workers:
                    worker.process.terminate()
                for worker in self.workers:
                    worker.process.wait()
        if told:
            raise KeyboardInterrupt

    def _seen(self, worker: Worker) -> Worker | None:
        """The worker, or another one in its place; None if it has nothing left to do."""
        match worker.process.poll():
            case None:
                return worker
            case 0:
                return None
            case code if code < 0 and self.killed > 0:
                self.killed -= 1
                study.left_by(self.study, known_as(worker.process.pid))
                how = signal.Signals(-code).name
                self.console.print(f"a worker was ended by {how}; another one takes its place")
                return Worker(self.plan, worker.called, worker.number)
        raise EvermodelError(f"the search of {self.plan.name} stopped: {worker.reason}")

    def _show(self, live: Live) -> None:
        """Show the last trials as a table, or a line of each that has ended."""
        search, ended = self.plan.search, study.ended(self.study)
        rows = _rows(self.study)
        if not self.console.is_terminal:
            new = {trial.number for trial in sorted(ended, key=_end)[self.said :]}
            self.said = len(ended)
            for at, values, score, best in (row for row in rows if int(row[0]) in new):
                told = f"trial {at} of {search.trials}: {search.metric} {score}, best so far {best}: {values}"
                self.console.print(told, markup=False, soft_wrap=True)
            return
        hours = study.spent(ended)
        left = f", {max(search.hours - hours, 0):.2f} left" if search.hours else ""
        caption = f"{len(ended)} of {search.trials} trials, {hours:.2f} hours{left}"
        columns = ("trial", "values", search.metric, "best so far")
        table = Table(*columns, box=SIMPLE_HEAD, pad_edge=False, caption=caption)
        for row in rows[-SHOWN:]:
            table.add_row(*row)
        live.update(table)


def _rows(of: optuna.Study) -> list[tuple[str, str, str, str]]:
    """The trials that run or have ended: number, values, score, and the best of all up to it."""
    better = min if of.direction == optuna.study.StudyDirection.MINIMIZE else max
    rows, best = [], None
    for trial in of.get_trials(deepcopy=False, states=(*study.ENDED, TrialState.RUNNING)):
        if trial.state == TrialState.COMPLETE and trial.value is not None and _is_within(trial):
            best = trial.value if best is None else better(best, trial.value)
        values = ", ".join(f"{path} {proposal.written(value)}" for path, value in study.values(trial).items())
        rows.append((str(trial.number), values, _score(trial), "–" if best is None else number.text(best)))
    return rows


def _score(trial: FrozenTrial) -> str:
    if trial.state == TrialState.RUNNING:
        return "…"
    if trial.state == TrialState.PRUNED or trial.value is None:
        return "given up"
    return number.text(trial.value) + ("" if _is_within(trial) else ", beyond a limit")


def _is_within(trial: FrozenTrial) -> bool:
    return all(value <= 0 for value in trial.constraints.values())


def _end(trial: FrozenTrial) -> float:
    return trial.datetime_complete.timestamp() if trial.datetime_complete else 0.0
