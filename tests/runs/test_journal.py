import json
import os
import subprocess
import sys

import pytest

from evermodel.runs import journal

# What stands in for the sidecar: it takes the same arguments and reads the same pipe.
FOLLOWS = 'cat > heard.jsonl; echo "$@" > arguments'
FAILS = "exit 3"
HANGS = "exec sleep 60"


@pytest.fixture
def sidecar(tmp_path, monkeypatch):
    """A function that puts a shell script in the sidecar's place."""
    monkeypatch.chdir(tmp_path)

    def replace(script):
        program = tmp_path / "sidecar"
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)
        monkeypatch.setattr(sys, "executable", str(program))

    return replace


def names(key="k"):
    return [event["event"] for event in journal.read(key)]


def test_a_run_without_a_journal_has_no_events(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert journal.read("k") == []


def test_a_stage_is_told_from_start_to_end(sidecar, tmp_path):
    sidecar(FOLLOWS)
    with journal.keep("train", "made", "k") as events:
        events.epoch({"epoch": 1, "loss": 0.5})
        assert names() == ["start", "epoch"], "what has happened is on disk at once"
    start, epoch, end = journal.read("k")
    assert (start["event"], start["stage"], start["machine"]) == ("start", "train", journal.machine())
    assert epoch["figures"] == {"epoch": 1, "loss": 0.5}
    assert end["event"] == "end"
    assert end["seconds"] >= 0
    assert start["time"] <= epoch["time"] <= end["time"]


def test_the_sidecar_hears_what_the_file_holds(sidecar, tmp_path):
    sidecar(FOLLOWS)
    with journal.keep("train", "made", "k") as events:
        events.epoch({"epoch": 1, "loss": 0.5})
    assert (tmp_path / "heard.jsonl").read_text() == journal.file("k").read_text()
    assert (tmp_path / "arguments").read_text() == "-m evermodel.publishing.sidecar made k\n"


def test_a_sidecar_that_fails_costs_the_stage_nothing(sidecar, capfd):
    sidecar(FAILS)
    with journal.keep("train", "made", "k") as events:
        for epoch in range(1, 2000):  # more than a pipe holds
            events.epoch({"epoch": epoch, "loss": 0.5})
    assert len(journal.read("k")) == 2001
    printed = capfd.readouterr().out
    assert "MLflow could not be told yet" in printed
    assert "promote@made sends what is missing" in printed


def test_a_sidecar_that_hangs_is_not_waited_for(sidecar, monkeypatch, capfd):
    sidecar(HANGS)
    monkeypatch.setattr(journal, "PATIENCE", 0.1)
    with journal.keep("train", "made", "k"):
        pass
    assert names() == ["start", "end"]
    assert "MLflow could not be told yet" in capfd.readouterr().out


def test_a_sidecar_that_was_told_everything_is_not_mentioned(sidecar, capfd):
    sidecar(FOLLOWS)
    with journal.keep("train", "made", "k"):
        pass
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


def test_a_resumed_training_tells_an_epoch_once(sidecar):
    sidecar(FOLLOWS)
    for last in (2, 3):
        with journal.keep("train", "made", "k") as events:
            for epoch in range(1, last + 1):
                events.epoch({"epoch": epoch, "loss": 1 / epoch})
    assert names() == ["start", "epoch", "epoch", "end", "start", "epoch", "end"]


def test_the_torn_last_line_of_a_killed_process_is_left_out(sidecar):
    sidecar(FOLLOWS)
    with journal.keep("train", "made", "k"):
        pass
    with journal.file("k").open("a") as stream:
        stream.write('{"event": "epo')
    assert names() == ["start", "end"]


def test_what_comes_after_a_torn_line_is_read(sidecar):
    sidecar(FOLLOWS)
    journal.file("k").parent.mkdir(parents=True)
    journal.file("k").write_text(json.dumps({"event": "start"}) + '\n{"event": "epo')
    with journal.keep("train", "made", "k"):
        pass
    assert names() == ["start", "start", "end"]


def test_runs_do_not_mix(sidecar):
    sidecar(FOLLOWS)
    with journal.keep("train", "made", "one"), journal.keep("train", "made", "two"):
        pass
    assert names("one") == names("two") == ["start", "end"]


def test_the_machine_is_described_in_words_and_numbers():
    machine = journal.machine()
    assert machine.keys() == {"platform", "processor", "cores", "python", "device"}
    assert 1 <= machine["cores"] <= os.cpu_count()
    assert all(machine.values())


def test_outside_of_git_there_is_no_commit(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert journal.commit() == "none"


@pytest.fixture
def repository(tmp_path, monkeypatch):
    """A function that calls Git in a repository with one commit of a file and of dvc.lock."""
    monkeypatch.chdir(tmp_path)
    identity = ["-c", "user.name=nobody", "-c", "user.email=nobody@example.org"]

    def git(*arguments):
        done = subprocess.run(["git", *identity, *arguments], check=True, capture_output=True, text=True)
        return done.stdout.strip()

    git("init")
    for name in ("file", "dvc.lock"):
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
    assert journal.commit() == repository("rev-parse", "HEAD")
