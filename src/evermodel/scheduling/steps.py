"""What the tasks of a scheduled run do, each in a fresh checkout of the run's commit as current folder.

`python -m evermodel.scheduling.steps STEP NAME…`; checkout.py runs it so. A stage or all stages of a file are
named as DVC does: experiments/x/dvc.yaml:train, data/d/dvc.yaml.
"""

import json
import os
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

from evermodel import experiments, repository
from evermodel.core import folders
from evermodel.core.errors import EvermodelError
from evermodel.scheduling import handover, settings, shell
from evermodel.scheduling.checkout import CACHE, REMOTE, git
from evermodel.scheduling.settings import Scoring, Settings

if TYPE_CHECKING:
    from evermodel.publishing.ledger import Entry

NOTHING_TO_DO = 99  # the exit code that Airflow shows as "skipped"
MISSING = 1  # the exit code of `dvc pull` where neither cache nor remote has a file
PIPELINE, PROMOTE = "dvc.yaml", "promote"
MADE = (f"{folders.DATASETS}/", f"{folders.EXPERIMENTS}/")  # where stages write; what else they need is code
VERSION = "EVERMODEL_VERSION"  # that somebody was asked about
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

    The last line hands over their dvc.lock.
    """
    prepare(chosen)
    handover.receive()
    _pull(address, results=not chosen.force)
    forced = ["--force"] if chosen.force else []
    # What this worker has made before, and could not push, is in the run cache of its own.
    if code := shell.dvc("repro", "--single-item", *forced, address) or shell.dvc("push", address):
        return code
    print(handover.tell(_pipeline(address)))
    return 0


def publish(chosen: Settings, *names: str) -> int:
    """Promote what the tasks before have made, and push its dvc.lock files to a branch named after the run.

    Experiments without result are left out; the task that failed to make it has said why. The last line tells
    which models of this run are champions, and which wait for approval.
    """
    prepare(chosen)
    known = repository.load()
    wanted = names or chosen.experiments or tuple(known.experiments)
    datasets = {name: known.experiment(name).dataset for name in wanted}
    handover.receive()
    files = [str(_of_experiment(name)) for name in wanted]
    files += sorted({str(folders.dataset(name) / PIPELINE) for name in datasets.values()})
    if shell.dvc("pull", "--allow-missing", *files):
        raise EvermodelError("DVC could not fetch the results; its last lines say why")
    stale = {_pipeline(one) for one in shell.changed(*files) if not one.endswith(f":{PROMOTE}")}
    ready = [
        name
        for name, dataset in datasets.items()
        if not stale & {_of_experiment(name), folders.dataset(dataset) / PIPELINE}
    ]
    for name in sorted(set(wanted) - set(ready)):
        print(f"{name} has no result and is left out")
    if not ready:
        return NOTHING_TO_DO
    promotions = [f"{_of_experiment(name)}:{PROMOTE}" for name in ready]
    code = shell.dvc("repro", "--single-item", "--keep-going", *promotions)
    locks = {folders.experiment(name) for name in ready} | {folders.dataset(datasets[name]) for name in ready}
    _commit(f"Retrain {', '.join(ready)}", *(str(folder / handover.LOCK) for folder in sorted(locks)))
    _push(os.environ["EVERMODEL_RUN"])
    print(json.dumps(_champions(ready) | _challengers(ready)))
    return code


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

    _require_server()
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


def reject(name: str) -> int:
    """Write down that somebody said no."""
    _answered(name, "reject", experiments.reject)
    return 0


def score(wanted: Scoring) -> int:
    """Let a champion answer for a file or a folder that the worker reaches."""
    _require_server()
    print(experiments.score(wanted.experiment, repository.load(), [wanted.inputs], wanted.out).sentence)
    return 0


def prepare(chosen: Settings) -> None:
    """Turn the checkout into that of the run: its remote, its cache, and its settings as a commit.

    Every task makes the same commit, down to its hash; only the publisher has to push it.
    """
    _require_server()
    shell.configure(os.environ.get(REMOTE), os.environ.get(CACHE))
    settings.apply(chosen)
    _commit(f"Set {', '.join(settings.changes(chosen))}", "--update")


def _pull(address: str, results: bool = True) -> None:
    """Put the inputs of stages in place, and their results where nothing but these is missing.

    Raises EvermodelError that names the tasks to clear if nobody has an input.
    """
    found = shell.changed(str(_pipeline(address)))
    own = {stage: one for stage, one in found.items() if address in (stage, str(_pipeline(stage)))}
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


def _task(file: str, stages: Mapping[str, shell.Stage]) -> str:
    """The task that makes a file: of a data set, or of the experiment whose stages are given."""
    folder, name = Path(file).parts[:2]
    if folder == str(folders.DATASETS):
        return f"{name}.{folder}"
    maker = next((stage for stage, one in stages.items() if file in one.outputs), "")
    return f"{name}.{maker.rpartition(':')[2]}"


def _pipeline(address: str) -> Path:
    """The dvc.yaml of stages."""
    return Path(address.partition(":")[0])


def _of_experiment(name: str) -> Path:
    return folders.experiment(name) / PIPELINE


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
        last = ledger.read(folders.ledger(name))[-1:]
        if [(line.version, line.action) for line in last] != [(version, action)]:
            raise
    return ledger.read(folders.ledger(name))[-1]


def _require_server() -> None:
    if not os.environ.get("MLFLOW_TRACKING_URI"):
        raise EvermodelError(
            "MLFLOW_TRACKING_URI is not set; let it name MLflow's server: a task's own folder goes with it"
        )


def _commit(message: str, *what: str) -> None:
    """Commit what has changed of it, at the time of the commit before."""
    git("add", *what)
    if git("diff", "--cached", "--name-only"):
        date = git("show", "--no-patch", "--format=%cI")
        author = AUTHOR | {"GIT_AUTHOR_DATE": date, "GIT_COMMITTER_DATE": date}
        options = ("--quiet", "--no-verify", "-m", message)
        git("-c", "commit.gpgsign=false", "commit", *options, environment=author)


def _push(run: str) -> None:
    """Push the commits of this run; if it made none, everything was published before."""
    if git("rev-parse", "HEAD") == git("rev-parse", "FETCH_HEAD"):
        print("the commit has all results: nothing to push")
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
        case "find":
            return find(chosen, *names)
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
        case "reject":
            return reject(*names)
        case _:
            return publish(chosen, *names)


if __name__ == "__main__":
    try:
        sys.exit(main(*sys.argv[1:]))
    except EvermodelError as error:
        sys.exit(f"evermodel: {error}")
