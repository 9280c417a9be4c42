"""What a run publishes: the results that there are, what the registry says of them, and a branch."""

import os
import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any

from evermodel import experiments
from evermodel.core import folders
from evermodel.core.errors import EvermodelError
from evermodel.publishing import anchor, policy
from evermodel.scheduling import addresses, settings, shell
from evermodel.scheduling.checkout import git, history
from evermodel.scheduling.settings import Settings
from evermodel.scheduling.shell import Stage


def collect(made: Mapping[str, str]) -> dict[str, str]:
    """Fetch the results of experiments, given with their data sets; returns what is wrong with which."""
    needed = {name: addresses.pipelines(name, dataset) for name, dataset in made.items()}
    files = sorted({str(file) for pair in needed.values() for file in pair})
    if shell.patiently("pull", "--allow-missing", *files):
        shell.dvc("checkout", "--allow-missing", *files)  # what this worker has itself
    faults: dict[str, list[str]] = {}
    for address, stage in shell.changed(*files).items():
        for name, pair in needed.items():
            if addresses.pipeline(address) in pair and address != addresses.promotion(name):
                faults.setdefault(name, []).append(_fault(address, stage))
    return {name: ". ".join(told) for name, told in faults.items()}


def _fault(address: str, stage: Stage) -> str:
    """What is wrong with the result of a stage, and which task makes it anew."""
    files = " and ".join(sorted(stage.outputs))
    wrong = (
        f"neither this worker's cache nor DVC's remote has all of {files}"
        if files
        else f"{address} was made from something else than this run has by now"
    )
    return f"{wrong}; clear the task {addresses.task(address)} with all after it"


def promote(chosen: Settings, ready: Mapping[str, str]) -> dict[str, str]:
    """Ask the registry about experiments, given with their data sets; returns what is wrong with which.

    Policy and code of a promotion are those of the default branch. So nobody is asked about a commit that is
    not in its history; and where a form has changed what judges, or named a commit that the branch has left
    behind, the answer is a report alone.
    """
    commit, known = git("rev-parse", "FETCH_HEAD"), history()
    if commit not in known:
        print(f"{commit[:12]} is not in the history of the default branch; nothing is promoted before it is")
        return {}
    behind = chosen.commit and commit != known[0]
    older = f"{commit[:12]} is not the head of the default branch" if behind else ""
    asked: dict[str, list[str]] = {}
    for name, dataset in ready.items():
        changed = ", ".join(settings.judging(chosen, name, dataset))
        asked.setdefault(older or (changed and f"the form of the run says {changed}"), []).append(name)
    failed = [name for reason, names in asked.items() for name in _failed_promotions(reason, names)]
    return dict.fromkeys(failed, "its promotion failed, and the log of publish says why; clear that task")


def _failed_promotions(report_only: str, names: Iterable[str]) -> list[str]:
    os.environ[policy.REPORT_ONLY] = report_only
    promotions = {addresses.promotion(name): name for name in names}
    if not shell.dvc("repro", "--single-item", "--keep-going", *promotions):
        return []
    return [promotions[address] for address in shell.changed(*promotions)]


def heads(names: Iterable[str]) -> list[str]:
    """The trailers that put the heads of the experiments' ledgers into a commit.

    A ledger that was edited has none; the promotion that reads it fails, and says so.
    """
    found: list[str] = []
    for name in names:
        with suppress(EvermodelError):
            found += anchor.trailers([name])
    return found


def push(run: str) -> None:
    """Push the commits of this run; if it made none, everything was published before."""
    if git("rev-parse", "HEAD") == git("rev-parse", "FETCH_HEAD"):
        print("the commit has all results: nothing to push")
        return
    # Pushed again by a retry, which may have more to publish than the try before.
    git("push", "--quiet", "--force", "origin", f"HEAD:refs/heads/{branch(run)}")
    print(f"pushed to the branch {branch(run)}")


def branch(run: str) -> str:
    """The name of a run as Git allows it in a branch."""
    return "runs/" + re.sub(r"[^A-Za-z0-9/_-]+", "-", run)


def assets(names: Iterable[str]) -> dict[str, Any]:
    """The assets of this run's models that are champions, or wait for approval, with version and hash.

    Raises EvermodelError if MLflow does not answer.
    """
    from evermodel.publishing import registry, tracking
    from evermodel.runs import saved

    found = {}
    with tracking.answering():
        client = tracking.connect()
        for name in names:
            metadata = saved.metadata(folders.model(name))
            champion, asked = registry.champion(client, name), experiments.waiting(name)
            if champion and registry.holds(champion, metadata):
                found[f"champion.{name}"] = {"version": champion.version, "sha256": metadata.sha256}
            if asked and asked.sha256 == metadata.sha256:
                found[f"challenger.{name}"] = {"version": str(asked.version), "sha256": metadata.sha256}
    return found
