"""Pipelines, run by DVC for real in a small repository of the same shape."""

import re
import shutil
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path
from typing import Any

import psutil
import pytest
import yaml

from evermodel import pipeline, repository, workers
from evermodel.core.errors import EvermodelError
from evermodel.pipeline import Pipeline, Progress

ROOT = Path(__file__).parents[1]
EXPERIMENTS = {
    "boston_linear": "boston_housing",
    "boston_dnn": "boston_housing",
    "letter_mlp": "letter_recognition",
}
# The output of each stage and its inputs.
DATASET = {
    "fetch": ("raw", []),
    "validate": ("validation", ["raw"]),
    "prepare": ("prepared", ["raw", "validation"]),
}
EXPERIMENT: dict[str, tuple[str, list[str]]] = {
    "train": ("model", ["../../data/${dataset}/prepared"]),
    "evaluate": ("metrics.json", ["model"]),
    "promote": ("promotion.json", ["../../data/${dataset}/raw", "model"]),
}
# events and hooks are none of DVC's business; a hook is what a test wants to happen in a stage.
SCRIPT = """set -e
name=$2 out=$PWD/$3
cd "$(dirname "$0")"
echo "$1@$name starts" >> events
if [ -f "hooks/$1@$name" ]; then . "hooks/$1@$name"; fi
echo '{"mae": 2.5, "accuracy": 0.9, "handed_in": true, "made": "'$1@$name'"}' > "$out"
echo "$1@$name ends" >> events
"""


class Small:
    """A repository with two data sets and three experiments."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def hook(self, stage: str, script: str) -> None:
        """Let something happen in a stage."""
        (self.folder / "hooks" / stage).write_text(script + "\n")

    def run(self, *names: str, jobs: int = 1) -> list[workers.Failure]:
        """What the command does between reading its options and showing the scores."""
        return workers.run(repository.load().chosen(names), jobs, "cpu")

    def start(self, *options: str) -> subprocess.Popen[str]:
        """Start `evermodel run`."""
        command = [sys.executable, "-c", "from evermodel.cli import app; app()", "run", *options]
        # It heeds Ctrl-C even where these tests run in the background, which ignores it.
        heed = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)
        pipe = subprocess.PIPE
        return subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True, preexec_fn=heed)

    def events(self) -> list[str]:
        """What began and ended, in order."""
        file = self.folder / "events"
        return file.read_text().splitlines() if file.exists() else []

    def began(self) -> list[str]:
        """The stages that ran."""
        return [event.removesuffix(" starts") for event in self.events() if event.endswith(" starts")]

    def files(self) -> dict[str, bytes]:
        """Everything that DVC and the stages made, and the settings."""
        found = [file for parent in ("data", "experiments") for file in (self.folder / parent).glob("*/*")]
        return {str(file.relative_to(self.folder)): file.read_bytes() for file in found}

    def wait_for(self, event: str) -> None:
        """Wait until a stage has said so."""
        for _ in range(2400):
            if event in self.events():
                return
            time.sleep(0.05)
        raise AssertionError(f"{event} never came: {self.events()}")


def make(folder: Path) -> Small:
    (folder / "hooks").mkdir(parents=True)
    for file in ("params.yaml", "dvc.yaml", ".gitignore", ".dvcignore"):
        shutil.copy(ROOT / file, folder)
    for name, dataset in EXPERIMENTS.items():
        add(folder, f"data/{dataset}", DATASET)
        add(folder, f"experiments/{name}", EXPERIMENT)
    (folder / "dvc.lock").symlink_to("/dev/null")
    (folder / "pipelines").mkdir()
    (folder / "pipelines/stage.sh").write_text("true\n")  # of the leaderboard
    (folder / "stage.sh").write_text(SCRIPT)
    with (folder / ".gitignore").open("a") as ignored:
        ignored.write("/events\n/hooks/\n")
    (folder / ".dvc").mkdir()
    shutil.copy(ROOT / ".dvc/config", folder / ".dvc")
    git("init", "--quiet", "--initial-branch", "main", folder=folder)
    return Small(folder)


def add(folder: Path, name: str, stages: dict[str, tuple[str, list[str]]]) -> None:
    (folder / name).mkdir(parents=True, exist_ok=True)
    shutil.copy(ROOT / name / "params.yaml", folder / name)
    described = {stage: describe(stage, *files) for stage, files in stages.items()}
    (folder / name / "dvc.yaml").write_text(yaml.safe_dump({"stages": described}, sort_keys=False))


def describe(stage: str, out: str, deps: list[str]) -> dict[str, Any]:
    return {
        "cmd": f"sh ../../stage.sh {stage} ${{name}} {out}",
        "deps": ["../../stage.sh", *deps],
        "outs": [{out: {"cache": False}} if stage == "promote" else out],
    }


def dvc(*arguments: str, folder: Path) -> None:
    subprocess.run([sys.executable, "-m", "dvc", *arguments], cwd=folder, check=True, capture_output=True)


def git(*arguments: str, folder: Path) -> str:
    who = ("-c", "user.name=Test", "-c", "user.email=test@example.com")
    done = subprocess.run(["git", *who, *arguments], cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout


@pytest.fixture
def small(tmp_path, monkeypatch):
    """The current folder, in which nothing ever ran."""
    monkeypatch.setenv("DVC_SITE_CACHE_DIR", str(tmp_path / "site"))
    monkeypatch.setenv("PYTHONPATH", str(ROOT / "src"))
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "")
    monkeypatch.delenv("MLFLOW_TRACKING_URI")
    made = make(tmp_path / "parallel")
    monkeypatch.chdir(made.folder)
    return made


@pytest.fixture(scope="module")
def serial(tmp_path_factory):
    """What one `dvc repro` leaves."""
    made = make(tmp_path_factory.mktemp("serial") / "repository")
    dvc("repro", folder=made.folder)
    return made


def alive(process: psutil.Process) -> bool:
    """Whether it still does anything; a zombie waits for whoever is process 1 here."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def meet(others):
    """A hook that goes on when the other stages have begun as well, and fails when they never do."""
    wait = "until grep -q '{} starts' events; do i=$((i+1)); [ $i -lt 2400 ]; sleep 0.05; done"
    return "\n".join(["i=0", *(wait.format(other) for other in others)])


