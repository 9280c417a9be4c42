"""A worker of a search: `python -m evermodel.searching.worker NAME STUDY NUMBER` runs trials.

It ends, and its trial is run again, when it is told to, or when whoever started it is gone.
"""

import os
import signal
import socket
import statistics
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from statistics import fmean
from timeit import repeat
from typing import Any

import numpy as np
import optuna

from evermodel import repository
from evermodel.core.data import Prepared
from evermodel.core.errors import EvermodelError
from evermodel.evaluation import evaluation
from evermodel.runs import determinism
from evermodel.runs.recipe import Recipe
from evermodel.searching import cross_validation, space, study
from evermodel.searching.cross_validation import Trained
from evermodel.searching.study import Plan

FINISHED = optuna.exceptions.UpdateFinishedTrialError
TICK = 1.0  # seconds between two looks whether another worker's trial has to be run again
CALLS = 21  # of which the median tells how long a model takes


class LateError(Exception):
    """The trial is one more than there are to be."""


class Stop:
    """A signal to end: it interrupts a trial that is computed, but not what is written to the study.

    It is kept, too, for what it raises is lost where it meets a finalizer, which Python does not let fail.
    """

    def __init__(self) -> None:
        self.told, self.computing = False, False

    def __call__(self, came: int, frame: object) -> None:
        """Hear the signal."""
        self.told = True
        if self.computing:
            raise KeyboardInterrupt

    @contextmanager
    def heard(self) -> Iterator[None]:
        """As long as trials are run. Raises KeyboardInterrupt at the end if the signal came."""
        before = signal.signal(signal.SIGTERM, self)
        try:
            yield
        finally:
            signal.signal(signal.SIGTERM, before)
        if self.told:
            raise KeyboardInterrupt

    @contextmanager
    def interrupting(self) -> Iterator[None]:
        """As long as a trial is computed."""
        self.computing = True
        try:
            if self.told:
                raise KeyboardInterrupt
            yield
        finally:
            self.computing = False


def run(plan: Plan, name: str, number: int) -> None:
    """Run trials of a study as long as one is to begin, or may have to be run again.

    Raises EvermodelError if today's values can't be trained, and KeyboardInterrupt when told to stop, by
    SIGTERM: the trial that it was at waits to be run again.
    """
    determinism.fix(plan.runtime)
    prepared, found = cross_validation.load(plan.chosen), study.load(plan, name, number)
    stop = Stop()
    with stop.heard():
        while not stop.told and ((left := study.left(plan, found)) > 0 or study.running(found)):
            if left > 0:
                _run_one(plan, found, prepared, stop)
            else:
                time.sleep(TICK)


def known_as(pid: int) -> str:
    """A worker as its trials know it."""
    return f"{socket.gethostname()}:{pid}"


def _run_one(plan: Plan, found: optuna.Study, prepared: Prepared, stop: Stop) -> None:
    at, failed = list[int](), list[Exception]()

    def objective(trial: optuna.Trial) -> float:
        if study.is_late(plan, found, trial.number):
            raise LateError
        at.append(trial.number)
        trial.set_user_attr("worker", known_as(os.getpid()))
        try:
            with stop.interrupting():
                return _score(plan, trial, prepared)
        except (optuna.TrialPruned, FINISHED):
            raise
        except Exception as error:
            failed.append(error)
            raise

    try:
        found.optimize(objective, n_trials=1, catch=(LateError,))
    except KeyboardInterrupt:
        if at:
            study.try_again(found, found.trials[at[0]])
        raise
    except (FINISHED, ValueError):
        if failed:
            raise
        # It gave no sign of life for so long, on a machine that slept, say, that it is run again.


def _score(plan: Plan, trial: optuna.Trial, prepared: Prepared) -> float:
    """The mean of the metric over the folds; raises TrialPruned where values are given up."""
    found = space.suggested(trial, plan.search, plan.values)
    trial.set_user_attr("values", found)
    try:
        chosen = plan.recipe(found)
        return _over_folds(plan, trial, chosen, prepared)
    except EvermodelError as error:
        if found == plan.today:
            raise
        trial.set_user_attr("wrong", str(error))
        raise optuna.TrialPruned from None
    finally:
        if "keras" in sys.modules:
            determinism.keras().utils.clear_session()  # or else networks of all trials stay in memory


def _over_folds(plan: Plan, trial: optuna.Trial, chosen: Recipe, prepared: Prepared) -> float:
    search, seed, scores = plan.search, plan.runtime.seed, list[float]()
    task, who, megabytes = evaluation.task_module(chosen.task), f"model {chosen.model}", 0.0
    report = _reporting(trial) if not search.folds else lambda figures: None
    for fold in cross_validation.cut(prepared, plan.rules, search.folds, seed):
        made = cross_validation.trained(chosen, plan.runtime, fold, report)
        told = evaluation.told(task, chosen.options, fold)
        judged = cross_validation.scored(chosen, plan.runtime, fold, told, who, made.predict)
        scores.append(judged.metrics[search.metric])
        trial.set_user_attr("scores", scores)
        if search.folds:
            trial.report(scores[-1], len(scores) - 1)
            if trial.should_prune():  # its mean would be one of other folds than those of the best
                raise optuna.TrialPruned
        megabytes, rows = max(megabytes, made.megabytes), fold.splits["test"].x
    limits = search.limits
    if limits.megabytes is not None:
        trial.set_constraint("megabytes", megabytes - limits.megabytes)
    if limits.milliseconds is not None:
        example = evaluation.inputs(task, rows[np.arange(1)], chosen.options, seed)
        trial.set_constraint("milliseconds", _milliseconds(made, example) - limits.milliseconds)
    return fmean(scores)


def _reporting(trial: optuna.Trial) -> Callable[[dict[str, float]], None]:
    """Tells the loss of the validation rows each epoch; gives up what is behind half of the others."""
    sign = 1 if trial.study.direction == optuna.study.StudyDirection.MINIMIZE else -1

    def report(figures: dict[str, float]) -> None:
        if "val_loss" in figures:
            trial.report(sign * figures["val_loss"], int(figures["epoch"]))
            if trial.should_prune():
                raise optuna.TrialPruned

    return report


def _milliseconds(made: Trained, example: Any) -> float:
    """How long a model takes for one example."""
    made.predict(example)  # the first call compiles
    return 1000 * statistics.median(repeat(lambda: made.predict(example), number=1, repeat=CALLS))


def _end_with(stream: Any) -> None:
    """Tell this process to end when nobody writes to a stream any more."""
    stream.read()
    os.kill(os.getpid(), signal.SIGTERM)


def main(name: str, called: str, number: str) -> None:
    """Work for the study of that name until nothing is left."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the terminal tells all; whoever started it tells once
    threading.Thread(target=_end_with, args=(sys.stdin,), daemon=True).start()
    try:
        run(study.plan(repository.load(), name), called, int(number))
    except KeyboardInterrupt:
        sys.exit(130)
    except EvermodelError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main(*sys.argv[1:])
