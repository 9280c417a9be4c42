"""What a task does in its checkout, with stages that are one line of shell."""

import json
import re
import shutil
import subprocess
from contextlib import chdir, contextmanager
from pathlib import Path
from types import SimpleNamespace

import dvc.cli
import pytest
import yaml
from dvc.repo import Repo

from evermodel import experiments, repository
from evermodel.core.errors import EvermodelError
from evermodel.publishing import anchor, registry, tracking
from evermodel.rebuilding.comparison import Comparison
from evermodel.scheduling import addresses, checkout, publication, shell, steps
from evermodel.scheduling.settings import Settings

ROOT = Path(__file__).parents[2]
DATA, TRAIN, EVALUATE = (
    "data/d/dvc.yaml",
    *(f"experiments/x/dvc.yaml:{stage}" for stage in ("train", "evaluate")),
)
OTHER_TRAIN, OTHER_EVALUATE = (f"experiments/y/dvc.yaml:{stage}" for stage in ("train", "evaluate"))
WHO = ("-c", "user.name=Test", "-c", "user.email=test@example.com")
# Each says that it runs; what raw data become and what is trained differs between kinds of workers.
DATASET = {
    "fetch": {
        "cmd": "echo fetch >> $RAN; cp ../../source raw",
        "deps": ["../../source"],
        "outs": ["raw"],
    },
    "prepare": {
        "cmd": "echo prepare >> $RAN; mkdir prepared; cp raw prepared/raw; echo $KIND > prepared/kind",
        "deps": ["raw"],
        "outs": ["prepared"],
    },
}
EXPERIMENT = {
    "train": {
        "cmd": "echo train >> $RAN; (cat ../../data/${dataset}/prepared/kind; echo $KIND ${name}) > model",
        "deps": ["../../data/${dataset}/prepared"],
        "params": ["train", {"../../params.yaml": ["runtime"]}],
        "outs": ["model"],
    },
    "evaluate": {
        "cmd": "echo evaluate >> $RAN; cp model metrics.json",
        "deps": ["model", "../../data/${dataset}/prepared"],
        "metrics": ["metrics.json"],
    },
    "promote": {
        "cmd": "echo promote >> $RAN; printenv EVERMODEL_REPORT_ONLY >> $RAN.why; echo x > promotion.json",
        "deps": ["model", "metrics.json", "../../data/${dataset}/raw"],
        "outs": [{"promotion.json": {"cache": False, "persist": True}}],
    },
}


