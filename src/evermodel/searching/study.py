"""A study: the trials of a search, in a database that its workers share, so that none is lost."""

import hashlib
import json
import os
import re
import warnings
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import optuna
from filelock import FileLock
from optuna.storages import RDBStorage, RetryHeartbeatStaleTrialCallback, fail_stale_trials
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState

from evermodel.core import catalog, data, folders, params
from evermodel.core.errors import EvermodelError, told
from evermodel.core.project import Runtime
from evermodel.datasets.dataset import Dataset
from evermodel.repository import Experiment, Repository
from evermodel.runs import recipe
from evermodel.runs.recipe import Recipe
from evermodel.searching import space
from evermodel.searching.space import Search

STUDIES = "EVERMODEL_STUDIES"  # the database of all studies, if it is not a SQLite file of each experiment
FOLDER = Path("searches")
BEAT, GRACE = 10, 60  # seconds between two signs of life of a trial, and after which it counts as killed
RETRIES = 2  # of a trial whose worker was killed
PATIENCE = 60  # seconds that one worker waits for another one's writing to SQLite
LUCK = 0.2  # how likely a trial that is given up among its folds is behind the best by luck
NUMBERS = Path("requirements/numbers.lock")  # the versions of what computes numbers
ENDED = (TrialState.COMPLETE, TrialState.PRUNED)
# What the figures of a trial follow from, beside data and recipe.
CODE = ("core", "evaluation", "noise.py", "runs", "searching/cross_validation.py", "searching/folds.py")


@dataclass(frozen=True)
class Plan:
    """A search as params.yaml has it. values: all that stands there for the profile."""

    name: str
    profile: str
    runtime: Runtime
    rules: Dataset
    chosen: Experiment
    search: Search
    values: Mapping[str, Any]

    @property
    def today(self) -> dict[str, Any]:
        """The values that are searched as they are now."""
        return space.today(self.search, self.values)

    def value(self, path: str) -> Any:
        """What stands at a path now."""
        return space.at(self.values, path)

    def recipe(self, found: Mapping[str, Any]) -> Recipe:
        """The recipe with other values; EvermodelError if they do not go together."""
        return space.recipe_of(self.name, space.with_values(self.values, found))


def plan(found: Repository, name: str) -> Plan:
    """The search of an experiment; EvermodelError if its params.yaml has none."""
    chosen = found.experiment(name)
    if chosen.search is None:
        raise EvermodelError(f"{recipe.where(name)} has no section search; docs/search.md tells what it says")
    values = params.of_folder(folders.experiment(name), found.profile)
    rules = found.datasets[chosen.dataset]
    return Plan(name, found.profile, found.runtime, rules, chosen, chosen.search, values)


def key(plan: Plan) -> str:
    """The name of the study: another one wherever trials would not be comparable.

    Of training and validation rows, of the recipe without the values that are searched, of the space, and of
    the code; more trials or hours go on with it. Raises EvermodelError if the data are not prepared.
    """
    prepared, chosen = folders.prepared(plan.chosen.dataset), plan.chosen
    if not prepared.is_dir():
        target = f"{folders.dataset(chosen.dataset)}/dvc.yaml"
        raise EvermodelError(f"{prepared} is missing; `.venv/bin/dvc repro {target}` makes it")
    named = (("models", chosen.model), ("models", chosen.baseline), ("objectives", chosen.task))
    files = [f"{kind}/{one}.py" for kind, one in (*named, ("tasks", chosen.task))]
    code = {name: _hashes(catalog.PACKAGE / name) for name in (*CODE, "training", *files)}
    code["numbers"] = _hashes(NUMBERS)
    rows = {one.name: _hashes(one) for one in sorted(prepared.iterdir()) if one.name != "test"}
    fixed = {name: plan.values[name] for name in Recipe.model_fields if name in plan.values}
    fixed = space.with_values(fixed, dict.fromkeys(plan.search.space))
    asked = plan.search.model_dump(mode="json", exclude={"trials", "hours"})
    runtime = plan.runtime.model_dump()
    whole = json.dumps([plan.profile, runtime, fixed, asked, rows, code], sort_keys=True)
    return f"{plan.name}@{hashlib.sha256(whole.encode()).hexdigest()[:16]}"


def create(plan: Plan) -> str:
    """Make the study unless it is there, with today's values as a trial to begin with; returns its name."""
    name = key(plan)
    _be_quiet()
    with _told(plan.name), _alone():
        made = optuna.create_study(
            storage=_storage(plan.name), study_name=name, load_if_exists=True, direction=_direction(plan)
        )
        kept = {path: plan.search.space[path].kept(value) for path, value in plan.today.items()}
        trials = made.get_trials(deepcopy=False)
        there = [one for one in trials if one.state != TrialState.FAIL]
        if kept not in [one.system_attrs.get("fixed_params", one.params) for one in there]:
            made.enqueue_trial(kept)
    return name


