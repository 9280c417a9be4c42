"""Registered versions made again from their commits, for real."""

import json
import re
import signal
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest
from click.testing import Result
from mlflow.tracking import MlflowClient
from typer.testing import CliRunner

from evermodel.cli import app
from pipelines import promote
from tests.mlflow.servers import wait_for
from tests.project import Project, commit, copy_repository

pytestmark = [pytest.mark.all, pytest.mark.timeout(1200)]

NAMES = ("boston_linear", "boston_dnn")
STAGES = ["fetch", "validate", "prepare", "train", "evaluate"]
COMMIT = "evermodel.commit"


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project with two champions, in its own store."""
    made = copy_repository(tmp_path_factory.mktemp("rebuilding") / "project")
    made.keep(*NAMES, "mnist_mlp")
    made.edit("experiments/boston_dnn/params.yaml", "sample: 50", "sample: 40")  # good enough
    commit(made, "Fewer experiments and epochs")
    made.repro(*(f"experiments/{name}/dvc.yaml" for name in NAMES))
    commit(made, "What DVC wrote")
    return made


@pytest.fixture
def empty(tmp_path: Path) -> Path:
    """The folder for temporary files."""
    (tmp_path / "temporary").mkdir()
    return tmp_path / "temporary"


class Recorded:
    """The commit that a run says it was made from; called, it takes another."""

    def __init__(self, client: MlflowClient, run_id: str) -> None:
        self.client, self.run_id = client, run_id

    def __call__(self, commit: str) -> None:
        self.client.set_tag(self.run_id, COMMIT, commit)

    @property
    def commit(self) -> str:
        return self.client.get_run(self.run_id).data.tags[COMMIT]


@pytest.fixture
def recorded(trained: Project) -> Iterator[dict[str, Recorded]]:
    """What the run of each champion says; after the test it says the truth again."""
    client = MlflowClient(f"sqlite:///{trained.folder}/mlflow.db")
    versions = client.search_model_versions()
    made = {version.name: Recorded(client, version.run_id) for version in versions}
    truths = {name: one.commit for name, one in made.items()}
    yield made
    for name, truth in truths.items():
        made[name](truth)


def rebuild(project: Project, *arguments: str, **settings: str) -> Result:
    """What `evermodel rebuild` answers in this process; all that it starts are processes of their own."""
    with inside(project, **settings):
        return CliRunner().invoke(app, ["rebuild", *arguments])


def other_commit(project: Project, *edits: tuple[str, str, str], without: str = "") -> str:
    """A commit with edits or without a file, which no branch has."""
    before = project.run("git", "rev-parse", "HEAD").stdout.strip()
    for edit in edits:
        project.edit(*edit)
    if without:
        project.run("git", "rm", "--quiet", without)
    commit(project, "Another")
    made = project.run("git", "rev-parse", "HEAD").stdout.strip()
    project.run("git", "reset", "--quiet", "--hard", before)
    return made


def contents(project: Project) -> dict[str, bytes]:
    """What the registry, the ledger and the results are."""
    folders = ("mlartifacts", "data", "experiments", ".evermodel/ledger")
    files = [file for folder in folders for file in (project.folder / folder).rglob("*") if file.is_file()]
    return {str(file): file.read_bytes() for file in [project.folder / "mlflow.db", *files]}


@contextmanager
def inside(project: Project, **settings: str) -> Iterator[None]:
    """This process is in the project's folder."""
    with project.inside(**settings), pytest.MonkeyPatch.context() as patch:
        patch.setattr(tempfile, "tempdir", None)  # or it would not look for TMPDIR again
        yield


def refusal(project: Project, target: str, **settings: str) -> str:
    done = rebuild(project, target, "--json", **settings)
    assert (done.exit_code, done.stdout) == (1, "")
    assert done.stderr.startswith("evermodel: ")
    assert done.stderr.count("\n") == 1
    return done.stderr


@pytest.mark.parametrize("target", ["boston_linear@1", "boston_dnn@champion"])
def test_a_champion_is_trained_again_to_the_last_bit_and_nothing_is_left_of_it(trained, empty, target):
    before, head = contents(trained), trained.run("git", "rev-parse", "HEAD~").stdout.strip()
    done = trained.run("evermodel", "rebuild", target, "--json", check=False, TMPDIR=str(empty))
    found = json.loads(done.stdout)
    assert (done.returncode, found["comparison"]["verdict"], found["comparison"]["stage"]) == (
        0,
        "EXACT",
        None,
    )
    assert (found["version"], found["commit"]) == (1, head)
    assert found["rebuilt"] == found["recorded"]
    assert list(found["rebuilt"]["outputs"]) == STAGES
    said = re.findall(rf"^{target.partition('@')[0]}: (\w+)$", done.stderr, re.MULTILINE)
    assert said == STAGES, "everything ran, and was told"
    assert contents(trained) == before
    assert list(empty.iterdir()) == []
    assert trained.run("git", "status", "--porcelain").stdout == ""


def test_a_changed_seed_has_diverged_at_the_training_and_is_named(trained, recorded):
    recorded["boston_dnn"](other_commit(trained, ("params.yaml", "seed: 42", "seed: 43")))
    done = rebuild(trained, "boston_dnn@champion", "--json")
    found = json.loads(done.stdout)["comparison"]
    assert (done.exit_code, found["verdict"], found["stage"]) == (1, "DIVERGED", "train")
    assert found["reasons"] == ["runtime.seed was 42, the commit says 43"]