@pytest.mark.spine
def test_three_workers_run_at_once_and_leave_what_one_dvc_repro_leaves(small, serial, capsys):
    trained = [f"train@{name}" for name in EXPERIMENTS]
    for stage in trained:
        small.hook(stage, meet(trained))
    assert small.run(jobs=3) == []
    assert small.files() == serial.files()
    assert sorted(small.began()) == sorted(serial.began()), "a data set's stages run once for two experiments"
    assert "letter_mlp: train\n" in (told := capsys.readouterr().out)
    assert re.search(r"^letter_mlp done in \d+ s: accuracy 0\.9$", told, re.MULTILINE)
    before = small.events()
    assert small.run(jobs=3) == []
    assert small.events() == before, "what is up to date does not run again"


@pytest.mark.all
def test_one_worker_runs_one_pipeline_after_the_other_and_tells_the_device_and_warnings(small, capsys):
    small.hook("validate@boston_housing", "for n in 1 2 3 4 5 6 7; do echo warning: file $n is out; done")
    small.hook("train@boston_dnn", 'echo "$EVERMODEL_DEVICE" > device')
    small.hook("evaluate@boston_dnn", """echo '{}' > "$out"; echo "$1@$name ends" >> events; exit""")
    assert small.run("boston_linear", "boston_dnn") == [], "not even for want of a score"
    stages = ["fetch@boston_housing", "validate@boston_housing", "prepare@boston_housing"]
    stages += ["train@boston_linear", "evaluate@boston_linear", "promote@boston_linear"]
    stages += ["train@boston_dnn", "evaluate@boston_dnn", "promote@boston_dnn"]
    assert small.events() == [f"{stage} {event}" for stage in stages for event in ("starts", "ends")]
    assert Path("device").read_text() == "cpu\n"
    warned = [line for line in capsys.readouterr().out.splitlines() if line.startswith("warning: ")]
    assert warned == [
        *(f"warning: file {n} is out" for n in range(1, 6)),
        f"warning: 2 more in {workers.LOGS / 'boston_housing.log'}",
    ]


