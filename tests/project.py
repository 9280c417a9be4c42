"""Copies of the repository in which everything has run once on the embedded data."""

import os
import re
import shutil
import signal
import subprocess
import sys
import zlib
from collections.abc import Iterator
from contextlib import chdir, contextmanager
from pathlib import Path
from unittest.mock import patch

import pytest
import yaml

ROOT = Path(__file__).parents[1]
# What `make test` runs for real: a table, scikit-learn and a small network.
TWO = ("boston_linear", "boston_dnn")
# What `make test-all` runs: a text, digits, garments, masks, convolutions, and what makes, writes and draws.
FEW = (*TWO, "mnist_mlp", "imdb_linear", "fashion_cnn", "unet", "gan", "char_rnn", "text_to_image")


def pytest_addoption(parser: pytest.Parser) -> None:
    """The zoo is large: CI takes another part of it with each commit."""
    parser.addoption("--part", default="1/1", help="of the zoo: 2/4 is the second of four parts")


def in_part(config: pytest.Config, name: str) -> bool:
    """Whether an experiment, an architecture or a sample belongs to the part of the zoo that is asked for."""
    part, parts = map(int, config.getoption("--part").split("/"))
    return zlib.crc32(name.encode()) % parts == part - 1


class Project:
    """A checkout of its own, with the tests' environment and nobody else's settings."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.stages: list[str] = []  # that ran when everything did

    def environment(self, **extra: str) -> dict[str, str]:
        """The machine's environment without settings of these tools, and an empty home."""
        foreign = ("EVERMODEL_", "MLFLOW_", "DVC_", "PYTEST_", "PYTHONDONTWRITE")
        kept = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
        home = self.folder.parent / "home"
        home.mkdir(exist_ok=True)
        return kept | {
            "HOME": str(home),
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "PYTHONPATH": "src",
            **extra,
        }

    def run(self, *command: str, check: bool = True, **extra: str) -> subprocess.CompletedProcess[str]:
        """Run a command as a user would in the project's folder."""
        environment = self.environment(**extra)
        done = subprocess.run(
            command, cwd=self.folder, env=environment, capture_output=True, text=True, check=False
        )
        assert not check or done.returncode == 0, (
            f"{command} failed:\n{done.stdout[-4000:]}\n{done.stderr[-4000:]}"
        )
        return done

    def copied(self, folder: Path) -> "Project":
        """A copy of it, as it is now, in a folder."""
        shutil.copytree(self.folder, folder / "project", symlinks=True)
        return Project(folder / "project")

    @contextmanager
    def inside(self, **settings: str) -> Iterator[None]:
        """This process is in the project's folder; a new one would import libraries for seconds."""
        # MLflow keeps a store's connections under its address, so a relative one would be another project's.
        own = {"PYTHONPATH": "src", "MLFLOW_TRACKING_URI": f"sqlite:///{self.folder}/mlflow.db"}
        # The whole environment is put back, since what runs here sets variables, too.
        with chdir(self.folder), patch.dict(os.environ, own | settings):
            yield

    def start(self, *command: str, **extra: str) -> subprocess.Popen[str]:
        """Start a command in a process group of its own."""
        return subprocess.Popen(
            command,
            cwd=self.folder,
            env=self.environment(**extra),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            text=True,
            start_new_session=True,
        )

    def kill_group(self, process: subprocess.Popen[str], how: signal.Signals) -> None:
        """Signal a started command and all its children, and wait for its end."""
        os.killpg(process.pid, how)
        process.wait(60)

    def repro(self, *arguments: str, check: bool = True, **extra: str) -> list[str]:
        """The stages that `dvc repro` ran."""
        return self.ran(self.run("dvc", "repro", *arguments, check=check, **extra).stdout)

    @staticmethod
    def ran(output: str) -> list[str]:
        """The stages that DVC says it ran."""
        return re.findall(r"^Running stage '(.+)':", output, re.MULTILINE)

    def keep(self, *names: str) -> None:
        """Delete all other experiments, and the data sets that only they use, and commit that."""
        used = {yaml.safe_load(self.params(name).read_text())["dataset"] for name in names}
        for parent, kept in (("experiments", names), ("data", used)):
            for folder in (self.folder / parent).iterdir():
                if folder.is_dir() and folder.name not in kept:
                    shutil.rmtree(folder)
        commit(self, "Fewer experiments")

    def params(self, name: str) -> Path:
        """What an experiment is made of."""
        return self.folder / "experiments" / name / "params.yaml"

    def add(self, name: str, params: str) -> None:
        """A new experiment, as a user makes one."""
        folder = self.params(name).parent
        folder.mkdir()
        self.params(name).write_text(params)
        shutil.copy(self.folder / "pipelines/experiment.yaml", folder / "dvc.yaml")

    def edit(self, file: str, old: str, new: str) -> None:
        """Replace a text that stands in a file."""
        path = self.folder / file
        text = path.read_text()
        assert old in text, f"{old!r} does not stand in {file}"
        path.write_text(text.replace(old, new, 1))


def after_a_run(project: Project) -> Iterator[Project]:
    """The project after `evermodel run` over all experiments, with what it wrote committed."""
    project.run("evermodel", "run", "-j", "2")
    logs = sorted((project.folder / ".evermodel/logs").glob("*.log"))
    project.stages = [stage for log in logs for stage in project.ran(log.read_text())]
    commit(project, "What evermodel run wrote")
    yield project
    if os.environ.get("CI"):  # gigabytes of cache would stay behind
        shutil.rmtree(project.folder, ignore_errors=True)


def copy_repository(folder: Path) -> Project:
    """The files that Git knows or would add, committed anew, but for what DVC wrote on another machine."""
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    for name in listed.stdout.splitlines():
        if os.path.lexists(ROOT / name) and not name.endswith("/dvc.lock"):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name, follow_symlinks=False)
    (folder / ".venv").symlink_to(sys.prefix)
    project = Project(folder)
    project.run("git", "init", "--quiet")
    commit(project, "A copy")
    return project


def commit(project: Project, message: str) -> None:
    """Commit everything."""
    who = ("-c", "user.name=Test", "-c", "user.email=test@example.com")
    project.run("git", "add", "--all")
    project.run("git", *who, "commit", "--quiet", "--allow-empty", "-m", message)


@pytest.fixture(scope="session")
def spine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """The project after `evermodel run` over two experiments, with what it wrote committed."""
    made = copy_repository(tmp_path_factory.mktemp("spine") / "project")
    made.keep(*TWO)
    yield from after_a_run(made)


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """The project after `evermodel run` over a few experiments, with what it wrote committed."""
    made = copy_repository(tmp_path_factory.mktemp("here") / "project")
    if not os.environ.get("EVERMODEL_PICTURES"):  # those of the docs show them all
        made.keep(*FEW)
    yield from after_a_run(made)


@pytest.fixture
def edited(project: Project) -> Iterator[Project]:
    """The project, which goes back to its commit after the test, and to its data and models."""
    yield from restored(project)


def restored(project: Project) -> Iterator[Project]:
    """A project; then it goes back to its commit, and to its data and models."""
    receipts = {file: file.read_bytes() for file in project.folder.glob("experiments/*/promotion.json")}
    yield project
    project.run("git", "checkout", "--quiet", ".")
    project.run("git", "clean", "--quiet", "-fd", "src", "pipelines", "experiments", "data")
    project.run("dvc", "checkout", "--force", "--quiet")
    for file, content in receipts.items():  # they are in no cache
        file.write_bytes(content)
