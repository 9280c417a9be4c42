"""A task's own checkout of the run's commit: made, used and removed by one process on one worker.

Workers share nothing but the remotes, because DVC's locks know the processes of one machine only. What a
task does in its checkout is done by the code of the checkout (see steps.py), so that a worker's installed
copy of this package never has to know a commit's models.
"""

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from evermodel.core.errors import EvermodelError
from evermodel.core.folders import STATE

REPOSITORY, REMOTE, WORK = "EVERMODEL_REPOSITORY", "EVERMODEL_REMOTE", "EVERMODEL_WORK"
NEWEST = "refs/remotes/origin/HEAD"  # where a checkout keeps the default branch
CACHE = "EVERMODEL_CACHE"  # DVC's, one for all tasks of a worker


def run(step: str, *names: str, commit: str) -> int:
    """Do a step of steps.py in a checkout of its own, and return its exit code.

    One worker does a step for the same names once at a time: a retry waits for what an orphan of the try
    before still does, and then finds its result in the cache. Raises EvermodelError.
    """
    if not (repository := os.environ.get(REPOSITORY)):
        raise EvermodelError(f"{REPOSITORY} is not set; let it say where the repository is that tasks clone")
    work = Path(os.environ.get(WORK, Path.home() / ".cache/evermodel"))
    task = re.sub(r"[^\w.-]", "-", "-".join((step, *names[:2])))
    with _alone(work / "locks", task), cloned(repository, commit, work / "checkouts" / task) as folder:
        kept = work / "state"  # checkpoints and journals, for the next try
        kept.mkdir(exist_ok=True)
        (folder / STATE).symlink_to(kept.resolve())
        return _inside(folder, work, step, *names)


def git(*arguments: str, folder: Path = Path(), environment: Mapping[str, str] | None = None) -> str:
    """What git answers; EvermodelError in its own words if it refuses."""
    done = subprocess.run(
        ["git", *arguments],
        cwd=folder,
        env=os.environ | (environment or {}),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        reason = re.sub(r"//[^/@\s]+@", "//", " ".join(done.stderr.split()))
        raise EvermodelError(f"`git {arguments[0]}` failed: {reason}")
    return done.stdout.strip()


def history() -> list[str]:
    """The commits of the repository's default branch as it is now, the newest first.

    A checkout has one commit alone: what came after it is fetched, or all if the branch does not have it.
    """
    git(
        "fetch",
        "--quiet",
        "--no-tags",
        "--no-write-fetch-head",
        "--update-shallow",
        "origin",
        f"+HEAD:{NEWEST}",
    )
    return git("rev-list", NEWEST).split()


def _alone(folder: Path, task: str) -> AbstractContextManager[object]:
    folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder / f"{task}.lock")
    try:
        return lock.acquire(timeout=0)
    except Timeout:
        print(f"another process of this worker does {task}; waiting for its end", flush=True)
        return lock.acquire()


@contextmanager
def cloned(repository: str, commit: str, folder: Path) -> Iterator[Path]:
    """The folder with the commit (or the head of the branch) of that name, and nothing else."""
    shutil.rmtree(folder, ignore_errors=True)  # a killed task left it
    folder.mkdir(parents=True)
    try:
        git("init", "--quiet", folder=folder)
        git("remote", "add", "origin", repository, folder=folder)
        git("fetch", "--quiet", "--depth", "1", "origin", "--", commit or "HEAD", folder=folder)
        git("checkout", "--quiet", "--detach", "FETCH_HEAD", folder=folder)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _inside(folder: Path, work: Path, *arguments: str) -> int:
    environment = {
        CACHE: str(work / "cache"),
        # One path per task, so that the hashes of a kept volume are found again.
        "DVC_SITE_CACHE_DIR": str(work / "site"),
        # Stages run in the environment of this command, whatever Airflow has put before it.
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)]),
        "PYTHONPATH": os.pathsep.join([str(folder / "src"), os.environ.get("PYTHONPATH", "")]),
        "PYTHONUNBUFFERED": "1",
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "evermodel.scheduling.steps", *arguments],
        cwd=folder,
        env=os.environ | environment,
    )
    # Airflow tells the whole process group to end; this process waits for the others, then cleans up.
    signal.signal(signal.SIGTERM, lambda *_: None)
    return process.wait()