@pytest.mark.all
def test_a_pipeline_that_fails_stops_no_other_and_says_why(small):
    small.hook("evaluate@boston_linear", "echo working; echo 'boston_linear: too few' >&2; exit 1")
    small.hook("prepare@letter_recognition", "kill -9 $$")
    failures = {failure.pipeline: str(failure) for failure in small.run(jobs=2)}
    # A shell that replaces itself by its last command dies of the signal; another one reports it as 137.
    killed = failures["letter_recognition"].replace("exited with 137", "exited with -9")
    assert failures | {"letter_recognition": killed} == {
        "boston_linear": "boston_linear failed at evaluate: boston_linear: too few",
        "letter_recognition": "letter_recognition failed at prepare: failed to run: "
        "sh ../../stage.sh prepare letter_recognition prepared, exited with -9",
        "letter_mlp": "letter_mlp did not run: its data set letter_recognition failed",
    }
    assert "promote@boston_dnn ends" in small.events()
    assert "promote@boston_linear" not in small.began()
    assert "working\n" in (workers.LOGS / "boston_linear.log").read_text()


@pytest.mark.all
def test_told_to_stop_it_leaves_no_process_and_the_next_run_goes_on(small, serial):
    stages = ("train@boston_linear", "train@letter_mlp")
    for how in ("willing", "stubborn"):
        trap = "" if how == "willing" else "trap '' TERM; "
        for stage in stages:
            small.hook(stage, f"{trap}echo '{stage} is {how}' >> events; sleep 600")
        run = small.start("-j", "2", "boston_linear", "letter_mlp", "boston_dnn")
        for stage in stages:
            small.wait_for(f"{stage} is {how}")
        children = psutil.Process(run.pid).children(recursive=True)
        assert len(children) >= 4, "two of DVC, and their stages"
        run.send_signal(signal.SIGINT)
        if how == "stubborn":
            run.send_signal(signal.SIGTERM)
        assert "the same command goes on from here" in run.communicate()[1]
        assert run.returncode == 130
        _, left = psutil.wait_procs(children, timeout=30)  # a kill takes effect when its turn comes
        assert not [child for child in left if alive(child)]
    shutil.rmtree(small.folder / "hooks")
    before = len(small.began())
    assert small.run(jobs=2) == []
    assert not [stage for stage in small.began()[before:] if stage.startswith(("fetch", "prepare"))]
    assert small.files() == serial.files()


@pytest.mark.spine
def test_after_a_kill_its_stages_go_on_and_the_next_run_waits_for_them_and_repeats_nothing(small, serial):
    small.hook("prepare@boston_housing", "echo 'it prepares' >> events; until [ -f go ]; do sleep 0.05; done")
    run = small.start("boston_linear", "boston_dnn")
    small.wait_for("it prepares")
    run.kill()
    assert run.wait() == -signal.SIGKILL
    again = small.start("-j", "2")
    assert again.stdout is not None
    told = ""
    while "boston_housing: an earlier command still works on it" not in told:
        line = again.stdout.readline()
        assert line, told
        told += line
    Path("go").touch()
    assert again.wait(120) == 0, again.communicate()
    assert sorted(small.began()) == sorted(serial.began())
    assert small.files() == serial.files()


@pytest.mark.all
def test_what_dvc_exp_run_made_is_handed_in_at_the_end(small, serial):
    small.hook(
        "promote@boston_dnn", 'rm hooks/promote@boston_dnn; echo \'{"handed_in": false}\' > "$out"; exit'
    )
    assert small.run("boston_dnn", "boston_linear") == []
    assert [stage for stage in small.began() if stage.startswith("promote")] == [
        "promote@boston_dnn",
        "promote@boston_linear",
        "promote@boston_dnn",
    ]
    assert small.run("boston_dnn") == []
    assert small.began().count("promote@boston_dnn") == 2


