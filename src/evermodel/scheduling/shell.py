"""DVC's commands, run to their end even when this process is told to stop."""

import json
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from configobj import ConfigObj  # comes with DVC, which reads its settings with it

from evermodel.core.errors import EvermodelError

# That of this environment, whatever PATH says; it waits while another one reads the graph or the cache.
DVC = (sys.executable, "-m", "dvc", "--wait-for-lock")
CONFIG = Path(".dvc/config.local")
GONE = ("deleted", "not in cache")  # how DVC says that a file is not here


@dataclass(frozen=True)
class Stage:
    """What of a stage is not here, and whether all else is as its dvc.lock says."""

    inputs: frozenset[str]
    outputs: frozenset[str]
    current: bool


def dvc(*arguments: str) -> int:
    """Run a command, which says for itself what it does; returns its exit code."""
    sys.stdout.flush()
    process = subprocess.Popen([*DVC, *arguments])
    # Airflow tells the whole process group to end. A stage does that by itself, and is waited for.
    signal.signal(signal.SIGTERM, lambda *_: None)
    return process.wait()


def changed(*addresses: str) -> dict[str, Stage]:
    """Those of the stages that have changed or are not here; EvermodelError if DVC can't tell."""
    told: dict[str, list[Any]] = json.loads(answer("status", "--json", *addresses))
    return {address: _stage(changes) for address, changes in told.items()}


def has_remote() -> bool:
    """Whether DVC has a remote that is used where none is named."""
    try:
        return bool(answer("remote", "default"))
    except EvermodelError:
        return False


def answer(*arguments: str) -> str:
    """What a command tells of what is here; EvermodelError in its own words if it refuses."""
    done = subprocess.run([*DVC, *arguments], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise EvermodelError(f"`dvc {arguments[0]}` failed: {' '.join(done.stderr.split())}")
    return done.stdout


def configure(remote: str | None, cache: str | None) -> None:
    """Say where this checkout's remote and cache are, if they are not those that DVC knows of.

    As `dvc remote add --local --default` and `dvc cache dir --local` do in half a second each.
    """
    settings: dict[str, dict[str, str]] = {}
    if remote:
        settings |= {"core": {"remote": "evermodel"}, 'remote "evermodel"': {"url": remote}}
    if cache:
        settings |= {"cache": {"dir": str(Path(cache).absolute())}}
    with CONFIG.open("wb") as file:
        ConfigObj(settings, encoding="utf-8").write(file)


def _stage(changes: list[Any]) -> Stage:
    """changes: such as {"changed deps": {path: "deleted"}} or "changed command"."""
    named = [change for change in changes if isinstance(change, Mapping)]

    def gone(kind: str) -> frozenset[str]:
        return frozenset(
            path for change in named for path, how in change.get(kind, {}).items() if how in GONE
        )

    hows = [how for change in named for files in change.values() for how in files.values()]
    current = len(named) == len(changes) and all(how in GONE for how in hows)
    return Stage(gone("changed deps"), gone("changed outs"), current)
