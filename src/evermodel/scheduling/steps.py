"""What the tasks of a scheduled run do, each in a fresh checkout of the run's commit as current folder.

`python -m evermodel.scheduling.steps STEP NAME…`; checkout.py runs it so. DVC's run cache on the remote is
how one task hands its results to the next.
"""

import json
import os
import re
import sys
from collections.abc import Callable, Collection, Sequence
from random import Random
from typing import TYPE_CHECKING, Any

from evermodel import experiments, lockfile, workers
from evermodel.core import params
from evermodel.core.errors import EvermodelError
from evermodel.core.params import Params
from evermodel.scheduling import settings, shell
from evermodel.scheduling.checkout import REMOTE, git
from evermodel.scheduling.settings import Scoring, Settings

if TYPE_CHECKING:
    from evermodel.publishing.ledger import Entry

NOTHING_TO_DO = 99  # the exit code that Airflow shows as "skipped"
VERSION = "EVERMODEL_VERSION"  # that somebody was asked about
AUTHOR = {
    f"GIT_{role}_{what}": value
    for role in ("AUTHOR", "COMMITTER")
    for what, value in (("NAME", "Evermodel"), ("EMAIL", "evermodel@localhost"))
}


def begin(chosen: Settings) -> int:
    """Check what can be known before anything runs; the last line names the commit of the run."""
    commit = git("rev-parse", "HEAD")
    values = prepare(chosen)
    for name in chosen.experiments:
        values.experiment(name)
    if not os.environ.get(REMOTE) and not shell.has_remote():
        raise EvermodelError(f"DVC has no remote here; set {REMOTE}, or core.remote in .dvc/config")
    print(commit)
    return 0


def restore(chosen: Settings, stage: str) -> int:
    """End with 99 if the cache has the result of a stage, so that it keeps no scarce worker busy."""
    _prepare_for(stage, chosen)
    found = _reached(stage, shell.restore(stage)).code == 0 and not chosen.force
    print(f"{stage} {'is in the cache' if found else 'has to run'}")
    return NOTHING_TO_DO if found else 0


def run(chosen: Settings, stage: str) -> int:
    """Take the result of a stage from the cache, or run that stage alone and push its result."""
    _prepare_for(stage, chosen)
    if chosen.force:
        _reached(stage, shell.restore(stage))
        made = shell.dvc("repro", "--single-item", "--force", stage)
    else:
        made = _reached(stage, shell.make(stage))
    if made.code or stage not in made.began:
        return made.code
    return shell.dvc("push", "--run-cache", stage).code


def publish(chosen: Settings, *names: str) -> int:
    """Assemble dvc.lock, promote, and push dvc.lock to a branch named after the run.

    Experiments without result are left out; the task that failed to make it has said why. The last line tells
    which models of this run are champions, and which wait for approval.
    """
    from evermodel.core import data

    values = prepare(chosen)
    wanted = names or chosen.experiments or tuple(values.experiments)
    aside = lockfile.Aside()
    with lockfile.in_serial_order(workers.pipeline(), values):
        aside.put_all_but(_lanes(values, wanted))
        shell.restore("--keep-going", *(f"evaluate@{name}" for name in wanted))
        ready = [name for name in wanted if (folders.experiment(name) / "metrics.json").exists()]
        for name in sorted(set(wanted) - set(ready)):
            print(f"{name} has no result and is left out")
        if not ready:
            return NOTHING_TO_DO
        promoted = shell.dvc("repro", "--single-item", "--keep-going", *(f"promote@{name}" for name in ready))
        aside.put_back()
    _commit(f"Retrain {', '.join(ready)}")
    _push(os.environ["EVERMODEL_RUN"])
    print(json.dumps(_champions(ready) | _challengers(ready)))
    return promoted.code


def watch() -> int:
    """Look at the data of the commit; the last line tells what was found."""
    from evermodel.scheduling import watcher

    print(watcher.report(params.load()))
    return 0


def rebuild() -> int:
    """Make a champion again that the run draws, the same one at each try.

    Fails unless it is the same, or as good where it was trained on another kind of machine.
    """
    from evermodel.publishing import registry, tracking

    _require_server()
    client = tracking.connect()
    names = [name for name in params.load().experiments if registry.champion(client, name)]
    if not names:
        print("there is no champion yet")
        return NOTHING_TO_DO
    made = experiments.rebuild(f"{Random(os.environ['EVERMODEL_RUN']).choice(names)}@{registry.CHAMPION}")
    print(made.sentence)
    return 0 if made.comparison.as_it_should_be else 1


def waiting(name: str) -> int:
    """Tell in the last line which version waits for approval, and why it won; 99 if none does."""
    _require_server()
    if (decided := experiments.waiting(name)) is None:
        print(f"no version of {name} waits for approval")
        return NOTHING_TO_DO
    print(json.dumps({"version": decided.version, "champion": decided.after, "reason": decided.reason}))
    return 0


def approve(name: str) -> int:
    """Promote what somebody approved; the last line tells version and hash of the new champion."""
    written = _answered(name, "promote", experiments.approve)
    print(json.dumps({"version": str(written.version), "sha256": written.sha256}))
    return 0


def refuse(name: str) -> int:
    """Write down that somebody refused."""
    _answered(name, "refuse", experiments.refuse)
    return 0


