"""Lanes, run by DVC for real in a small repository of the same shape."""

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

from evermodel import lanes, lockfile, workers
from evermodel.core import params
from evermodel.core.errors import EvermodelError
from evermodel.lanes import Lane, Progress

ROOT = Path(__file__).parents[1]
EXPERIMENTS = {
    "boston_linear": "boston_housing",
    "boston_dnn": "boston_housing",
    "letter_mlp": "letter_recognition",
}
real = pytest.mark.pipeline
# What a stage is made for each of, its output and its inputs.
STAGES: dict[str, tuple[str, str, list[str]]] = {
    "fetch": ("${datasets}", "data/raw/${key}", []),
    "validate": ("${datasets}", "reports/validation/${key}", ["data/raw/${key}"]),
    "prepare": ("${datasets}", "data/prepared/${key}", ["data/raw/${key}", "reports/validation/${key}"]),
    "train": ("${experiments}", "models/${key}", ["data/prepared/${item.dataset}"]),
    "evaluate": ("${experiments}", "reports/${key}/metrics.json", ["models/${key}"]),
    "promote": (
        "${experiments}",
        "reports/promotion/${key}.json",
        ["data/raw/${item.dataset}", "models/${key}"],
    ),
}
# events and hooks are none of DVC's business; a hook is what a test wants to happen in a stage.
SCRIPT = """set -e
echo "$1@$2 starts" >> events
if [ -f "hooks/$1@$2" ]; then . "hooks/$1@$2"; fi
mkdir -p "$(dirname "$3")"
echo '{"mae": 2.5, "accuracy": 0.9, "synthetic": "'$1@$2'"}' > "$3"
echo "$1@$2 ends" >> events
"""


