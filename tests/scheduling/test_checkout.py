"""A task's own checkout, with a step that says what it sees."""

import fcntl
import json
import subprocess
import threading
from contextlib import chdir

import pytest

from evermodel.core.errors import EvermodelError
from evermodel.scheduling import checkout

WHO = ("-c", "user.name=Test", "-c", "user.email=test@example.com")
STEP = """\
import json, os, pathlib, sys
pathlib.Path(os.environ["SEEN"]).write_text(json.dumps({
    "cache": os.environ["EVERMODEL_CACHE"],
    "arguments": sys.argv[1:], "version": VERSION, "folder": os.getcwd(), "kept": os.listdir(".evermodel"),
}))
pathlib.Path(".evermodel/checkpoint").touch()
sys.exit(99)
"""


@pytest.fixture
def repository(tmp_path, monkeypatch):
    """A repository whose first and second commit hold another version of the step."""
    folder = tmp_path / "repository"
    package = folder / "src/evermodel/scheduling"
    package.mkdir(parents=True)
    (folder / "src/evermodel/__init__.py").touch()
    (package / "__init__.py").touch()
    git("init", "--quiet", "--initial-branch", "main", folder=folder)
    for version in (1, 2):
        (package / "steps.py").write_text(STEP.replace("VERSION", str(version)))
        git("add", ".", folder=folder)
        git(*WHO, "commit", "--quiet", "-m", f"{version}", folder=folder)
        git("tag", f"v{version}", folder=folder)
    monkeypatch.setenv("EVERMODEL_REPOSITORY", str(folder))
    monkeypatch.setenv("EVERMODEL_WORK", str(tmp_path / "work"))
    monkeypatch.setenv("SEEN", str(tmp_path / "seen"))
    return folder


def git(*arguments, folder):
    return subprocess.run(["git", *arguments], cwd=folder, check=True, capture_output=True, text=True).stdout


def seen(tmp_path):
    return json.loads((tmp_path / "seen").read_text())


def test_the_code_of_the_commit_does_the_step_and_its_exit_code_is_told(repository, tmp_path):
    assert checkout.run("run", "experiments/x/dvc.yaml:train", commit="v1") == 99
    assert seen(tmp_path)["arguments"] == ["run", "experiments/x/dvc.yaml:train"]
    assert seen(tmp_path)["version"] == 1


@pytest.mark.parametrize("named", ["", "main", "v2", "hash"])
def test_a_commit_is_named_by_hash_tag_or_branch_and_is_the_newest_if_not_named(repository, tmp_path, named):
    commit = git("rev-parse", "v2", folder=repository).strip() if named == "hash" else named
    checkout.run("begin", commit=commit)
    assert seen(tmp_path)["version"] == 2


def test_the_checkout_is_removed_and_its_state_kept(repository, tmp_path):
    checkout.run("run", "experiments/x/dvc.yaml:train", commit="")
    assert seen(tmp_path)["kept"] == []
    assert list((tmp_path / "work/checkouts").iterdir()) == []
    checkout.run("run", "experiments/x/dvc.yaml:train", commit="")
    assert seen(tmp_path)["kept"] == ["checkpoint"]


def test_all_tasks_of_a_worker_have_one_cache(repository, tmp_path):
    for step in ("begin", "publish"):
        checkout.run(step, commit="")
        assert seen(tmp_path)["cache"] == str(tmp_path / "work/cache")


def test_what_a_killed_task_left_is_removed_first(repository, tmp_path):
    (tmp_path / "work/checkouts/run-experiments-x-dvc.yaml-train/.git").mkdir(parents=True)
    assert checkout.run("run", "experiments/x/dvc.yaml:train", commit="") == 99


def test_a_retry_waits_for_what_the_try_before_still_does(repository, tmp_path, capsys):
    (tmp_path / "work/locks").mkdir(parents=True)
    lock = (tmp_path / "work/locks/run-experiments-x-dvc.yaml-train.lock").open("w")
    fcntl.flock(lock, fcntl.LOCK_EX)
    timer = threading.Timer(1, lock.close)
    timer.start()
    assert checkout.run("run", "experiments/x/dvc.yaml:train", commit="") == 99
    timer.join()
    assert "another process of this worker does run-experiments-x-dvc.yaml-train" in capsys.readouterr().out


@pytest.mark.parametrize("scheme", ["", "file://"])
def test_the_history_of_the_default_branch_has_its_commits_and_those_of_no_other(
    repository, tmp_path, scheme
):
    git("checkout", "--quiet", "-b", "feature", "v1", folder=repository)
    git(*WHO, "commit", "--quiet", "--allow-empty", "-m", "3", folder=repository)
    git("checkout", "--quiet", "main", folder=repository)
    one, two, feature = (
        git("rev-parse", f"{name}^0", folder=repository).strip() for name in ("v1", "v2", "feature")
    )
    for name, commit, known in (("v1", one, [two, one]), ("", two, [two]), ("feature", feature, [two, one])):
        with checkout.cloned(f"{scheme}{repository}", name, tmp_path / "clone") as clone, chdir(clone):
            assert checkout.history() == known
            assert checkout.git("rev-parse", "FETCH_HEAD") == commit, "which publishing compares with"


def test_the_history_of_a_repository_that_is_shallow_itself_is_what_it_has(repository, tmp_path):
    shallow = tmp_path / "shallow"
    git("clone", "--quiet", "--depth", "1", f"file://{repository}", str(shallow), folder=tmp_path)
    with checkout.cloned(str(shallow), "", tmp_path / "clone") as clone, chdir(clone):
        assert checkout.history() == [checkout.git("rev-parse", "HEAD")]


@pytest.mark.parametrize("commit", ["nowhere", "--upload-pack=touch evil"])
def test_a_commit_that_is_not_there_is_told_in_gits_words(repository, tmp_path, commit):
    with pytest.raises(EvermodelError, match=r"`git fetch` failed: .*(couldn't find|invalid)"):
        checkout.run("begin", commit=commit)
    assert not list(tmp_path.rglob("evil"))


def test_a_worker_that_does_not_know_the_repository_says_so(monkeypatch):
    monkeypatch.delenv("EVERMODEL_REPOSITORY", raising=False)
    with pytest.raises(EvermodelError, match="EVERMODEL_REPOSITORY"):
        checkout.run("begin", commit="")


def test_no_password_is_told(monkeypatch, tmp_path):
    monkeypatch.setenv("EVERMODEL_REPOSITORY", "https://me:secret@127.0.0.1:9/nowhere.git")
    monkeypatch.setenv("EVERMODEL_WORK", str(tmp_path))
    with pytest.raises(EvermodelError) as error:
        checkout.run("begin", commit="")
    assert "secret" not in str(error.value)
