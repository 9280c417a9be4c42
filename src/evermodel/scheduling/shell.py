"""DVC's commands, run to their end even when this process is told to stop."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Set
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
from configobj import ConfigObj  # comes with DVC, which reads its settings with it

from evermodel.core.errors import EvermodelError

# That of this environment, whatever PATH says; it waits while another one reads the graph or the cache.
DVC = (sys.executable, "-m", "dvc", "--wait-for-lock")
CONFIG = Path(".dvc/config.local")
GONE = ("deleted", "not in cache")  # how DVC says that a file is not here
FINISHED = ("repro", "push")  # what is done to its end: it keeps what stages have made, and hands it on
PAUSES = (5, 10, 20, 40, 80, 160)  # seconds before a remote that was away is asked again
TICK = 0.1  # seconds between two looks at a command


@dataclass(frozen=True)
class Stage:
    """What of a stage is not here, and whether all else is as its dvc.lock says."""

    inputs: frozenset[str]
    outputs: frozenset[str]
    current: bool


def dvc(*arguments: str) -> int:
    """Run a command, which says for itself what it does; returns its exit code.

    Airflow tells the whole process group of a task to end. What has to be finished is in a group of its own:
    the running stage is told then, and DVC keeps what stages have made.
    """
    sys.stdout.flush()
    told: list[int] = []
    signal.signal(signal.SIGTERM, lambda came, _: told.append(came))
    process = psutil.Popen([*DVC, *arguments], start_new_session=arguments[0] in FINISHED)
    ended: set[psutil.Process] = set()
    while process.poll() is None:
        if told:
            ended |= end_stage(process, ended)
        time.sleep(TICK)
    return int(process.returncode)


def stage(address: str) -> int:
    """Run the script of experiments/x/dvc.yaml:train without DVC, which would miss its outputs."""
    folder, kind = Path(address.partition(":")[0]).parent, address.rpartition(":")[2]
    script = Path("pipelines/stage.sh").absolute()
    return subprocess.run(["sh", str(script), kind, folder.name], cwd=folder, check=False).returncode


def patiently(*arguments: str) -> int:
    """Run a command that needs the remote; where it fails, again after growing pauses, for five minutes."""
    code = dvc(*arguments)
    for pause in PAUSES:
        if code == 0:
            break
        print(f"`dvc {arguments[0]}` failed; it is tried again in {pause} s", flush=True)
        time.sleep(pause)
        code = dvc(*arguments)
    return code


def end_stage(command: psutil.Process, ended: Set[psutil.Process]) -> set[psutil.Process]:
    """Tell the running stage of a command to end, but for the processes that were told; returns the others.

    DVC itself, which then closes its books, is left alone: killed while it writes dvc.lock, it would leave
    half of it. So is a sidecar, which has a process group of its own and ends with its stage.
    """
    told = set()
    with suppress(psutil.NoSuchProcess, ProcessLookupError):
        for process in set(command.children(recursive=True)) - ended:
            if os.getpgid(process.pid) == command.pid:
                told.add(process)
                process.terminate()
    return told


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
