"""What the tasks of a scheduled run do, each in a fresh checkout of the run's commit as current folder.

`python -m evermodel.scheduling.steps STEP NAME…`; checkout.py runs it so. A stage or all stages of a file are
named as DVC does: experiments/x/dvc.yaml:train, data/d/dvc.yaml.
"""

import json
import os
import sys
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from random import Random
from typing import Literal

from evermodel import environment, experiments, repository
from evermodel.core import folders
from evermodel.core.errors import EvermodelError
from evermodel.datasets.dataset import Dataset
from evermodel.runs import determinism
from evermodel.scheduling import addresses, handover, publication, settings, shell
from evermodel.scheduling.checkout import CACHE, REMOTE, git
from evermodel.scheduling.settings import Scoring, Settings
from evermodel.searching import proposal
from evermodel.training import processes

LEARNED = ("train", "validation")  # of the prepared rows, what a search reads
NOTHING_TO_DO = 99  # the exit code that Airflow shows as "skipped"
MISSING = 1  # the exit code of `dvc pull` where neither cache nor remote has a file
MADE = (f"{folders.DATASETS}/", f"{folders.EXPERIMENTS}/")  # where stages write; what else they need is code
AUTHOR = {
    f"GIT_{role}_{what}": value
    for role in ("AUTHOR", "COMMITTER")
    for what, value in (("NAME", "Evermodel"), ("EMAIL", "evermodel@localhost"))
}


def begin(chosen: Settings) -> int:
    """Check what can be known before anything runs; the last line names the commit of the run."""
    commit = git("rev-parse", "HEAD")
    prepare(chosen)
    known = repository.load()
    for name in chosen.experiments:
        known.experiment(name)
    if not os.environ.get(REMOTE) and not shell.has_remote():
        raise EvermodelError(f"DVC has no remote here; set {REMOTE}, or core.remote in .dvc/config")
    print(commit)
    return 0


def find(chosen: Settings, address: str) -> int:
    """End with 99 if the result that dvc.lock names is there, so that it keeps no scarce worker busy."""
    prepare(chosen)
    if not chosen.force:
        handover.receive()
        _pull(address)
        if not shell.changed(address):
            print(f"the result of {address} is there")
            return NOTHING_TO_DO
    print(f"{address} has to run")
    print("{}")  # nothing to hand over
    return 0


def run(chosen: Settings, address: str) -> int:
    """Take the result of stages if it is there, or else run them and no others, and push what they make.

    The last line hands over their dvc.lock. One of several machines that train together, but for the first,
    only helps that one: what it would make is the same.
    """
    prepare(chosen)
    handover.receive()
    _pull(address, results=not chosen.force)
    if processes.helps():
        print("{}", flush=True)  # nothing to hand over
        return shell.stage(address) if chosen.force or shell.changed(address) else 0
    forced = ["--force"] if chosen.force else []
    # What this worker has made before, and could not push, is in the run cache of its own.
    if code := shell.dvc("repro", "--single-item", *forced, address) or shell.patiently("push", address):
        return code
    print(handover.tell(addresses.pipeline(address)))
    return 0


def publish(chosen: Settings, *names: str) -> int:
    """Promote what the tasks before have made, and push its dvc.lock files to a branch named after the run.

    Left out is an experiment of which a task failed, for that has said why. The last line tells which models
    of this run are champions or wait for approval, and what is wrong with which experiment.
    """
    prepare(chosen)
    known = repository.load()
    finished = handover.receive()
    wanted = names or chosen.experiments or tuple(known.experiments)
    made = {name: known.experiment(name).dataset for name in wanted if f"{name}.{addresses.LAST}" in finished}
    for name in sorted(set(wanted) - set(made)):
        print(f"{name} has no result and is left out")
    if not made:
        return NOTHING_TO_DO
    faults = publication.collect(made)
    ready = {name: dataset for name, dataset in made.items() if name not in faults}
    if ready:
        before = publication.heads(ready)
        faults |= publication.promote(chosen, ready)
        heads = publication.heads(ready)
        files = {file for name, dataset in ready.items() for file in addresses.pipelines(name, dataset)}
        locks = sorted(str(file.with_name(handover.LOCK)) for file in files)
        # Also without a new result, so that whoever fetches the branch knows how far the ledgers went.
        _commit("\n".join([f"Retrain {', '.join(ready)}\n", *heads]), *locks, always=heads != before)
        publication.push(os.environ["EVERMODEL_RUN"])
    print(json.dumps({"assets": publication.assets(ready), "faults": faults}))
    return 0