def penalised(penalty: float) -> list[tuple[str, str, str]]:
    """The edits that make another model of the same recipe."""
    file = "src/evermodel/models/linear.py"
    return [
        (file, "import LinearRegression, LogisticRegression", "import LogisticRegression, Ridge"),
        (file, "LinearRegression()", f"Ridge({penalty})"),
    ]


def test_other_code_that_does_as_well_is_equivalent_and_a_person_is_shown_how_well(trained, recorded):
    recorded["boston_linear"](other_commit(trained, *penalised(1)))
    done = rebuild(trained, "boston_linear@champion")
    assert done.exit_code == 0, done.stderr
    assert "boston_linear version 1: EQUIVALENT; train is the first stage that wrote" in done.stdout
    assert "the code of the commit is not the one that trained it" in done.stdout
    rows = {line.split()[0]: line.split()[1:] for line in done.stdout.splitlines() if len(line.split()) == 3}
    assert rows["prepare"][0] == rows["prepare"][1]
    assert rows["train"][0] != rows["train"][1]


def test_what_another_lock_made_worse_has_diverged_and_the_lock_is_named(trained, recorded):
    lock = "requirements/numbers.lock"
    (pin,) = re.findall(r"^pandas==\S+", (trained.folder / lock).read_text(), re.MULTILINE)
    recorded["boston_linear"](other_commit(trained, (lock, pin, "pandas==2.0.0"), *penalised(3000)))
    done = rebuild(trained, "boston_linear@champion", "--json")
    found = json.loads(done.stdout)["comparison"]
    assert (done.exit_code, found["verdict"], found["stage"]) == (1, "DIVERGED", "train")
    assert found["reasons"] == [
        "requirements/numbers.lock of the commit is not the one that it was trained with",
        f"of pandas, {pin.removeprefix('pandas==')} is installed, the lock of the commit says 2.0.0",
    ]


def test_a_stage_that_fails_is_named_with_its_own_words(trained, recorded, empty):
    expected = ("data/boston_housing/params.yaml", "min_rows: 400", "min_rows: 4000")
    recorded["boston_linear"](other_commit(trained, expected))
    refused = rebuild(trained, "boston_linear@champion", "--json", TMPDIR=str(empty))
    assert (refused.exit_code, refused.stdout) == (1, "")
    said = refused.stderr.splitlines()[-1]
    assert said.startswith("evermodel: in a fresh clone boston_linear failed at validate: boston_housing: ")
    assert "4000" in said
    assert list(empty.iterdir()) == []


@pytest.mark.parametrize(
    ("commit", "reason"),
    [
        ("{head}-dirty", "that were not committed; commit what makes it; then"),
        ("unknown: restored from the cache", "its commit was not recorded"),
        ("none", "its commit was not recorded"),
        ("0123456789" * 4, "can't be had here"),
    ],
)
def test_what_no_commit_makes_is_refused(trained, recorded, empty, commit, reason):
    head = trained.run("git", "rev-parse", "HEAD").stdout.strip()
    recorded["boston_dnn"](commit.format(head=head))
    assert reason in refusal(trained, "boston_dnn@champion", TMPDIR=str(empty))
    assert list(empty.iterdir()) == []


def test_a_commit_of_another_layout_is_refused_before_anything_runs(trained, recorded, empty):
    file = "experiments/boston_linear/dvc.yaml"
    recorded["boston_linear"](other_commit(trained, without=file))
    assert f"the commit has no {file}" in refusal(trained, "boston_linear@champion", TMPDIR=str(empty))
    assert list(empty.iterdir()) == []


def test_promoting_again_records_the_commit_but_never_uncommitted_changes(trained, recorded):
    recorded["boston_linear"]("unknown: restored from the cache")
    trained.edit("README.md", "Evermodel", "Evermore")
    with inside(trained):
        promote.main("boston_linear")
    assert "its commit was not recorded" in refusal(trained, "boston_linear@1")
    trained.run("git", "checkout", "--quiet", "README.md")
    with inside(trained):
        promote.main("boston_linear")
    assert recorded["boston_linear"].commit == trained.run("git", "rev-parse", "HEAD").stdout.strip()


@pytest.mark.parametrize(
    ("target", "reason"),
    [
        ("boston_dnn@7", "boston_dnn has no version 7; it has 1, champion"),
        ("boston_dnn@challenger", "has no version challenger"),
        ("mnist_mlp@champion", "mnist_mlp has no version champion; it has none"),
        ("boston_dnn", "'boston_dnn' names no version"),
        ("@champion", "names no version"),
    ],
)
def test_what_is_not_registered_is_refused(trained, target, reason):
    assert reason in refusal(trained, target)


def test_told_to_stop_it_leaves_neither_files_nor_processes(trained, empty):
    process = trained.start("evermodel", "rebuild", "boston_dnn@champion", TMPDIR=str(empty))
    family: set[psutil.Process] = set()

    def training() -> bool:
        family.update(psutil.Process(process.pid).children(recursive=True))
        return any("pipelines.train" in " ".join(_words(one)) for one in family)

    wait_for(training, "it trains")
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == 130
    wait_for(
        lambda: not any(one.is_running() and _words(one) for one in family), "all of its processes have ended"
    )
    assert list(empty.iterdir()) == []


def _words(process: psutil.Process) -> list[str]:
    """Its command; none if it has ended, though nobody may have asked for its end yet."""
    try:
        return process.cmdline()
    except psutil.NoSuchProcess:
        return []
