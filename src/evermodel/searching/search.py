"""A search: workers run trials, and what they find is compared with what there is, on folds of its own."""

import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import optuna
from optuna.trial import FrozenTrial, TrialState
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.live import Live
from rich.table import Table

from evermodel import number
from evermodel.core import folders
from evermodel.core.errors import EvermodelError
from evermodel.core.params import FILE
from evermodel.publishing import choice
from evermodel.publishing.choice import Choice
from evermodel.repository import Repository
from evermodel.runs import determinism
from evermodel.searching import cross_validation, pictures, proposal, study
from evermodel.searching.study import Plan
from evermodel.searching.worker import known_as
from evermodel.workers import LOGS, told_to_stop

FOLDS = 5  # to compare by, where trials were judged by the validation rows
OTHER = 1  # added to the seed, so that what is compared by is cut and trained otherwise than trials were
LUCK = 0.05
NOW, FOUND = "today", "found"  # the two that are compared
TICK = 0.5  # seconds between two looks at the study
SHOWN = 12  # trials of the table
KILLED = 3  # times that a worker may be killed, for each of them
LOGGED = 60  # seconds between two times that MLflow is told


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
    """The workers of a search on this machine."""

    def __init__(self, plan: Plan, called: str, jobs: int) -> None:
        self.plan, self.study = plan, study.load(plan, called)
        self.killed, self.logged = KILLED * jobs, time.monotonic()
        self.said = {trial.number for trial in study.ended(self.study)}
        self.console = Console(highlight=False)
        self.workers = [Worker(plan, called, number) for number in range(jobs)]

    def work(self) -> None:
        """Let the workers run trials until none is left; one that was killed is replaced.

        Raises KeyboardInterrupt when told to stop, and EvermodelError if a worker can't go on; after every
        process has ended.
        """
        with told_to_stop() as told, Live(console=self.console, transient=True) as live:
            try:
                while self.workers and not told:
                    self.workers = [worker for worker in map(self._seen, self.workers) if worker]
                    self._show(live)
                    time.sleep(TICK)
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
                name = signal.Signals(-code).name
                study.left_by(self.study, known_as(worker.process.pid))
                self.console.print(f"a worker was ended by {name}; its trial is run again")
                return Worker(self.plan, worker.called, worker.number)
        raise EvermodelError(f"the search of {self.plan.name} stopped: {worker.reason}")

    def _show(self, live: Live) -> None:
        rows, limit = _rows(self.plan, self.study), self.plan.search.hours
        if time.monotonic() - self.logged > LOGGED:
            self.logged = time.monotonic()
            told_mlflow(self.plan, self.study, None, {})
        if not self.console.is_terminal:
            for row in rows:
                if row.ended and row.number not in self.said:
                    self.said.add(row.number)
                    self.console.print(row.line(self.plan), markup=False, soft_wrap=True)
            return
        spent = study.spent(study.ended(self.study))
        hours = f"{spent:.2f} hours" + (f", {max(limit - spent, 0):.2f} left" if limit else "")
        caption = f"{sum(row.ended for row in rows)} of {self.plan.search.trials} trials, {hours}"
        table = Table(
            "trial", "values", self.plan.search.metric, "best so far", box=SIMPLE_HEAD, caption=caption
        )
        for row in rows[-SHOWN:]:
            table.add_row(*row.cells)
        live.update(table)


@dataclass(frozen=True)
class Row:
    """A trial as the table shows it; best: of all up to it."""

    number: int
    ended: bool
    values: str
    score: str
    best: str

    @property
    def cells(self) -> tuple[str, ...]:
        """What stands in the table."""
        return (str(self.number), self.values, self.score, self.best)

    def line(self, plan: Plan) -> str:
        """The same where no table is shown."""
        told = f"{plan.search.metric} {self.score}, best so far {self.best}"
        return f"trial {self.number} of {plan.search.trials}: {told}: {self.values}"


def search(found: Repository, name: str, jobs: int, apply: bool) -> str:
    """Run the search of an experiment, or go on with it, and tell what came of it.

    apply: whether what was found is written into the work tree, not on a branch. Raises EvermodelError if
    nothing can be searched, and KeyboardInterrupt when told to stop; the same goes on then.
    """
    plan = study.plan(found, name)
    cross_validation.statistic(plan.chosen, plan.search.metric)  # refused now, not after all trials
    if not apply:
        proposal.require_room(name)
    called = study.create(plan)
    Crew(plan, called, jobs).work()
    return propose(plan, called, apply)


def propose(plan: Plan, called: str, apply: bool, onto: str = "HEAD") -> str:
    """Compare the best trial of a study with today's values, and write down what is better; says so.

    onto: the commit that the branch follows.
    """
    of = study.load(plan, called)
    chosen = verdict(plan, of)
    drawn = pictures.drawn(of, plan.search.metric)
    told_mlflow(plan, of, chosen, drawn)
    folder = folders.experiment(plan.name)
    files = {folder / choice.FILE: choice.text(chosen).encode()}
    if not chosen.is_better:
        (folder / choice.FILE).write_bytes(files[folder / choice.FILE])
        return f"{outcome(chosen)}; {plan.name} stays as it is, and {folder / choice.FILE} has the figures"
    params_file = folder / FILE
    text = params_file.read_bytes().decode("utf-8")
    files[params_file] = proposal.changed(text, chosen.changes, plan.profile, str(params_file)).encode()
    if pictures.HISTORY in drawn:
        files[folder / choice.PICTURE] = drawn[pictures.HISTORY]
    if apply:
        for path, content in files.items():
            path.write_bytes(content)
        return f"{outcome(chosen)}; {params_file} says so now, and `evermodel run {plan.name}` trains it"
    made = proposal.commit(plan.name, files, proposal.message(plan.name, chosen), onto)
    return f"{outcome(chosen)}; see `git show {made}`, and merge it if you agree"