class Fleet:
    """A repository, a remote, and workers that share nothing else."""

    def __init__(self, folder, capfd, monkeypatch):
        self.folder, self.capfd, self.monkeypatch = folder, capfd, monkeypatch
        self.origin, self.remote, self.locks = folder / "origin", folder / "remote", {}
        self.origin.mkdir()
        settings = {
            "DVC_NO_ANALYTICS": "1",
            "RAN": folder / "ran",
            "EVERMODEL_REMOTE": self.remote,
            "EVERMODEL_RUN": "retrain.x/run",
            "MLFLOW_TRACKING_URI": "http://127.0.0.1:9",
        }
        for name, value in settings.items():
            monkeypatch.setenv(name, str(value))
        for name in ("d", "x", "y"):
            pipeline, params = (
                (DATASET, {}) if name == "d" else (EXPERIMENT, {"dataset": "d", "train": {"rate": 1}})
            )
            place = self.origin / ("data" if name == "d" else "experiments") / name
            place.mkdir(parents=True)
            (place / "dvc.yaml").write_text(yaml.safe_dump({"stages": pipeline}, sort_keys=False))
            (place / "params.yaml").write_text(yaml.safe_dump(params | {"name": name}))
        (self.origin / "params.yaml").write_text("profile: sample\nruntime: {seed: 42} # of everything\n")
        (self.origin / "source").write_text("1")
        with chdir(self.origin):
            subprocess.run(["git", "init", "--quiet", "--initial-branch", "main"], check=True)
            dvc.cli.main(["init", "--quiet"])
            # As .gitignore of this repository does; DVC would write one for each folder.
            Path(".gitignore").write_text("raw\nprepared\nmodel\nmetrics.json\npromotion.json\n")
        self.commit("first")
        (folder / "ran").touch()

    def commit(self, message):
        with chdir(self.origin):
            subprocess.run(["git", "add", "--all"], check=True)
            options = ("--quiet", "--allow-empty", "-m", message)
            subprocess.run(["git", *WHO, "commit", *options], check=True)

    def task(self, step, *names, worker="cpu", kind=None, locks=None, **settings):
        """Do a step on a worker with the given dvc.lock files; returns its exit code and its last line."""
        own = {"KIND": kind or worker, "EVERMODEL_CACHE": self.folder / worker / "cache"}
        own["DVC_SITE_CACHE_DIR"] = self.folder / worker / "site"
        handed = self.folder / "handed.json"
        handed.write_text(json.dumps(locks or {}))
        own |= {"EVERMODEL_LOCKS": handed, "EVERMODEL_SETTINGS": json.dumps(settings)}
        for name, value in own.items():
            self.monkeypatch.setenv(name, str(value))
        task = re.sub(r"\W", "-", "-".join((step, *names)))
        commit = settings.get("commit", "")
        with checkout.cloned(str(self.origin), commit, self.folder / worker / task) as clone, chdir(clone):
            self.capfd.readouterr()
            code = steps.main(step, *names)
            self.said = self.capfd.readouterr().out
            self.head = checkout.git("rev-parse", "HEAD")
        return code, (self.said.splitlines() or [""])[-1]

    def made(self, step, address, **options):
        """What a task has handed over, which has to succeed: its name, and its dvc.lock file."""
        code, last = self.task(step, address, **options)
        assert code == 0, self.said
        return {addresses.task(address): json.loads(last)}

    def all(self, **options):
        """What the tasks of an experiment hand over, whose training is done by a worker of another kind."""
        locks = self.made("run", DATA, **options)
        for address, worker in ((TRAIN, "gpu"), (EVALUATE, "cpu")):
            locks |= self.made("run", address, worker=worker, locks=locks, **options)
        return locks

    def write(self, locks):
        """Commit what tasks have handed over, as a merge of the run's branch does."""
        for files in locks.values():
            for path, text in files.items():
                (self.origin / path).write_text(text)
        self.commit("results")

    def forget(self, path, files):
        """Lose an output on the remote, whose hash is in the dvc.lock of a task."""
        (text,) = files.values()
        outs = [out for stage in yaml.safe_load(text)["stages"].values() for out in stage["outs"]]
        (digest,) = {out["md5"] for out in outs if out["path"] == Path(path).name}
        (self.remote / "files/md5" / digest[:2] / digest[2:]).unlink()

    @contextmanager
    def without_remote(self):
        """The remote is away, and comes back."""
        away = self.remote.rename(self.folder / "away")
        self.remote.touch()  # where a folder should be
        yield
        self.remote.unlink()
        away.rename(self.remote)

    def ran(self):
        """The stages that ran since the last time."""
        file = self.folder / "ran"
        stages = file.read_text().split()
        file.write_text("")
        return stages


@pytest.fixture
def real(tmp_path, capfd, monkeypatch):
    """A fleet whose tasks call DVC as a process of its own."""
    return Fleet(tmp_path, capfd, monkeypatch)


@pytest.fixture
def fleet(real, monkeypatch):
    """A fleet whose tasks call DVC inside this process, which has imported it already."""

    def status(_, how, *addresses):
        with Repo() as repo:
            return json.dumps(repo.status(targets=list(addresses)))

    monkeypatch.setattr(shell, "dvc", lambda *arguments: dvc.cli.main(list(arguments)))
    monkeypatch.setattr(shell, "PAUSES", ())
    monkeypatch.setattr(shell, "answer", status)
    return real


ONCE = ["fetch", "prepare", "train", "evaluate"]