@pytest.mark.spine
def test_two_branches_that_each_add_an_experiment_that_ran_merge_without_conflict(small):
    new = ("boston_linear", "letter_mlp")
    for name in new:
        shutil.move(f"experiments/{name}", small.folder.parent / name)
    git("add", ".", folder=small.folder)
    git("commit", "--quiet", "--message", "none", folder=small.folder)
    for name in new:
        git("checkout", "--quiet", "-b", name, "main", folder=small.folder)
        shutil.copytree(small.folder.parent / name, f"experiments/{name}")
        dvc("repro", folder=small.folder)
        git("add", ".", folder=small.folder)
        git("commit", "--quiet", "--message", name, folder=small.folder)
    git("merge", "--quiet", new[0], folder=small.folder)
    before = small.events()
    assert small.run() == []
    assert small.events() == before, "the results of both are there"
    assert git("status", "--porcelain", folder=small.folder) == ""


@pytest.mark.all
def test_a_pipeline_that_dvc_refuses_is_told_in_dvcs_words(small):
    file = Path("experiments/boston_dnn/dvc.yaml")
    file.write_text(file.read_text().replace("stages:", "stagez:"))
    with pytest.raises(EvermodelError, match=r"`dvc status` failed: .*stagez"):
        small.run("boston_dnn")


def test_a_data_set_comes_once_and_before_its_first_experiment(workspace):
    chosen = repository.load().chosen(["boston_linear", "boston_dnn", "boston_linear"])
    assert pipeline.plan(chosen) == [
        Pipeline("boston_housing", "data/boston_housing/dvc.yaml"),
        Pipeline("boston_linear", "experiments/boston_linear/dvc.yaml", "boston_housing", "mae"),
        Pipeline("boston_dnn", "experiments/boston_dnn/dvc.yaml", "boston_housing", "mae"),
    ]


def test_only_pipelines_with_a_changed_stage_and_those_that_need_them_run():
    data, model = Pipeline("d", "data/d/dvc.yaml"), Pipeline("e", "experiments/e/dvc.yaml", "d", "mae")
    assert pipeline.to_do([data, model], ["data/other/dvc.yaml:fetch", "leaderboard"]) == []
    assert pipeline.to_do([data, model], ["experiments/e/dvc.yaml:promote"]) == [model]
    assert pipeline.to_do([data, model], ["data/d/dvc.yaml:fetch"]) == [data, model]


@pytest.mark.parametrize(
    ("lines", "progress"),
    [
        (["Running stage 'x/dvc.yaml:train':", "> sh"], Progress("train", said="> sh")),
        (
            ["Running stage 'x/dvc.yaml:train':", "x epoch 3/10 loss 0.1"],
            Progress("train", "3/10", "loss 0.1"),
        ),
        (
            [
                "Running stage 'x/dvc.yaml:train':",
                "x epoch 3/10 loss 0.1",
                "Running stage 'x/dvc.yaml:evaluate':",
            ],
            Progress("evaluate", figures="loss 0.1"),
        ),
        (
            [
                "Running stage 'x/dvc.yaml:train':",
                "ERROR: failed to reproduce 'x/dvc.yaml:train': missing data 'source': a.py",
            ],
            Progress("train", reason="missing data 'source': a.py"),
        ),
        (["ERROR: Unable to acquire lock."], Progress(reason="Unable to acquire lock.")),
    ],
)
def test_the_output_of_a_pipeline_tells_where_it_is(lines, progress):
    followed = Progress()
    for line in lines:
        followed = pipeline.follow(followed, line)
    assert followed == progress


@pytest.mark.parametrize(
    ("said", "code", "reason"),
    [
        ("x: too few rows", 1, "x: too few rows"),
        ("> sh a.sh", 1, "failed to run: sh a.sh, exited with 1"),
        ("half way", -9, "failed to run: sh a.sh, exited with -9"),
        ("half way", 137, "failed to run: sh a.sh, exited with 137"),
    ],
)
def test_the_reason_is_the_stages_own_sentence_unless_it_was_killed(said, code, reason):
    error = f"ERROR: failed to reproduce 'x/dvc.yaml:train': failed to run: sh a.sh, exited with {code}"
    assert pipeline.follow(Progress("train", said=said), error).reason == reason
