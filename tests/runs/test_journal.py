import json
import os
import signal
import subprocess
import sys
import time

import pytest

from evermodel.core import folders
from evermodel.runs import journal

# What stands in for the sidecar: it takes the same arguments and reads the same pipe.
FOLLOWS = 'cat > heard.jsonl; echo "$@" > arguments'
FAILS = "exit 3"
PYTHON = sys.executable
HANGS = "exec sleep 60"


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """Where a stage is run, on a laptop: without a server."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv(journal.SERVER, raising=False)
    return tmp_path


@pytest.fixture
def sidecar(tmp_path, monkeypatch):
    """A function that puts a shell script in the sidecar's place, and makes the first epoch a long one."""
    monkeypatch.setattr(journal, "WATCHED", -1.0)

    def replace(script):
        program = tmp_path / "sidecar"
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)
        monkeypatch.setattr(sys, "executable", str(program))

    return replace


def wait_for(happened):
    """Half a minute at most."""
    until = time.monotonic() + 30
    while not happened():
        assert time.monotonic() < until
        time.sleep(0.05)


def names(key="k"):
    return [event["event"] for event in journal.read(key)]


def test_a_run_without_a_journal_has_no_events():
    assert journal.read("k") == []


def test_a_stage_is_told_from_start_to_end():
    with journal.keep("train", "made", "k") as events:
        events.epoch({"epoch": 1, "loss": 0.5})
        assert names() == ["start", "epoch"], "what has happened is on disk at once"
    start, epoch, end = journal.read("k")
    assert (start["event"], start["stage"], start["machine"]) == ("start", "train", journal.machine())
    assert epoch["figures"] == {"epoch": 1, "loss": 0.5}
    assert end["event"] == "end"
    assert end["seconds"] >= 0
    assert start["time"] <= epoch["time"] <= end["time"]


def test_every_event_tells_how_long_the_stage_has_taken_and_computed():
    with journal.keep("train", "made", "k") as events:
        deadline = time.process_time() + 0.2
        while time.process_time() < deadline:
            pass
        events.epoch({"epoch": 1, "loss": 0.5})
    start, epoch, end = journal.read("k")
    assert start["cpu_seconds"] < 0.2 <= epoch["cpu_seconds"] <= end["cpu_seconds"]
    assert 0.1 < epoch["seconds"] <= end["seconds"]
    assert end["cpu_seconds"] < time.process_time(), "what was computed before is not the stage's"


def test_the_sidecar_of_a_long_training_hears_each_epoch_from_then_on(sidecar, folder):
    sidecar(FOLLOWS)
    with journal.keep("train", "made", "k") as events:
        for epoch in (1, 2):
            events.epoch({"epoch": epoch, "loss": 0.5})
    heard = (folder / "heard.jsonl").read_text().splitlines()
    assert heard == folders.journal("k").read_text().splitlines()[1:], "the start is in the file"
    assert (folder / "arguments").read_text() == "-m evermodel.publishing.sidecar made k\n"


def test_a_training_that_nobody_had_time_to_watch_has_no_sidecar(sidecar, folder, monkeypatch):
    sidecar(FOLLOWS)
    monkeypatch.setattr(journal, "WATCHED", 20.0)
    with journal.keep("train", "made", "k") as events:
        events.epoch({"epoch": 1, "loss": 0.5})
    assert names() == ["start", "epoch", "end"]
    assert not (folder / "arguments").exists()


@pytest.mark.parametrize("stage", ["train", "evaluate"])
def test_a_server_hears_of_a_stage_when_it_ends(sidecar, folder, monkeypatch, stage):
    sidecar(f"ls .evermodel/runs > there; {FOLLOWS}")
    monkeypatch.setenv(journal.SERVER, "http://nowhere.example")
    with journal.keep(stage, "made", "k"):
        assert not (folder / "arguments").exists()
    assert (folder / "arguments").read_text() == "-m evermodel.publishing.sidecar made k\n"
    assert (folder / "there").read_text() == "k.jsonl\n", "what it sends is written before"


def test_of_a_stage_that_fails_a_sidecar_tells_wherever_mlflow_is(sidecar, folder):
    sidecar(FOLLOWS)
    with pytest.raises(ValueError, match="too hot"), journal.keep("evaluate", "made", "k"):
        raise ValueError("too hot")
    assert (folder / "arguments").exists()


def test_a_sidecar_notices_that_its_training_was_killed(sidecar, folder):
    """Its pipe ends, whatever ended the training."""
    sidecar("cat > heard.jsonl; touch noticed")
    training = """
import os, signal
from evermodel.core import folders
from evermodel.runs import journal
journal.WATCHED = -1.0
journal.sys.executable = "./sidecar"
with journal.keep("train", "made", "k") as events:
    events.epoch({"epoch": 1, "loss": 0.5})
    os.kill(os.getpid(), signal.SIGKILL)
"""
    done = subprocess.run([PYTHON, "-c", training], check=False)
    assert done.returncode == -signal.SIGKILL
    wait_for((folder / "noticed").exists)
    assert names() == ["start", "epoch"]