@pytest.mark.spine
def test_tasks_hand_on_what_they_have_made_between_workers_of_two_kinds(real):
    locks = real.all()
    assert real.ran() == ONCE
    assert set(locks) == {"d.data", "x.train", "x.evaluate"}
    assert [*locks["d.data"], *locks["x.evaluate"]] == ["data/d/dvc.lock", "experiments/x/dvc.lock"]
    real.write(locks)
    with chdir(real.origin):
        shell.configure(str(real.remote), None)
        assert shell.dvc("pull", "experiments/x/dvc.yaml:train") == 0
        assert Path("experiments/x/model").read_text().split() == ["cpu", "gpu", "x"]


@pytest.mark.spine
def test_results_of_another_kind_of_machine_that_are_in_no_remote_are_made_anew(fleet):
    fleet.write(fleet.all(kind="older"))
    for known in ("remote", "cpu", "gpu"):
        shutil.rmtree(fleet.folder / known)
    fleet.ran()
    assert "x.evaluate" in fleet.all()
    assert fleet.ran() == ONCE


@pytest.mark.all
def test_what_the_commit_and_the_remote_have_is_run_by_no_worker(fleet):
    fleet.write(fleet.all())
    fleet.ran()
    for address in (DATA, TRAIN, EVALUATE):
        fleet.made("run", address, worker="cpu2")
    assert fleet.task("find", TRAIN, worker="cpu3")[0] == 99
    assert fleet.ran() == []


@pytest.mark.all
def test_a_machine_that_helps_another_one_makes_and_pushes_nothing(fleet, monkeypatch):
    (fleet.origin / "pipelines").mkdir()
    (fleet.origin / "pipelines/stage.sh").write_text("echo helped $1 $2 >> $RAN\n")
    fleet.commit("a stage of its own")
    locks = fleet.made("run", DATA)
    fleet.ran()
    monkeypatch.setenv("EVERMODEL_COORDINATOR", "there:1234")
    monkeypatch.setenv("JOB_COMPLETION_INDEX", "1")
    assert fleet.task("run", TRAIN, worker="second", locks=locks) == (0, "{}")
    assert fleet.ran() == ["helped", "train", "x"]
    monkeypatch.setenv("JOB_COMPLETION_INDEX", "0")
    fleet.made("run", TRAIN, worker="first", locks=locks)
    assert fleet.ran() == ["train"]
    monkeypatch.setenv("JOB_COMPLETION_INDEX", "1")
    locks |= fleet.made("run", TRAIN, worker="first", locks=locks)
    assert fleet.ran() == ["helped", "train", "x"], "its dvc.lock was not handed on yet"


@pytest.mark.all
def test_looking_for_a_result_runs_nothing(fleet):
    locks = fleet.made("run", DATA)
    fleet.ran()
    assert fleet.task("find", TRAIN, locks=locks) == (0, "{}")
    assert fleet.task("find", TRAIN, locks=locks, force=True) == (0, "{}")
    assert fleet.ran() == []


@pytest.mark.spine
def test_a_training_that_could_not_be_pushed_is_pushed_by_the_retry_and_not_run_again(fleet):
    locks = fleet.made("run", DATA)
    fleet.task("find", TRAIN, worker="gpu", locks=locks)  # so that its data are in the cache of this worker
    fleet.ran()
    with fleet.without_remote():
        assert fleet.task("run", TRAIN, worker="gpu", locks=locks)[0] != 0
    assert fleet.ran() == ["train"]
    locks |= fleet.made("run", TRAIN, worker="gpu", locks=locks)
    assert fleet.ran() == []
    fleet.made("run", EVALUATE, worker="cpu2", locks=locks)


@pytest.mark.all
def test_without_the_remote_a_task_fails_rather_than_train_what_is_there(fleet):
    locks = fleet.all()
    fleet.ran()
    with fleet.without_remote(), pytest.raises(EvermodelError, match=r"could not look .*x/dvc\.yaml:train"):
        fleet.task("run", TRAIN, worker="gpu2", locks=locks)
    assert fleet.ran() == []


