"""What happened while a run was made: written to a file at once, and sent on to MLflow by another process.

The sidecar (`python -m evermodel.publishing.sidecar`) reads the journal from its standard input, so that
a tracking server that is slow or down can't hold a training up, a change of the tracking code retrains
nothing, and a training that is killed is noticed at once: the pipe ends. What ends too soon to be watched
needs none: `promote` sends what the file holds.
"""

import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from evermodel.core import folders
from evermodel.runs import determinism

LOG = folders.STATE / "tracking.log"  # what sidecars say
SERVER = "MLFLOW_TRACKING_URI"  # names one: whoever promotes may do so on another machine, without the file
WATCHED = 20.0  # seconds after which somebody may want to see how a training goes
PATIENCE = 60.0  # seconds to wait for a sidecar that is still sending when its stage is done


def read(key: str) -> list[dict[str, Any]]:
    """The journal's events so far; a line that a killed process tore is left out."""
    if not (file := folders.journal(key)).exists():
        return []
    lines = file.read_text(encoding="utf-8").splitlines()
    return [event for line in lines if (event := _event(line))]


class Journal:
    """Writes events of one stage of one run to the file, and to the sidecar while there is one."""

    def __init__(self, stage: str, name: str, key: str) -> None:
        self.stage, self.name, self.key = stage, name, key
        self.started, self.processed = time.monotonic(), time.process_time()
        self.sidecar: subprocess.Popen[str] | None = None
        self.epochs = {event["figures"]["epoch"] for event in read(key) if event["event"] == "epoch"}

    def epoch(self, figures: dict[str, float]) -> None:
        """Note the figures of a finished epoch, once: a resumed training tells them again."""
        if figures["epoch"] in self.epochs:
            return
        self.epochs.add(figures["epoch"])
        if time.monotonic() - self.started > WATCHED:
            self.follow()
        self.write("epoch", figures=figures)

    def write(self, event: str, **values: Any) -> None:
        """Append an event, with the time in milliseconds since 1970.

        And with the seconds since the stage began, and those that the threads of this process have computed.
        """
        spent = {
            "seconds": round(time.monotonic() - self.started, 3),
            "cpu_seconds": round(time.process_time() - self.processed, 3),
        }
        now = time.time_ns() // 1_000_000
        entry = {"event": event, "stage": self.stage, "time": now, **spent, **values}
        line = json.dumps(entry) + "\n"
        _append(folders.journal(self.key), line)
        if self.sidecar is None or self.sidecar.stdin is None:
            return
        try:
            self.sidecar.stdin.write(line)
            self.sidecar.stdin.flush()
        except OSError:
            pass  # the sidecar is gone; whoever comes next finds the line in the file

    def follow(self) -> None:
        """Start a sidecar, unless there is one; what it has missed it finds in the file."""
        if self.sidecar:
            return
        with LOG.open("a", encoding="utf-8") as log:
            self.sidecar = subprocess.Popen(
                [sys.executable, "-m", "evermodel.publishing.sidecar", self.name, self.key],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                text=True,
                start_new_session=True,  # Ctrl-C is for the stage; the sidecar ends when its pipe does
            )

    def close(self) -> None:
        """Wait a bounded time for the sidecar to send the rest."""
        if self.sidecar is None or self.sidecar.stdin is None:
            return
        try:
            self.sidecar.stdin.close()
            self.sidecar.wait(PATIENCE)
        except (OSError, subprocess.TimeoutExpired):
            self.sidecar.kill()
        if self.sidecar.wait() != 0:
            print(
                f"MLflow could not be told yet (see {LOG}); nothing is lost: "
                f"promote of {self.name} sends what is missing",
                flush=True,
            )


@contextmanager
def keep(stage: str, name: str, key: str) -> Iterator[Journal]:
    """The journal of one stage; what failed, and what a server has to know, is sent when it ends."""
    journal = Journal(stage, name, key)
    journal.write("start", machine=machine(), commit=commit())
    try:
        yield journal
    except BaseException as error:
        killed = isinstance(error, SystemExit | KeyboardInterrupt)
        journal.write("killed" if killed else "failed", reason=str(error))
        journal.follow()
        raise
    else:
        journal.write("end")
        if os.environ.get(SERVER):
            journal.follow()
    finally:
        journal.close()


def machine() -> dict[str, str | int]:
    """The machine that a run was made on."""
    return {
        "platform": platform.platform(),
        "processor": platform.processor() or platform.machine(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1,
        "python": platform.python_version(),
        "device": determinism.device(),
    }


def commit() -> str:
    """The commit checked out, with "-dirty" if tracked files differ from it; "none" outside of Git.

    dvc.lock does not count: DVC itself writes it between two stages.
    """
    head = _git("rev-parse", "--verify", "--quiet", "HEAD")
    changed = head and _git("status", "--porcelain", "--untracked-files=no", ":!*dvc.lock")
    return f"{head or 'none'}{'-dirty' if changed else ''}"


def _git(*arguments: str) -> str:
    done = subprocess.run(["git", *arguments], capture_output=True, text=True, check=False)
    return done.stdout.strip()


def _event(line: str) -> dict[str, Any] | None:
    try:
        return dict(json.loads(line))
    except ValueError:
        return None


def _append(path: Path, line: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+b") as stream:
        if stream.tell() and not _ends_a_line(stream):
            stream.write(b"\n")
        stream.write(line.encode())


def _ends_a_line(stream: Any) -> bool:
    stream.seek(-1, os.SEEK_END)
    return bool(stream.read(1) == b"\n")