def score(wanted: Scoring) -> int:
    """Let a champion answer for a file or a folder that the worker reaches."""
    _require_server()
    print(experiments.score(wanted.experiment, params.load(), [wanted.inputs], wanted.out).sentence)
    return 0


def prepare(chosen: Settings) -> Params:
    """Turn the checkout into that of the run: its remote, and its settings as a commit.

    Every task makes the same commit, down to its hash; only the publisher has to push it.
    """
    _require_server()
    if remote := os.environ.get(REMOTE):
        shell.use_remote(remote)
    settings.apply(chosen)
    _commit(f"Set {', '.join(settings.changes(chosen))}")
    return params.load()


def _prepare_for(stage: str, chosen: Settings) -> None:
    """Prepare the checkout for one stage, of which the rest of dvc.lock is no business."""
    values = prepare(chosen)
    lockfile.Aside().put_all_but(_lanes(values, [stage.partition("@")[2]]))


def _lanes(values: Params, names: Collection[str]) -> set[str]:
    """These names, and those of the data sets of the experiments among them."""
    return {*names, *(one.dataset for name, one in values.experiments.items() if name in names)}


def branch(run: str) -> str:
    """The name of a run as Git allows it in a branch."""
    return "runs/" + re.sub(r"[^A-Za-z0-9/_-]+", "-", run)


def _answered(name: str, action: str, move: Callable[[str, int], str]) -> "Entry":
    """Do what follows from an answer, and return its line of the ledger; a retry may find it there."""
    from evermodel.publishing import ledger

    _require_server()
    version = int(os.environ[VERSION])
    try:
        print(move(name, version))
    except EvermodelError:
        last = ledger.read(ledger.path(name))[-1:]
        if [(line.version, line.action) for line in last] != [(version, action)]:
            raise
    return ledger.read(ledger.path(name))[-1]


def _require_server() -> None:
    if not os.environ.get("MLFLOW_TRACKING_URI"):
        raise EvermodelError(
            "MLFLOW_TRACKING_URI is not set; let it name MLflow's server: a task's own folder goes with it"
        )


def _reached(stage: str, done: shell.Done) -> shell.Done:
    """What DVC did for a stage, whose inputs it must have found in the caches.

    Raises EvermodelError.
    """
    if done.code and stage not in (done.failed, *done.began):
        if not done.failed:
            raise EvermodelError(f"DVC could not look for {stage}: {done.last_words}")
        raise EvermodelError(
            f"{stage} needs {done.failed}, which has no result in DVC's remote; clear the task of that"
        )
    return done


def _commit(message: str) -> None:
    """Commit what has changed, and dvc.lock even if there was none, at the time of the commit before."""
    git("add", "--update")
    if lockfile.LOCK.exists():
        git("add", str(lockfile.LOCK))
    if git("diff", "--cached", "--name-only"):
        date = git("show", "--no-patch", "--format=%cI")
        author = AUTHOR | {"GIT_AUTHOR_DATE": date, "GIT_COMMITTER_DATE": date}
        git(
            "-c",
            "commit.gpgsign=false",
            "commit",
            "--quiet",
            "--no-verify",
            "-m",
            message,
            environment=author,
        )


def _push(run: str) -> None:
    """Push the commits of this run; if it made none, everything was published before."""
    if git("rev-parse", "HEAD") == git("rev-parse", "FETCH_HEAD"):
        print("dvc.lock is that of the commit: nothing to push")
        return
    # Pushed again by a retry, which may have more to publish than the try before.
    git("push", "--quiet", "--force", "origin", f"HEAD:refs/heads/{branch(run)}")
    print(f"pushed to the branch {branch(run)}")


def _champions(names: Sequence[str]) -> dict[str, Any]:
    """Assets of the experiments whose champion is the model of this run, with its version and hash."""
    from evermodel.publishing import registry, tracking
    from evermodel.runs import saved

    client = tracking.connect()
    champions = {name: registry.champion(client, name) for name in names}
    metadata = {name: saved.metadata(folders.model(name)) for name in names}
    return {
        f"champion.{name}": {"version": champion.version, "sha256": metadata[name].sha256}
        for name, champion in champions.items()
        if champion and registry.holds(champion, metadata[name])
    }


def _challengers(names: Sequence[str]) -> dict[str, Any]:
    """Assets of the experiments whose model of this run waits for approval, with its version and hash."""
    from evermodel.runs import saved

    asked = {name: experiments.waiting(name) for name in names}
    return {
        f"challenger.{name}": {"version": str(line.version), "sha256": line.sha256}
        for name, line in asked.items()
        if line and line.sha256 == saved.metadata(folders.model(name)).sha256
    }


def main(step: str, *names: str) -> int:
    """Do a step with the settings of EVERMODEL_SETTINGS; returns the exit code."""
    given = os.environ.get("EVERMODEL_SETTINGS", "{}")
    if step == "score":
        return score(settings.parse_scoring(given))
    chosen = settings.parse(given)
    match step:
        case "begin":
            return begin(chosen)
        case "restore":
            return restore(chosen, *names)
        case "run":
            return run(chosen, *names)
        case "watch":
            return watch()
        case "rebuild":
            return rebuild()
        case "waiting":
            return waiting(*names)
        case "approve":
            return approve(*names)
        case "refuse":
            return refuse(*names)
        case _:
            return publish(chosen, *names)


if __name__ == "__main__":
    try:
        sys.exit(main(*sys.argv[1:]))
    except EvermodelError as error:
        sys.exit(f"evermodel: {error}")