@pytest.mark.all
def test_a_forced_stage_runs_though_its_result_is_there_and_those_before_it_do_not(fleet):
    locks = fleet.all()
    fleet.ran()
    assert fleet.made("run", TRAIN, worker="gpu", locks=locks, force=True)
    assert fleet.ran() == ["train"]
    fleet.made("run", DATA, locks=locks, force=True)
    assert fleet.ran() == ["fetch", "prepare"]


@pytest.mark.all
@pytest.mark.parametrize(("address", "tasks"), [(TRAIN, "d.data"), (EVALUATE, "d.data or x.train")])
def test_a_stage_whose_input_was_never_made_is_rejected_with_the_task_to_clear(fleet, address, tasks):
    with pytest.raises(EvermodelError, match=rf"{address} needs .* {tasks}$"):
        fleet.task("run", address)
    assert fleet.ran() == []


@pytest.mark.all
def test_data_of_which_a_part_is_lost_are_trained_on_by_nobody(fleet):
    locks = fleet.made("run", DATA)
    fleet.ran()
    files = [file for file in fleet.remote.rglob("*") if file.is_file() and not file.name.endswith(".dir")]
    next(file for file in files if file.read_text() == "cpu\n").unlink()
    with pytest.raises(EvermodelError, match=r"clear the task d\.data"):
        fleet.task("run", TRAIN, worker="gpu", locks=locks)
    assert fleet.ran() == []


@pytest.mark.all
def test_a_worker_with_other_packages_than_the_commit_is_made_for_refuses_its_tasks(fleet):
    lock = fleet.origin / "requirements/numbers.lock"
    lock.parent.mkdir()
    lock.write_text("numpy==0.1 \\\n    --hash=sha256:beef\n")
    fleet.commit("another numpy")
    for step, address in (("begin", ()), ("run", (DATA,)), ("publish", ("x",))):
        with pytest.raises(
            EvermodelError, match=r"of numpy, .* is installed, the lock of the commit says 0\.1"
        ):
            fleet.task(step, *address)
    assert fleet.ran() == []


@pytest.mark.all
def test_a_stage_that_fails_fails_its_task(fleet):
    (fleet.origin / "source").unlink()
    fleet.commit("no source")
    assert fleet.task("run", DATA)[0] != 0
    assert fleet.ran() == []


@pytest.mark.all
def test_settings_make_the_same_commit_in_every_clone_and_another_result(fleet):
    heads = set()
    locks = fleet.made("run", DATA)
    for worker in ("cpu", "gpu"):
        fleet.made("run", TRAIN, worker=worker, locks=locks, overrides=["experiments.x.train.rate=2"])
        heads.add(fleet.head)
    assert len(heads) == 1
    fleet.ran()
    fleet.made("run", TRAIN, locks=locks)
    assert fleet.ran() == ["train"], "it has another result without them"


@pytest.fixture
def published(fleet, monkeypatch):
    """A function that publishes experiments, and returns the exit code and the files of its branch."""
    known = {name: SimpleNamespace(dataset="d") for name in ("x", "y")}
    loaded = SimpleNamespace(experiments=known, experiment=known.__getitem__)
    monkeypatch.setattr(repository, "load", lambda: loaded)
    monkeypatch.setattr(publication, "assets", lambda names: {"published": list(names)})

    def publish(*names, **options):
        code, fleet.last = fleet.task("publish", *names, **options)
        with chdir(fleet.origin):
            return code, checkout.git("diff", "--name-only", "main...runs/retrain-x/run").split()

    return publish