class Repository:
    """A folder with a dvc.yaml, two data sets and three experiments."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def hook(self, stage: str, script: str) -> None:
        """Let something happen in a stage."""
        (self.folder / "hooks" / stage).write_text(script + "\n")

    def run(self, *names: str, jobs: int = 1) -> list[workers.Failure]:
        """What the command does between reading its options and showing the scores."""
        values = params.load()
        planned = lanes.plan(workers.pipeline(), values, names or values.experiments)
        return workers.run(planned, workers.changed(), jobs, "cpu", values)

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
        """Everything that DVC and the stages made."""
        found = [self.folder / "dvc.lock"]
        for folder in ("data/raw", "data/prepared", "models", "reports"):
            found += [file for file in (self.folder / folder).rglob("*") if file.is_file()]
        return {str(file.relative_to(self.folder)): file.read_bytes() for file in found}

    def wait_for(self, event: str) -> None:
        """Wait until a stage has said so."""
        for _ in range(2400):
            if event in self.events():
                return
            time.sleep(0.05)
        raise AssertionError(f"{event} never came: {self.events()}")


def make(folder: Path) -> Repository:
    values = yaml.safe_load((ROOT / "params.yaml").read_text())
    values["experiments"] = {name: values["experiments"][name] for name in EXPERIMENTS}
    values["datasets"] = {name: values["datasets"][name] for name in EXPERIMENTS.values()}
    stages = {name: {"foreach": group, "do": stage(name, *files)} for name, (group, *files) in STAGES.items()}
    (folder / "hooks").mkdir(parents=True)
    (folder / "params.yaml").write_text(yaml.safe_dump(values, sort_keys=False))
    (folder / "dvc.yaml").write_text(
        yaml.safe_dump({"vars": ["params.yaml"], "stages": stages}, sort_keys=False)
    )
    (folder / "stage.sh").write_text(SCRIPT)
    shutil.copy(ROOT / ".gitignore", folder)
    (folder / ".dvc").mkdir()
    shutil.copy(ROOT / ".dvc/config", folder / ".dvc")
    subprocess.run(["git", "init", "--quiet"], cwd=folder, check=True)
    return Repository(folder)


def stage(name: str, out: str, deps: list[str]) -> dict[str, Any]:
    cached = name != "promote"
    return {
        "cmd": f"sh stage.sh {name} ${{key}} {out}",
        "deps": ["stage.sh", *deps],
        "outs": [out if cached else {out: {"cache": False}}],
    }


def dvc(*arguments: str, folder: Path) -> None:
    subprocess.run([sys.executable, "-m", "dvc", *arguments], cwd=folder, check=True, capture_output=True)


@pytest.fixture
def repository(tmp_path, monkeypatch):
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


@real
def test_three_workers_run_at_once_and_leave_what_one_dvc_repro_leaves(repository, serial, capsys):
    trained = [f"train@{name}" for name in EXPERIMENTS]
    for stage in trained:
        repository.hook(stage, meet(trained))
    assert repository.run(jobs=3) == []
    assert repository.files() == serial.files()
    assert sorted(repository.began()) == sorted(serial.began()), "the data stages of two lanes run once"
    assert "letter_mlp: train\n" in (told := capsys.readouterr().out)
    assert re.search(r"^letter_mlp done in \d+ s: accuracy 0\.9$", told, re.MULTILINE)
    before = repository.events()
    assert repository.run(jobs=3) == []
    assert repository.events() == before, "what is up to date does not run again"


@real
def test_one_worker_runs_one_lane_after_the_other_and_tells_the_device(repository):
    repository.hook("train@boston_dnn", 'echo "$EVERMODEL_DEVICE" > device')
    assert repository.run("boston_linear", "boston_dnn") == []
    stages = ["fetch@boston_housing", "validate@boston_housing", "prepare@boston_housing"]
    stages += ["train@boston_linear", "evaluate@boston_linear", "promote@boston_linear"]
    stages += ["train@boston_dnn", "evaluate@boston_dnn", "promote@boston_dnn"]
    assert repository.events() == [f"{stage} {event}" for stage in stages for event in ("starts", "ends")]
    assert Path("device").read_text() == "cpu\n"


@real
def test_the_entries_of_an_older_lock_keep_their_places(repository, serial):
    dvc("repro", "evaluate@letter_mlp", folder=repository.folder)
    old = lockfile.entries(lockfile.LOCK.read_text())
    assert repository.run("boston_linear", "letter_mlp", jobs=2) == []
    new = lockfile.entries(lockfile.LOCK.read_text())
    assert new[: len(old)] == old
    in_order = lockfile.entries((serial.folder / "dvc.lock").read_text())
    assert new[len(old) :] == [entry for entry in in_order if entry in new and entry not in old]
    assert len(new) == len(old) + 7


@real
def test_while_a_stage_is_made_anew_its_entry_is_away_and_comes_back_if_nobody_made_it(repository, serial):
    shutil.copy(serial.folder / "dvc.lock", lockfile.LOCK)
    repository.hook("fetch@letter_recognition", "cp dvc.lock lock_of_the_moment")
    repository.hook("train@letter_mlp", "exit 1")
    assert len(repository.run("letter_mlp")) == 1
    away = set(lockfile.entries(lockfile.LOCK.read_text())) - set(
        lockfile.entries(Path("lock_of_the_moment").read_text())
    )
    assert {stage.split("@")[1] for stage in away} == {"letter_recognition", "letter_mlp"}
    assert lockfile.LOCK.read_bytes() == (serial.folder / "dvc.lock").read_bytes()


@real
def test_the_entries_of_a_lane_that_has_ended_are_away_while_the_next_one_runs(repository):
    repository.hook("train@letter_mlp", "cp dvc.lock lock_of_the_moment || touch lock_of_the_moment")
    assert repository.run("letter_mlp") == []
    assert "letter_recognition:" not in Path("lock_of_the_moment").read_text()
    made = lockfile.entries(lockfile.LOCK.read_text())
    assert made == [f"{stage}@letter_recognition" for stage in ("fetch", "validate", "prepare")] + [
        f"{stage}@letter_mlp" for stage in ("train", "evaluate", "promote")
    ]


@real
def test_what_the_cache_has_is_not_made_anew_for_want_of_its_entry(repository):
    assert repository.run("letter_mlp") == []
    lock, before = lockfile.LOCK.read_bytes(), repository.events()
    shutil.rmtree("models")
    assert repository.run("letter_mlp") == []
    assert Path("models/letter_mlp").exists()
    assert (lockfile.LOCK.read_bytes(), repository.events()) == (lock, before)


@real
def test_a_lane_that_fails_stops_no_other_and_says_why(repository):
    repository.hook(
        "evaluate@boston_linear", "echo working; echo 'evaluate@boston_linear: too few' >&2; exit 1"
    )
    repository.hook("prepare@letter_recognition", "kill -9 $$")
    failures = {failure.lane: str(failure) for failure in repository.run(jobs=2)}
    # A shell that replaces itself by its last command dies of the signal; another one reports it as 137.
    killed = failures["letter_recognition"].replace("exited with 137", "exited with -9")
    assert failures | {"letter_recognition": killed} == {
        "boston_linear": "boston_linear failed at evaluate: evaluate@boston_linear: too few",
        "letter_recognition": "letter_recognition failed at prepare: failed to run: "
        "sh stage.sh prepare letter_recognition data/prepared/letter_recognition, exited with -9",
        "letter_mlp": "letter_mlp did not run: its data set letter_recognition failed",
    }
    assert "promote@boston_dnn ends" in repository.events()
    assert "promote@boston_linear" not in repository.began()
    assert "working\n" in (workers.LOGS / "boston_linear.log").read_text()


@real
def test_told_to_stop_it_leaves_no_process_and_the_next_run_goes_on(repository, serial):
    stages = ("train@boston_linear", "train@letter_mlp")
    for how in ("willing", "stubborn"):
        trap = "" if how == "willing" else "trap '' TERM; "
        for stage in stages:
            repository.hook(stage, f"{trap}echo '{stage} is {how}' >> events; sleep 600")
        run = repository.start("-j", "2")
        for stage in stages:
            repository.wait_for(f"{stage} is {how}")
        children = psutil.Process(run.pid).children(recursive=True)
        assert len(children) >= 4, "two of DVC, and their stages"
        run.send_signal(signal.SIGINT)
        if how == "stubborn":
            run.send_signal(signal.SIGTERM)
        assert "the same command goes on from here" in run.communicate()[1]
        assert run.returncode == 130
        _, left = psutil.wait_procs(children, timeout=30)  # a kill takes effect when its turn comes
        assert not [child for child in left if alive(child)]
    shutil.rmtree(repository.folder / "hooks")
    before = len(repository.began())
    assert repository.run(jobs=2) == []
    assert not [stage for stage in repository.began()[before:] if stage.startswith(("fetch", "prepare"))]
    # What was done before the stop keeps its place in dvc.lock; apart from that all is the same.
    in_order = lockfile.entries((serial.folder / "dvc.lock").read_text())
    lockfile.LOCK.write_text(lockfile.sort_entries(lockfile.LOCK.read_text(), in_order))
    assert repository.files() == serial.files()


@real
def test_a_pipeline_that_dvc_refuses_is_told_in_dvcs_words(repository):
    workers.PIPELINE.write_text(workers.PIPELINE.read_text().replace("vars:", "warz:"))
    with pytest.raises(EvermodelError, match=r"`dvc status` failed: .*extra keys not allowed, in warz"):
        repository.run()


def test_an_experiment_that_does_not_exist_is_refused(workspace):
    with pytest.raises(EvermodelError, match="no experiment 'nowhere'"):
        lanes.plan({}, params.load(), ["boston_dnn", "nowhere"])


def test_a_data_set_comes_once_and_before_its_first_experiment(workspace):
    pipeline = yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"]
    planned = lanes.plan(pipeline, params.load(), ["boston_linear", "boston_dnn", "boston_linear"])
    assert planned == [
        Lane("boston_housing", ("fetch", "validate", "prepare")),
        Lane("boston_linear", ("train", "evaluate", "promote"), "boston_housing", "mae"),
        Lane("boston_dnn", ("train", "evaluate", "promote"), "boston_housing", "mae"),
    ]


def test_only_lanes_with_a_changed_stage_and_those_that_need_them_run():
    data, model = Lane("d", ("fetch",)), Lane("e", ("train", "promote"), "d", "mae")
    assert lanes.to_do([data, model], {"fetch@other"}) == []
    assert lanes.to_do([data, model], {"promote@e"}) == [Lane("e", ("train", "promote"), None, "mae")]
    assert lanes.to_do([data, model], {"fetch@d"}) == [data, model]


def test_a_stage_is_bound_to_run_if_an_output_of_its_own_has_changed():
    status = {
        "train@e": ["changed command", {"changed outs": {"m": "not in cache"}}],
        "evaluate@e": ["changed command", {"changed deps": {"m": "deleted"}}],
        "promote@e": [{"changed outs": {"r.json": "deleted"}}],
        "train@f": [{"changed outs": {"n": "deleted"}}],
    }
    lane = Lane("e", ("train", "evaluate", "promote"))
    assert lanes.bound_to_run([lane], status) == {"train@e", "promote@e"}


@pytest.mark.parametrize(
    ("lines", "progress"),
    [
        (["Running stage 'train@x':", "> sh"], Progress("train", said="> sh")),
        (["Running stage 'train@x':", "x epoch 3/10 loss 0.1"], Progress("train", "3/10", "loss 0.1")),
        (
            ["Running stage 'train@x':", "x epoch 3/10 loss 0.1", "Running stage 'evaluate@x':"],
            Progress("evaluate", figures="loss 0.1"),
        ),
        (
            ["Running stage 'train@x':", "ERROR: failed to reproduce 'train@x': missing data 'source': a.py"],
            Progress("train", reason="missing data 'source': a.py"),
        ),
        (["ERROR: Unable to acquire lock."], Progress(reason="Unable to acquire lock.")),
    ],
)
def test_the_output_of_a_lane_tells_where_it_is(lines, progress):
    followed = Progress()
    for line in lines:
        followed = lanes.follow(followed, line)
    assert followed == progress


@pytest.mark.parametrize(
    ("said", "code", "reason"),
    [
        ("train@x: too few rows", 1, "train@x: too few rows"),
        ("> sh a.sh", 1, "failed to run: sh a.sh, exited with 1"),
        ("half way", -9, "failed to run: sh a.sh, exited with -9"),
        ("half way", 137, "failed to run: sh a.sh, exited with 137"),
    ],
)
def test_the_reason_is_the_stages_own_sentence_unless_it_was_killed(said, code, reason):
    error = f"ERROR: failed to reproduce 'train@x': failed to run: sh a.sh, exited with {code}"
    assert lanes.follow(Progress("train", said=said), error).reason == reason
