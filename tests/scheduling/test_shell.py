"""DVC's commands where a worker is told to stop or its remote is away, with a program in DVC's place."""

import os
import signal
import subprocess
import sys
import time

import pytest

from evermodel.scheduling import shell

CALL = """\
import sys
from evermodel.scheduling import shell
shell.DVC = (sys.executable, "dvc.py")
sys.exit(shell.dvc(sys.argv[1]))
"""
# `repro` runs a stage, which takes a minute, and closes its books; all others are on their way for a while.
DVC = """\
import pathlib, subprocess, sys, time
stage = "import pathlib, time; pathlib.Path('running').touch(); time.sleep(60)"
if sys.argv[1] == "repro":
    code = subprocess.run([sys.executable, "-c", stage]).returncode
    pathlib.Path("stage").write_text(str(code))
else:
    code = pathlib.Path("running").touch()
time.sleep(1)
pathlib.Path("ended").touch()
sys.exit(code)
"""


@pytest.fixture
def told_to_stop(tmp_path):
    """A function that calls a command, tells its process group to end, and returns its exit code."""
    (tmp_path / "dvc.py").write_text(DVC)

    def call(command):
        process = subprocess.Popen(
            [sys.executable, "-c", CALL, command], cwd=tmp_path, start_new_session=True
        )
        while not (tmp_path / "running").exists():
            assert process.poll() is None
            time.sleep(0.05)
        os.killpg(process.pid, signal.SIGTERM)
        return process.wait(60)

    return call


def test_a_push_is_finished(told_to_stop, tmp_path):
    assert told_to_stop("push") == 0
    assert (tmp_path / "ended").exists()


def test_a_stage_is_ended_and_dvc_closes_its_books(told_to_stop, tmp_path):
    assert told_to_stop("repro") != 0
    assert (tmp_path / "stage").read_text() == str(-signal.SIGTERM)
    assert (tmp_path / "ended").exists()


def test_what_a_task_fetches_is_of_no_use_any_more(told_to_stop, tmp_path):
    assert told_to_stop("pull") != 0
    assert not (tmp_path / "ended").exists()


@pytest.mark.parametrize(("codes", "expected"), [([0], 0), ([1, 255, 0, 0], 0), ([1, 1, 1], 1)])
def test_a_remote_that_is_away_is_asked_again_after_growing_pauses(monkeypatch, capsys, codes, expected):
    left, waited = list(codes), []
    monkeypatch.setattr(shell, "dvc", lambda *arguments: left.pop(0))
    monkeypatch.setattr(shell, "PAUSES", (5, 10))
    monkeypatch.setattr(time, "sleep", waited.append)
    assert shell.patiently("push", "experiments/x/dvc.yaml:train") == expected
    asked = len(codes) - len(left)
    assert waited == [5, 10][: asked - 1]
    assert capsys.readouterr().out.count("`dvc push` failed") == asked - 1


def test_a_remote_may_be_away_for_minutes():
    assert list(shell.PAUSES) == sorted(shell.PAUSES)
    assert sum(shell.PAUSES) > 300