@pytest.mark.spine
def test_what_is_published_has_the_results_that_there_are_and_merges_with_those_of_others(fleet, published):
    locks = fleet.all()
    locks |= fleet.made("run", "experiments/y/dvc.yaml:train", locks=locks)
    assert published("x", "y", locks=locks) == (0, ["data/d/dvc.lock", "experiments/x/dvc.lock"])
    assert "y has no result" in fleet.said
    assert json.loads(fleet.last) == {"assets": {"published": ["x"]}, "faults": {}}
    fleet.write({"y.train": locks["y.train"]})
    with chdir(fleet.origin):
        checkout.git(*WHO, "merge", "--quiet", "runs/retrain-x/run")
        assert "path: promotion.json" in Path("experiments/x/dvc.lock").read_text()


@pytest.mark.all
def test_the_registry_is_asked_at_each_publishing_and_nothing_else_runs(fleet, published):
    locks = fleet.all()
    fleet.ran()
    first = published("x", locks=locks)
    assert published("x", locks=locks) == first
    assert fleet.ran() == ["promote", "promote"]


@pytest.mark.spine
def test_the_heads_of_ledgers_are_in_the_commit_and_make_one_where_nothing_else_is_new(
    fleet, published, monkeypatch
):
    def moving(names):
        return [f"{anchor.KEY}: {name} beef {ran.read_text().count('promote')} cafe" for name in names]

    ran, locks = fleet.folder / "ran", fleet.all()
    monkeypatch.setattr(anchor, "trailers", moving)
    published("x", locks=locks)
    with chdir(fleet.origin):
        checkout.git(*WHO, "merge", "--quiet", "runs/retrain-x/run")
    assert published("x", locks=locks) == (0, []), "no file is new"
    with chdir(fleet.origin):
        form = f"--format=%(trailers:key={anchor.KEY})"
        assert (
            checkout.git("show", "--no-patch", form, "runs/retrain-x/run") == f"{anchor.KEY}: x beef 2 cafe"
        )
    monkeypatch.setattr(anchor, "trailers", lambda names: [])
    published("x", locks=locks)
    assert "nothing to push" in fleet.said


@pytest.mark.all
def test_without_any_result_nothing_is_published(fleet, published):
    code, _ = fleet.task("publish", "x")
    assert code == steps.NOTHING_TO_DO
    with chdir(fleet.origin):
        assert checkout.git("branch", "--list", "runs/*") == ""


def with_another(fleet):
    """What the tasks of two experiments on one data set have handed over."""
    locks = fleet.all()
    for address, worker in ((OTHER_TRAIN, "gpu"), (OTHER_EVALUATE, "cpu")):
        locks |= fleet.made("run", address, worker=worker, locks=locks)
    return locks


def told(fleet):
    """The experiments whose events are told, and what is wrong with which."""
    last = json.loads(fleet.last)
    return last["assets"].get("published", []), last["faults"]


@pytest.mark.spine
def test_a_promotion_that_fails_is_told_and_swallows_nothing_of_the_others(fleet, published):
    file = fleet.origin / "experiments/x/dvc.yaml"
    pipeline = yaml.safe_load(file.read_text())
    pipeline["stages"]["promote"]["cmd"] = "exit 1"
    file.write_text(yaml.safe_dump(pipeline, sort_keys=False))
    fleet.commit("nobody is asked")
    code, files = published("x", "y", locks=with_another(fleet))
    assert code == 0
    assert {"experiments/x/dvc.lock", "experiments/y/dvc.lock"} <= set(files)
    names, faults = told(fleet)
    assert "y" in names
    assert list(faults) == ["x"]
    assert "its promotion failed" in faults["x"]


@pytest.mark.spine
def test_a_result_that_nobody_has_is_told_by_name_and_task_and_all_else_is_published(fleet, published):
    locks = with_another(fleet)
    fleet.forget("experiments/y/model", locks["y.train"])
    code, files = published("x", "y", locks=locks, worker="cpu2")
    assert (code, files) == (0, ["data/d/dvc.lock", "experiments/x/dvc.lock"])
    names, faults = told(fleet)
    assert names == ["x"]
    assert list(faults) == ["y"]
    assert "has all of experiments/y/model; clear the task y.train with all after it" in faults["y"]