def test_a_sidecar_that_fails_costs_the_stage_nothing(sidecar, capfd):
    sidecar(FAILS)
    with journal.keep("train", "made", "k") as events:
        for epoch in range(1, 2000):  # more than a pipe holds
            events.epoch({"epoch": epoch, "loss": 0.5})
    assert len(journal.read("k")) == 2001
    assert "MLflow" in capfd.readouterr().out


def test_a_sidecar_that_hangs_is_not_waited_for(sidecar, monkeypatch, capfd):
    sidecar(HANGS)
    monkeypatch.setattr(journal, "PATIENCE", 0.1)
    with journal.keep("train", "made", "k") as events:
        events.epoch({"epoch": 1, "loss": 0.5})
    assert names() == ["start", "epoch", "end"]
    assert "MLflow" in capfd.readouterr().out


def test_a_sidecar_that_was_told_everything_is_not_mentioned(sidecar, capfd):
    sidecar(FOLLOWS)
    with journal.keep("train", "made", "k") as events:
        events.epoch({"epoch": 1, "loss": 0.5})
    assert capfd.readouterr().out == ""


@pytest.mark.parametrize(
    ("error", "event"),
    [(ValueError("too hot"), "failed"), (KeyboardInterrupt(), "killed"), (SystemExit(143), "killed")],
)
def test_a_stage_that_breaks_off_says_how(sidecar, error, event):
    sidecar(FOLLOWS)
    with pytest.raises(type(error)), journal.keep("train", "made", "k"):
        raise error
    assert names() == ["start", event]
    assert journal.read("k")[-1]["reason"] == str(error)


def test_a_resumed_training_tells_an_epoch_once():
    for last in (2, 3):
        with journal.keep("train", "made", "k") as events:
            for epoch in range(1, last + 1):
                events.epoch({"epoch": epoch, "loss": 1 / epoch})
    assert names() == ["start", "epoch", "epoch", "end", "start", "epoch", "end"]


def test_the_torn_last_line_of_a_killed_process_is_left_out():
    with journal.keep("train", "made", "k"):
        pass
    with folders.journal("k").open("a") as stream:
        stream.write('{"event": "epo')
    assert names() == ["start", "end"]


def test_what_comes_after_a_torn_line_is_read():
    folders.journal("k").parent.mkdir(parents=True)
    folders.journal("k").write_text(json.dumps({"event": "start"}) + '\n{"event": "epo')
    with journal.keep("train", "made", "k"):
        pass
    assert names() == ["start", "start", "end"]


def test_runs_do_not_mix():
    with journal.keep("train", "made", "one"), journal.keep("train", "made", "two"):
        pass
    assert names("one") == names("two") == ["start", "end"]


def test_the_machine_is_described_in_words_and_numbers():
    machine = journal.machine()
    assert machine.keys() == {"platform", "processor", "cores", "python", "device"}
    assert 1 <= machine["cores"] <= os.cpu_count()
    assert all(machine.values())


def test_outside_of_git_there_is_no_commit():
    assert journal.commit() == "none"


@pytest.fixture
def repository(tmp_path):
    """A function that calls Git in a repository with one commit of a file and of two dvc.lock."""
    identity = ["-c", "user.name=nobody", "-c", "user.email=nobody@example.org"]

    def git(*arguments):
        done = subprocess.run(["git", *identity, *arguments], check=True, capture_output=True, text=True)
        return done.stdout.strip()

    git("init")
    (tmp_path / "experiments/mine").mkdir(parents=True)
    for name in ("file", "dvc.lock", "experiments/mine/dvc.lock"):
        (tmp_path / name).write_text("one")
    git("add", ".")
    git("commit", "--message", "first")
    return git


def test_a_commit_is_dirty_when_a_tracked_file_differs(repository, tmp_path):
    repository("tag", "--annotate", "v1", "--message", "a tag does not hide the commit")
    head = repository("rev-parse", "HEAD")
    assert journal.commit() == head
    (tmp_path / "untracked").touch()
    assert journal.commit() == head
    (tmp_path / "file").write_text("two")
    assert journal.commit() == f"{head}-dirty"


def test_what_dvc_writes_between_two_stages_makes_no_commit_dirty(repository, tmp_path):
    (tmp_path / "dvc.lock").write_text("two")
    (tmp_path / "experiments/mine/dvc.lock").write_text("two")
    assert journal.commit() == repository("rev-parse", "HEAD")