def verdict(plan: Plan, of: optuna.Study) -> Choice:
    """Whether the best trial is better than today's values by more than luck; asked once of a study.

    The two are trained on folds that are cut by another seed than those of the trials, which chance has
    favoured one of.
    """
    best, trials, search = study.best(of), study.ended(of), plan.search
    found = study.values(best) if best else {}
    before = {path: plan.value(path) for path in found}
    facts = {
        "study": of.study_name,
        "profile": plan.profile,
        "metric": search.metric,
        "trials": len(trials),
        "given_up": sum(trial.state == TrialState.PRUNED for trial in trials),
        "hours": round(study.spent(trials), 4),
        "folds": search.folds or FOLDS,
        "before": before,
        "found": found,
    }
    known = of.user_attrs.get("choice", {})
    if all(known.get(name) == fact for name, fact in facts.items()):
        return Choice.model_validate(known)
    chosen = Choice(**facts, values=before)
    if found != before:
        scores, chance = compared(plan, found)
        values = found if chance < LUCK else before
        chosen = Choice(**facts, values=values, score_before=scores[NOW], score=scores[FOUND], chance=chance)
    of.set_user_attr("choice", chosen.model_dump())
    return chosen


def compared(plan: Plan, found: Mapping[str, Any]) -> tuple[dict[str, float], float]:
    """The means of today's values and of others over fresh folds, and how likely these are ahead by luck."""
    determinism.fix(plan.runtime)
    metric, count = plan.search.metric, plan.search.folds or FOLDS
    runtime = plan.runtime.model_copy(update={"seed": plan.runtime.seed + OTHER})
    recipes, judged = {NOW: plan.chosen, FOUND: plan.recipe(found)}, []
    for one in cross_validation.judge(recipes, plan.rules, runtime, count, 1):
        judged.append(one)
        value = number.text(one.evaluated.metrics[metric])
        print(
            f"comparing: {one.who}, fold {one.fold} of {count}: {metric} {value}", file=sys.stderr, flush=True
        )
    spread = cross_validation.summary(judged)[metric]
    scores = {who: spread[who]["mean"] for who in recipes}
    return scores, cross_validation.chance(plan.chosen, metric, judged, FOUND, NOW)


def told_mlflow(plan: Plan, of: optuna.Study, chosen: Choice | None, files: Mapping[str, bytes]) -> None:
    """Tell MLflow what it does not know yet; that it is away is a warning."""
    from evermodel.publishing import studies, tracking

    tried = [
        studies.Tried(
            trial.number,
            study.values(trial),
            None if trial.state == TrialState.PRUNED else trial.value,
            *(int(at.timestamp() * 1000) for at in (trial.datetime_start, trial.datetime_complete) if at),
        )
        for trial in study.ended(of)
    ]
    asked = tracking.flat(plan.search.model_dump(mode="json", exclude_none=True), "search.")
    try:
        with tracking.answering():
            client, metric = tracking.connect(), plan.search.metric
            studies.tell(client, plan.name, of.study_name, asked, metric, tried, chosen, files)
    except EvermodelError as error:
        print(f"evermodel: {error}", file=sys.stderr)


def outcome(chosen: Choice) -> str:
    """What came of a study, in a sentence."""
    tried = f"{chosen.trials} trials, {chosen.given_up} given up"
    if chosen.chance is None or chosen.score is None or chosen.score_before is None:
        return f"{tried}: nothing is better than today's values"
    was, now = number.text(chosen.score_before), number.text(chosen.score)
    how = "better" if chosen.is_better else "no more than luck may be"
    return (
        f"{tried}: the best is {how}: {chosen.metric} {was} → {now} on {chosen.folds} fresh folds, "
        f"one-sided p = {chosen.chance:.2g}"
    )


def _rows(plan: Plan, of: optuna.Study) -> list[Row]:
    """The trials that run or have ended, as the table shows them."""
    sign = 1 if of.direction == optuna.study.StudyDirection.MINIMIZE else -1
    rows, best = [], None
    for trial in of.get_trials(deepcopy=False, states=(*study.ENDED, TrialState.RUNNING)):
        if trial.state == TrialState.COMPLETE and _within(trial) and trial.value is not None:
            best = trial.value if best is None else sign * min(sign * best, sign * trial.value)
        values = ", ".join(f"{path} {proposal.written(value)}" for path, value in study.values(trial).items())
        known = "–" if best is None else number.text(best)
        rows.append(Row(trial.number, trial.state in study.ENDED, values, _score(trial), known))
    return rows


def _score(trial: FrozenTrial) -> str:
    if trial.state == TrialState.RUNNING:
        return "…"
    if trial.state == TrialState.PRUNED or trial.value is None:
        return "given up"
    return number.text(trial.value) + ("" if _within(trial) else ", beyond a limit")


def _within(trial: FrozenTrial) -> bool:
    return all(value <= 0 for value in trial.constraints.values())