@pytest.mark.all
def test_two_results_of_one_data_set_are_told_for_whoever_used_the_other(fleet, published):
    locks = fleet.all()
    locks |= fleet.made("run", DATA, worker="gpu", locks=locks, force=True)  # other bytes, later
    for address in (OTHER_TRAIN, OTHER_EVALUATE):
        locks |= fleet.made("run", address, locks=locks)
    code, files = published("x", "y", locks=locks)
    assert (code, files) == (0, ["data/d/dvc.lock", "experiments/y/dvc.lock"])
    names, faults = told(fleet)
    assert names == ["y"]
    assert (
        "x/dvc.yaml:train was made from something else than this run has by now; clear the task x.train"
        in (faults["x"])
    )


@pytest.mark.all
def test_without_the_remote_what_the_worker_has_itself_is_published_and_the_rest_is_told(fleet, published):
    locks = with_another(fleet)
    fleet.task("find", "experiments/x/dvc.yaml:evaluate", locks=locks)  # its model is in this cache as well
    shutil.rmtree(fleet.folder / "cpu2", ignore_errors=True)
    with fleet.without_remote():
        code, files = published("x", "y", locks=locks)
        assert code == 0
        assert "experiments/x/dvc.lock" in files
        assert told(fleet) == (["x", "y"], {})
        assert published("x", "y", locks=locks, worker="cpu2")[0] == 0
    names, faults = told(fleet)
    assert names == []
    assert list(faults) == ["x", "y"]


def reasons(fleet):
    """Why each promotion since the last time was to report only; empty where it was not."""
    file = fleet.folder / "ran.why"
    lines = file.read_text().splitlines()
    file.unlink()
    return lines


@pytest.mark.spine
def test_a_form_that_touches_what_judges_an_experiment_has_it_reported_only(fleet, published):
    overrides = ["experiments.x.promotion={floor: 0}", "experiments.y.train.rate=2"]
    locks = fleet.made("run", DATA, overrides=overrides)
    for address in (TRAIN, EVALUATE, OTHER_TRAIN, OTHER_EVALUATE):
        locks |= fleet.made("run", address, locks=locks, overrides=overrides)
    assert published("x", "y", locks=locks, overrides=overrides)[0] == 0
    assert reasons(fleet) == ["the form of the run says experiments.x.promotion={floor: 0}", ""]


@pytest.mark.all
def test_a_commit_that_the_default_branch_has_left_behind_is_reported_only(fleet, published):
    with chdir(fleet.origin):
        older = checkout.git("rev-parse", "HEAD")
    locks = fleet.all()
    fleet.commit("later")
    published("x", locks=locks, commit=older)
    assert reasons(fleet) == [f"{older[:12]} is not the head of the default branch"]
    published("x", locks=locks, commit="main")
    assert reasons(fleet) == [""]


@pytest.mark.spine
def test_a_commit_that_is_not_of_the_default_branch_is_published_and_nobody_is_asked(fleet, published):
    with chdir(fleet.origin):
        checkout.git("checkout", "--quiet", "-b", "feature")
        fleet.commit("tried out")
        checkout.git("checkout", "--quiet", "main")
    locks = fleet.all(commit="feature")
    fleet.ran()
    code, files = published("x", locks=locks, commit="feature")
    assert (code, files) == (0, ["data/d/dvc.lock", "experiments/x/dvc.lock"])
    assert "is not in the history of the default branch" in fleet.said
    assert fleet.ran() == []