def search(step: str, wanted: Settings, name: str, number: str = "0") -> int:
    """Do a task of a search: make the study, run its trials, compare what they found, or push what is better.

    The test rows are not fetched. The last line of `study` tells the numbers of the workers, each
    of which `search` is told one.
    """
    determinism.begin_anew()
    from evermodel.searching import search, study, worker

    if study.STUDIES not in os.environ:
        raise EvermodelError(
            f"{study.STUDIES} is not set; let it name the database of studies: a task's own folder goes "
            "with it"
        )
    prepare(wanted)
    handover.receive()
    found = repository.load()
    _pull_learned(found.datasets[found.experiment(name).dataset])
    plan = study.plan(found, name)
    called = study.key(plan)
    os.environ.update(AUTHOR)
    match step:
        case "study":
            study.create(plan)
            print(json.dumps([*range(wanted.workers)]))
        case "search":
            worker.run(plan, called, int(number))
        case "choose":
            print(search.outcome(search.verdict(plan, study.load(plan, called))))
        case _:
            print(search.propose(plan, called, apply=False, onto="FETCH_HEAD"))
            if git("branch", "--list", made := proposal.branch(name)):
                git("push", "--quiet", "--force", "origin", f"{made}:refs/heads/{made}")
    return 0


def watch() -> int:
    """Look at the data of the commit; the last line tells what was found."""
    from evermodel.scheduling import watcher

    print(watcher.report())
    return 0


def rebuild() -> int:
    """Make a champion again that the run draws, the same one at each try.

    Fails unless it is the same, or as good where it was trained on another kind of machine.
    """
    from evermodel.publishing import registry, tracking

    client = tracking.connect()
    names = [name for name in repository.load().experiments if registry.champion(client, name)]
    if not names:
        print("there is no champion yet")
        return NOTHING_TO_DO
    made = experiments.rebuild(f"{Random(os.environ['EVERMODEL_RUN']).choice(names)}@{registry.CHAMPION}")
    print(made.sentence)
    return 0 if made.comparison.as_it_should_be else 1


def waiting(name: str) -> int:
    """Tell in the last line which version waits for approval, and why it won; 99 if none does."""
    if (decided := experiments.waiting(name)) is None:
        print(f"no version of {name} waits for approval")
        return NOTHING_TO_DO
    print(json.dumps({"version": decided.version, "champion": decided.after, "reason": decided.reason}))
    return 0


def answer(how: Literal["approve", "reject"], name: str) -> int:
    """Promote what somebody approved, or write down that somebody said no, unless the try before has done it.

    The last line tells version and hash.
    """
    from evermodel.publishing import ledger

    action, version = "promote" if how == "approve" else how, int(os.environ["EVERMODEL_VERSION"])
    try:
        print(experiments.decide(name, how, version))
    except EvermodelError:
        last = ledger.read(folders.ledger(name))[-1:]
        if [(line.version, line.action) for line in last] != [(version, action)]:
            raise
    written = ledger.read(folders.ledger(name))[-1]
    print(json.dumps({"version": str(written.version), "sha256": written.sha256}))
    return 0


def score(wanted: Scoring) -> int:
    """Let a champion answer for a file or a folder that the worker reaches."""
    print(experiments.score(wanted.experiment, repository.load(), [wanted.inputs], wanted.out).sentence)
    return 0


def prepare(chosen: Settings) -> None:
    """Turn the checkout into that of the run: its remote, its cache, and its settings as a commit.

    Every task makes the same commit, down to its hash; only the publisher has to push it. Raises
    EvermodelError if other packages are installed here than the commit is made for.
    """
    environment.require(Path())
    shell.configure(os.environ.get(REMOTE), os.environ.get(CACHE))
    settings.apply(chosen)
    _commit(f"Set {', '.join(settings.changes(chosen))}", "--update")