def load(plan: Plan, name: str, worker: int = 0) -> optuna.Study:
    """The study of that name as one of its workers sees it; EvermodelError if nobody has made it."""
    search, rounds = plan.search, plan.chosen.train.total_epochs if plan.chosen.train else 1
    _be_quiet()
    with _told(plan.name):
        with _alone():
            storage = _storage(plan.name)
        study = optuna.load_study(study_name=name, storage=storage)
        # Begun anew, a worker draws other values than it drew before.
        seed = plan.runtime.seed + worker + 1000 * len(study.get_trials(deepcopy=False))
        study.sampler = optuna.samplers.TPESampler(seed=seed % 2**32)
        study.pruner = (
            optuna.pruners.WilcoxonPruner(p_threshold=LUCK)
            if search.folds
            else optuna.pruners.MedianPruner(n_startup_trials=5, n_warmup_steps=rounds // 3)
        )
    return study


def left(plan: Plan, study: optuna.Study) -> int:
    """How many trials are still to begin; of a killed worker's, none is left running."""
    fail_stale_trials(study)
    trials = study.get_trials(deepcopy=False)
    if plan.search.hours is not None and spent(trials) >= plan.search.hours:
        return 0
    begun = [trial for trial in trials if trial.state in (*ENDED, TrialState.RUNNING)]
    return plan.search.trials - len(begun)


def is_late(plan: Plan, study: optuna.Study, number: int) -> bool:
    """Whether a trial that has begun is one too many, as two workers may begin the last one at once."""
    trials = study.get_trials(deepcopy=False, states=(*ENDED, TrialState.RUNNING))
    return sum(trial.number < number for trial in trials) >= plan.search.trials


def running(study: optuna.Study) -> bool:
    """Whether a worker is at a trial, or was killed so short a time ago that nobody knows."""
    return bool(study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)))


def left_by(study: optuna.Study, who: str) -> None:
    """Let another worker run the trial again that one was at when it was killed."""
    for trial in study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
        if trial.user_attrs.get("worker") == who:
            study.tell(trial.number, state=TrialState.FAIL)
            RetryHeartbeatStaleTrialCallback(max_retry=RETRIES)(study, trial)


def try_again(study: optuna.Study, trial: FrozenTrial) -> None:
    """Let another worker run a trial again that this one was told to leave."""
    RetryHeartbeatStaleTrialCallback()(study, trial)


def spent(trials: list[FrozenTrial]) -> float:
    """The hours of all trials that have ended."""
    return sum(trial.duration.total_seconds() for trial in trials if trial.duration) / 3600


def ended(study: optuna.Study) -> list[FrozenTrial]:
    """The trials that were finished or given up, in the order of their numbers."""
    return study.get_trials(deepcopy=False, states=ENDED)


def best(study: optuna.Study) -> FrozenTrial | None:
    """The best trial within all limits, if there is one."""
    try:
        return study.best_trial
    except ValueError:
        return None


def values(trial: FrozenTrial) -> dict[str, Any]:
    """What a trial was run with, by path."""
    return dict(trial.user_attrs.get("values", {}))


def _direction(plan: Plan) -> StudyDirection:
    higher = catalog.headlines(plan.chosen.task)[plan.search.metric] == "higher"
    return StudyDirection.MAXIMIZE if higher else StudyDirection.MINIMIZE


def _storage(name: str) -> RDBStorage:
    """The database; its tables are made if it is new."""
    url = os.environ.get(STUDIES)
    if url is None:
        FOLDER.mkdir(exist_ok=True)
        url = f"sqlite:///{FOLDER / name}.db"
    waiting = {"connect_args": {"timeout": PATIENCE}} if url.startswith("sqlite") else {}
    return RDBStorage(
        url,
        engine_kwargs=waiting,
        heartbeat_interval=BEAT,
        grace_period=GRACE,
        heartbeat_stale_trial_callback=RetryHeartbeatStaleTrialCallback(max_retry=RETRIES),
    )


def _be_quiet() -> None:
    """Let Optuna tell nothing of what a table shows, or of what is experimental: signs of life are."""
    warnings.filterwarnings("ignore", category=optuna.exceptions.ExperimentalWarning)
    optuna.logging.set_verbosity(optuna.logging.ERROR)


def _alone() -> FileLock:
    """Held while tables are made: two processes that meet an empty database would both make them."""
    folders.STATE.mkdir(exist_ok=True)
    return FileLock(folders.STATE / "search.lock")


def _told(name: str) -> AbstractContextManager[None]:
    where = os.environ.get(STUDIES, str(FOLDER / f"{name}.db"))
    return told(f"the database of studies, {re.sub('//[^/@]+@', '//', where)}, can't be used")


def _hashes(path: Path) -> dict[str, str]:
    """The hash of a file, or those of a folder's, by their names."""
    files = [path] if path.is_file() else _files(path)
    return {file.relative_to(path.parent).as_posix(): data.file_hash(file) for file in files}


def _files(folder: Path) -> Iterator[Path]:
    yield from sorted(file for file in folder.rglob("*") if file.is_file() and file.suffix != ".pyc")