def test_a_run_begins_with_the_commit_and_rejects_what_can_be_known_to_fail(workspace, capsys, monkeypatch):
    subprocess.run(["git", "init", "--quiet"], check=True)
    subprocess.run([*shell.DVC, "init", "--quiet"], check=True)
    subprocess.run(["git", "add", "--all"], check=True)
    subprocess.run(["git", *WHO, "commit", "--quiet", "-m", "first"], check=True)
    head = checkout.git("rev-parse", "HEAD")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    monkeypatch.setenv("EVERMODEL_REMOTE", str(workspace / "remote"))
    assert steps.begin(Settings(overrides=("runtime.seed=7",))) == 0
    assert capsys.readouterr().out.splitlines()[-1] == head
    assert checkout.git("show", "--no-patch", "--format=%s") == "Set runtime.seed=7"
    with pytest.raises(EvermodelError, match="'nowhere'"):
        steps.begin(Settings(experiments=("nowhere",)))
    monkeypatch.delenv("EVERMODEL_REMOTE")
    with pytest.raises(EvermodelError, match="EVERMODEL_REMOTE"):
        steps.begin(Settings())
    monkeypatch.delenv("MLFLOW_TRACKING_URI")
    with pytest.raises(EvermodelError, match="MLFLOW_TRACKING_URI"):
        steps.main("begin")