def _pull(address: str, results: bool = True) -> None:
    """Put the inputs of stages in place, and their results where nothing but these is missing.

    Raises EvermodelError that names the tasks to clear if nobody has an input.
    """
    found = shell.changed(str(addresses.pipeline(address)))
    own = {stage: one for stage, one in found.items() if address in (stage, str(addresses.pipeline(stage)))}
    made = {file for one in own.values() for file in one.outputs}
    missing = {file for one in own.values() for file in one.inputs} - made
    inputs = sorted(file for file in missing if file.startswith(MADE))
    done = [stage for stage, one in own.items() if one.current and results]
    code = shell.dvc("pull", *inputs, *done) if inputs or done else 0
    if code == MISSING and done and inputs:
        code = shell.dvc("pull", *inputs)
    if code == MISSING and inputs:
        tasks = {_task(file, found) for file in inputs}
        raise EvermodelError(
            f"{address} needs {' and '.join(inputs)}; neither this worker's cache nor DVC's remote has all "
            f"of that: clear the task {' or '.join(sorted(tasks))}"
        )
    if code not in (0, MISSING):
        raise EvermodelError(f"DVC could not look for what {address} needs; its last lines say why")


def _pull_learned(dataset: Dataset) -> None:
    """Put the prepared rows of a data set in place, but for those of the test."""
    folder = folders.prepared(dataset.name)
    weights = any(edition.weights for edition in dataset.source.editions)
    wanted = [*LEARNED, "spec.json", *(["weights"] if weights else [])]
    if shell.patiently("pull", *(str(folder / one) for one in wanted)):
        raise EvermodelError(f"not all of {folder} is in DVC's remote; clear the task {dataset.name}.data")


def _task(file: str, stages: Mapping[str, shell.Stage]) -> str:
    """The task that makes a file: of a data set, or of the experiment whose stages are given."""
    maker = next((stage for stage, one in stages.items() if file in one.outputs), f"{file}:")
    return addresses.task(maker)


def _commit(message: str, *what: str, always: bool = False) -> None:
    """Commit what has changed of it, at the time of the commit before; always: even if nothing has."""
    git("add", *what)
    if always or git("diff", "--cached", "--name-only"):
        date = git("show", "--no-patch", "--format=%cI")
        author = AUTHOR | {"GIT_AUTHOR_DATE": date, "GIT_COMMITTER_DATE": date}
        options = ("--quiet", "--no-verify", "--allow-empty", "-m", message)
        git("-c", "commit.gpgsign=false", "commit", *options, environment=author)


RETRAINING: dict[str, Callable[..., int]] = {"begin": begin, "find": find, "run": run, "publish": publish}
SEARCHING = ("study", "search", "choose", "propose")
OTHERS: dict[str, Callable[..., int]] = {
    "watch": watch,
    "rebuild": rebuild,
    "waiting": waiting,
    "approve": partial(answer, "approve"),
    "reject": partial(answer, "reject"),
}


def main(step: str, *names: str) -> int:
    """Do a step with the settings of EVERMODEL_SETTINGS; returns the exit code."""
    if step != "watch" and not os.environ.get("MLFLOW_TRACKING_URI"):
        raise EvermodelError(
            "MLFLOW_TRACKING_URI is not set; let it name MLflow's server: a task's own folder goes with it"
        )
    given = os.environ.get("EVERMODEL_SETTINGS", "{}")
    if step in SEARCHING:
        return search(step, settings.parse(given, Settings), *names)
    if step == "score":
        return score(settings.parse(given, Scoring))
    if retrain := RETRAINING.get(step):
        return retrain(settings.parse(given, Settings), *names)
    return OTHERS[step](*names)


if __name__ == "__main__":
    try:
        sys.exit(main(*sys.argv[1:]))
    except EvermodelError as error:
        sys.exit(f"evermodel: {error}")
    except KeyboardInterrupt:
        sys.exit(143)
