import shutil
import subprocess

import pytest

from evermodel.core import folders
from evermodel.core.errors import EvermodelError
from evermodel.publishing import anchor, ledger
from evermodel.publishing.ledger import Entry

NAME = "fashion_cnn"


@pytest.fixture(autouse=True)
def here(workspace):
    """A repository without a ledger."""
    git("init", "--quiet")


def git(*arguments):
    who = ("-c", "user.name=Test", "-c", "user.email=test@example.com")
    return subprocess.run(["git", *who, *arguments], check=True, capture_output=True, text=True).stdout


def decide(version, name=NAME, why="it won"):
    """Write a line."""
    with ledger.held(name) as book:
        values = {"time": "2026-01-02T03:04:05+00:00", "who": "ann@here", "commit": "c0ffee", "reason": why}
        moved = {"action": "promote", "version": version, "before": book.champion, "after": version}
        book.append(Entry.model_validate(values | moved))


def publish(*lines, branch="main"):
    """Commit as a run does, on a branch of its own; returns the commit."""
    git("checkout", "--quiet", "-B", branch)
    message = "\n".join(["Retrain it", "", *lines])
    git("commit", "--quiet", "--allow-empty", "-m", message)
    return git("rev-parse", "--short", "HEAD").strip()


def require(shared=True, name=NAME):
    return anchor.require(name, ledger.read(folders.ledger(name)), shared)


def rewrite(*reasons):
    """Write the ledger anew, as consistent as the old one."""
    folders.ledger(NAME).unlink()
    for version, why in enumerate(reasons, start=1):
        decide(version, why=why)


def test_a_trailer_names_the_head_of_each_ledger_that_says_anything():
    decide(1)
    decide(2)
    decide(1, "unet")
    first, head = ledger.read(folders.ledger(NAME))
    (only,) = ledger.read(folders.ledger("unet"))
    assert anchor.trailers([NAME, "nobody", "unet"]) == [
        f"Evermodel-Ledger: {NAME} {first.hash[:8]} 2 {head.hash}",
        f"Evermodel-Ledger: unet {only.hash[:8]} 1 {only.hash}",
    ]


def test_a_ledger_that_goes_on_is_named_up_to_the_line_that_a_commit_knew():
    assert require() == "none of them named by a commit"
    decide(1)
    decide(1, "unet")
    assert require() == "none of them named by a commit"
    publish(*anchor.trailers([NAME, "unet"]))
    decide(2)
    publish(*anchor.trailers([NAME, "unet"]), branch="runs/second")
    decide(3)
    assert require() == "named by a commit up to line 2"
    assert require(name="unet") == "named by a commit up to line 1"


def test_a_ledger_that_was_rewritten_or_cut_is_told_with_the_commit_that_knew_better():
    for version in (1, 2):
        decide(version)
    commit = publish(*anchor.trailers([NAME]), branch="runs/now")
    publish(branch="main")
    rewrite("it won", "it was bribed", "it won")
    with pytest.raises(EvermodelError, match=f"line 2 of the ledger of {NAME} .* commit {commit} names"):
        require()
    rewrite("it won")
    with pytest.raises(EvermodelError, match=f"line 2 of the ledger of {NAME} .* commit {commit} names"):
        require(shared=False)


def test_a_ledger_that_was_written_anew_from_the_first_line_on_is_none_that_a_commit_names():
    decide(1)
    commit = publish(*anchor.trailers([NAME]))
    rewrite("it was bribed")
    with pytest.raises(EvermodelError, match=f"commit {commit} names another ledger of {NAME}"):
        require()
    assert require(shared=False) == "none of them named by a commit", "a clone has a registry of its own"
    publish(*anchor.trailers([NAME]))
    assert require() == "named by a commit up to line 1", "begun anew on purpose"


@pytest.mark.parametrize("odd", ["x", "", f"{NAME} 12345678 one cafe", f"{NAME}", f"{NAME}2 12345678 1 cafe"])
def test_a_trailer_that_nobody_here_wrote_is_no_witness(odd):
    decide(1)
    publish(f"{anchor.KEY}: {odd}")
    assert require() == "none of them named by a commit"


def test_where_no_git_is_nothing_can_be_held_against_it():
    decide(1)
    shutil.rmtree(".git")
    assert require() == "none of them named by a commit"