def test_dvc_reads_remote_and_cache_as_they_are_named(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    subprocess.run([*shell.DVC, "init", "--quiet", "--no-scm"], check=True)
    address = """ssh://me:"p,w"@host/a b#é"""
    shell.configure(address, "a cache")
    remotes, cache = (
        subprocess.run([*shell.DVC, *command], check=True, capture_output=True, text=True).stdout.strip()
        for command in (("remote", "list"), ("cache", "dir"))
    )
    assert re.split(r"\s{2,}", remotes) == ["evermodel", address, "(default)"]
    assert cache == str(tmp_path / "a cache")


@pytest.mark.parametrize(
    ("run", "branch"),
    [
        (
            "retrain.x/manual__2026-11-21T12:00:00.5+00:00",
            "runs/retrain-x/manual__2026-11-21T12-00-00-5-00-00",
        ),
        ("a/../b~^: c.lock", "runs/a/-/b-c-lock"),
    ],
)
def test_a_branch_is_named_after_the_run_as_git_allows(run, branch):
    assert publication.branch(run) == branch
    subprocess.run(["git", "check-ref-format", "--branch", branch], check=True)


@pytest.fixture
def champions(monkeypatch):
    """A registry in which four experiments have champions, and what a rebuild of one would find."""
    four = sorted(file.parent.name for file in ROOT.glob("experiments/*/params.yaml"))[:4]
    found = {"verdict": "EXACT", "same_kind": True}
    drawn = []

    def rebuild(target):
        drawn.append(target)
        return SimpleNamespace(sentence="so it is", comparison=Comparison(stage=None, reasons=(), **found))

    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    monkeypatch.setattr(tracking, "connect", lambda: None)
    monkeypatch.setattr(registry, "champion", lambda client, name: name in four)
    monkeypatch.setattr(experiments, "rebuild", rebuild)
    return SimpleNamespace(names=four, found=found, drawn=drawn)


def test_a_run_draws_the_same_champion_at_each_try_and_other_runs_draw_others(champions, monkeypatch):
    for run in [f"rebuild/{week}" for week in range(40)]:
        monkeypatch.setenv("EVERMODEL_RUN", run)
        assert [steps.main("rebuild"), steps.main("rebuild")] == [0, 0]
    assert champions.drawn[::2] == champions.drawn[1::2]
    assert set(champions.drawn) == {f"{name}@champion" for name in champions.names}


@pytest.mark.parametrize(
    ("verdict", "same_kind", "code"),
    [("EXACT", True, 0), ("EQUIVALENT", True, 1), ("EQUIVALENT", False, 0)],
)
def test_a_rebuild_that_is_not_what_it_should_be_fails_its_task(
    champions, monkeypatch, capsys, verdict, same_kind, code
):
    monkeypatch.setenv("EVERMODEL_RUN", "rebuild/now")
    champions.found.update(verdict=verdict, same_kind=same_kind)
    assert steps.main("rebuild") == code
    assert capsys.readouterr().out == "so it is\n"


def test_where_nobody_is_champion_there_is_nothing_to_rebuild(champions, monkeypatch):
    champions.names.clear()
    assert steps.main("rebuild") == steps.NOTHING_TO_DO
    monkeypatch.delenv("MLFLOW_TRACKING_URI")
    with pytest.raises(EvermodelError, match="MLFLOW_TRACKING_URI is not set"):
        steps.main("rebuild")


@pytest.fixture
def asked(monkeypatch):
    """Who was told what of boston_dnn, of which version 3 waits for approval."""
    told = []
    waits = SimpleNamespace(version=3, after=2, reason="better")
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    monkeypatch.setenv("EVERMODEL_VERSION", "3")
    monkeypatch.setattr(experiments, "waiting", lambda name: waits if name == "boston_dnn" else None)
    monkeypatch.setattr(experiments, "decide", lambda *said: told.append(said))
    return told


def test_what_waits_for_approval_is_told_in_json_and_where_nothing_does_the_task_is_skipped(asked, capsys):
    assert steps.main("waiting", "boston_dnn") == 0
    assert json.loads(capsys.readouterr().out) == {"version": 3, "champion": 2, "reason": "better"}
    assert steps.main("waiting", "boston_linear") == steps.NOTHING_TO_DO


def test_the_answer_is_about_the_version_that_was_asked_about(asked, capsys, monkeypatch):
    line = SimpleNamespace(version=3, action="promote", sha256="beef")
    monkeypatch.setattr("evermodel.publishing.ledger.read", lambda file: [line])
    assert steps.main("approve", "boston_dnn") == 0
    assert json.loads(capsys.readouterr().out.splitlines()[-1]) == {"version": "3", "sha256": "beef"}
    assert steps.main("reject", "boston_dnn") == 0
    assert asked == [("boston_dnn", "approve", 3), ("boston_dnn", "reject", 3)]


@pytest.mark.parametrize("answer", ["approve", "reject"])
def test_a_retry_finds_what_the_try_before_has_written_and_nothing_else(asked, monkeypatch, answer):
    def decline(name, how, version):
        raise EvermodelError("no version waits")

    monkeypatch.setattr(experiments, "decide", decline)
    written = SimpleNamespace(version=3, action={"approve": "promote"}.get(answer, answer), sha256="beef")
    monkeypatch.setattr("evermodel.publishing.ledger.read", lambda file: [written])
    assert steps.main(answer, "boston_dnn") == 0
    for lines in (
        [],
        [SimpleNamespace(version=4, action=written.action)],
        [SimpleNamespace(version=3, action="keep")],
    ):
        monkeypatch.setattr("evermodel.publishing.ledger.read", lambda file, lines=lines: lines)
        with pytest.raises(EvermodelError, match="no version waits"):
            steps.main(answer, "boston_dnn")


def test_scoring_is_told_whose_champion_reads_what_and_where_the_answers_go(asked, monkeypatch, capsys):
    given = []

    def score(name, values, paths, out):
        given.append((name, paths, out))
        return SimpleNamespace(sentence="done")

    monkeypatch.setattr(experiments, "score", score)
    wanted = {"experiment": "unet", "inputs": "/data/in", "out": "/data/out.parquet"}
    monkeypatch.setenv("EVERMODEL_SETTINGS", json.dumps(wanted))
    assert steps.main("score") == 0
    assert given == [("unet", [Path("/data/in")], Path("/data/out.parquet"))]
    assert capsys.readouterr().out == "done\n"


@pytest.mark.parametrize("step", ["waiting", "approve", "reject", "score"])
def test_without_a_server_nothing_is_asked_answered_or_scored(asked, monkeypatch, step):
    monkeypatch.delenv("MLFLOW_TRACKING_URI")
    wanted = {"experiment": "unet", "inputs": "/in", "out": "/out"}
    monkeypatch.setenv("EVERMODEL_SETTINGS", json.dumps(wanted if step == "score" else {}))
    with pytest.raises(EvermodelError, match="MLFLOW_TRACKING_URI is not set"):
        steps.main(step, *(["boston_dnn"] if step != "score" else []))
