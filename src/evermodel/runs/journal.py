"""What happened while a run was made: written to a file at once, and sent on to MLflow by another process.

The sidecar (`python -m evermodel.publishing.sidecar`) reads the journal from its standard input, so that
a tracking server that is slow or down can't hold a training up, a change of the tracking code retrains
nothing, and a training that is killed is noticed at once: the pipe ends.
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

from evermodel.runs import determinism

FOLDER = Path(".evermodel")
PATIENCE = 60.0  # seconds to wait for a sidecar that is still sending when its stage is done


def file(key: str) -> Path:
    """The journal of a run: one JSON object per line."""
    return FOLDER / "runs" / f"{key}.jsonl"


def read(key: str) -> list[dict[str, Any]]:
    """The journal's events so far; a line that a killed process tore is left out."""
    if not file(key).exists():
        return []
    lines = file(key).read_text(encoding="utf-8").splitlines()
    return [event for line in lines if (event := _event(line))]


class Journal:
    """Writes events of one stage of one run, to the file and to the sidecar."""

    def __init__(self, stage: str, key: str, sidecar: subprocess.Popen[str]) -> None:
        self.stage, self.key, self.sidecar = stage, key, sidecar
        self.epochs = {event["figures"]["epoch"] for event in read(key) if event["event"] == "epoch"}

    def epoch(self, figures: dict[str, float]) -> None:
        """Note the figures of a finished epoch, once: a resumed training tells them again."""
        if figures["epoch"] not in self.epochs:
            self.epochs.add(figures["epoch"])
            self.write("epoch", figures=figures)

    def write(self, event: str, **values: Any) -> None:
        """Append an event, with the time in milliseconds since 1970."""
        entry = {"event": event, "stage": self.stage, "time": time.time_ns() // 1_000_000, **values}
        line = json.dumps(entry) + "\n"
        _append(file(self.key), line)
        try:
            assert self.sidecar.stdin is not None
            self.sidecar.stdin.write(line)
            self.sidecar.stdin.flush()
        except OSError:
            pass  # the sidecar is gone; whoever comes next finds the line in the file


@contextmanager
def keep(stage: str, name: str, key: str) -> Iterator[Journal]:
    """The journal of one stage, followed by a sidecar until a bounded time after the stage's end."""
    FOLDER.mkdir(exist_ok=True)
    with (FOLDER / "tracking.log").open("a", encoding="utf-8") as log:
        sidecar = subprocess.Popen(
            [sys.executable, "-m", "evermodel.publishing.sidecar", name, key],
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
            text=True,
            start_new_session=True,  # Ctrl-C is for the stage; the sidecar ends when its pipe does
        )
    journal = Journal(stage, key, sidecar)
    started = time.monotonic()
    journal.write("start", machine=machine(), commit=commit())
    try:
        yield journal
    except BaseException as error:
        killed = isinstance(error, SystemExit | KeyboardInterrupt)
        journal.write("killed" if killed else "failed", reason=str(error))
        raise
    else:
        journal.write("end", seconds=round(time.monotonic() - started, 3))
    finally:
        _let_go(name, sidecar)


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
    changed = head and _git("status", "--porcelain", "--untracked-files=no", ":!dvc.lock")
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


def _let_go(name: str, sidecar: subprocess.Popen[str]) -> None:
    assert sidecar.stdin is not None
    try:
        sidecar.stdin.close()
        sidecar.wait(PATIENCE)
    except (OSError, subprocess.TimeoutExpired):
        sidecar.kill()
    if sidecar.wait() != 0:
        print(
            f"MLflow could not be told yet (see {FOLDER / 'tracking.log'}); nothing is lost, "
            f"promote@{name} sends what is missing",
            flush=True,
        )
