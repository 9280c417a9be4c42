"""What a task does in its checkout, with stages that are one line of shell."""

import json
import re
import subprocess
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml

from evermodel import experiments, workers
from evermodel.core import params
from evermodel.core.errors import EvermodelError
from evermodel.publishing import registry, tracking
from evermodel.rebuilding.comparison import Comparison, Verdict
from evermodel.scheduling import checkout, shell, steps
from evermodel.scheduling.settings import Settings

pytestmark = pytest.mark.pipeline
ROOT = Path(__file__).parents[2]
STAGES = {
    "fetch": {"cmd": "echo fetch >> ../ran; cp source raw", "deps": ["source"], "outs": ["raw"]},
    "train": {
        "cmd": "echo train >> ../ran; cp raw model",
        "deps": ["raw"],
        "params": ["runtime.seed"],
        "outs": ["model"],
    },
}
LANES = {"fetch": "d", "train": "x"}


@pytest.fixture
def clone(workspace, tmp_path, monkeypatch):
    """A function that makes a fresh clone of a repository with two stages, and goes there."""
    origin = tmp_path / "origin"
    origin.mkdir()
    for name in ("params.yaml", "data"):
        (tmp_path / name).rename(origin / name)
    (origin / "source").write_text("1")
    stages = {kind: {"foreach": [LANES[kind]], "do": stage} for kind, stage in STAGES.items()}
    (origin / "dvc.yaml").write_text(yaml.safe_dump({"stages": stages}))
    monkeypatch.chdir(origin)
    (tmp_path / "remote").mkdir()
    for command in (["git", "init", "--quiet"], [*workers.DVC, "init", "--quiet"], ["git", "add", "."]):
        subprocess.run(command, check=True)
    commit("first")
    monkeypatch.setenv("DVC_SITE_CACHE_DIR", str(tmp_path / "site"))
    monkeypatch.setenv("EVERMODEL_REMOTE", str(tmp_path / "remote"))
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    made = []

    def make():
        folder = tmp_path / f"clone-{len(made)}"
        made.append(folder)
        subprocess.run(["git", "clone", "--quiet", origin, folder], check=True)
        monkeypatch.chdir(folder)
        return folder

    return make


def commit(message):
    who = ("-c", "user.name=Test", "-c", "user.email=test@example.com")
    subprocess.run(["git", *who, "commit", "--quiet", "-am", message], check=True)


def ran(tmp_path):
    file = tmp_path / "ran"
    return file.read_text().split() if file.exists() else []


def test_a_stage_runs_once_and_every_other_clone_takes_its_result(clone, tmp_path):
    for stage in ("fetch@d", "train@x"):
        clone()
        assert steps.run(Settings(), stage) == 0
    assert ran(tmp_path) == ["fetch", "train"]
    clone()
    assert steps.run(Settings(), "train@x") == 0
    assert Path("model").read_text() == "1"
    assert ran(tmp_path) == ["fetch", "train"]


def test_looking_for_a_result_runs_nothing(clone, tmp_path):
    clone()
    steps.run(Settings(), "fetch@d")
    clone()
    assert steps.restore(Settings(), "train@x") == 0
    assert ran(tmp_path) == ["fetch"]
    clone()
    steps.run(Settings(), "train@x")
    clone()
    assert steps.restore(Settings(), "train@x") == 99
    assert steps.restore(Settings(force=True), "train@x") == 0
    assert ran(tmp_path) == ["fetch", "train"]


def test_a_forced_stage_runs_though_its_result_is_there_and_those_before_it_do_not(clone, tmp_path):
    for settings in (Settings(), Settings(force=True)):
        for stage in ("fetch@d", "train@x") if not settings.force else ("train@x",):
            clone()
            steps.run(settings, stage)
    assert ran(tmp_path) == ["fetch", "train", "train"]


def test_a_stage_whose_input_was_never_made_is_refused_rather_than_made(clone, tmp_path):
    clone()
    with pytest.raises(EvermodelError, match="train@x needs fetch@d, which has no result"):
        steps.run(Settings(), "train@x")
    assert ran(tmp_path) == []


def test_a_stage_that_fails_fails_its_task(clone):
    clone()
    Path("source").unlink()
    with pytest.raises(EvermodelError):
        steps.run(Settings(), "train@x")
    assert steps.run(Settings(), "fetch@d") != 0


def test_settings_make_the_same_commit_in_every_clone_and_another_result(clone, tmp_path):
    chosen, heads = Settings(overrides=("runtime.seed=7",)), set()
    for stage in ("fetch@d", "train@x"):
        clone()
        assert steps.run(chosen, stage) == 0
        heads.add(checkout.git("rev-parse", "HEAD"))
        assert checkout.git("show", "--no-patch", "--format=%s") == "Set runtime.seed=7"
    assert len(heads) == 1
    clone()
    assert steps.restore(Settings(), "train@x") == 0, "it has another result without them"


def test_a_run_begins_with_the_commit_and_refuses_what_can_be_known_to_fail(clone, capsys, monkeypatch):
    clone()
    head = checkout.git("rev-parse", "HEAD")
    assert steps.begin(Settings(overrides=("runtime.seed=7",))) == 0
    assert capsys.readouterr().out.splitlines()[-1] == head
    with pytest.raises(EvermodelError, match="no experiment 'nowhere'"):
        steps.begin(Settings(experiments=("nowhere",)))
    clone()
    monkeypatch.delenv("EVERMODEL_REMOTE")
    with pytest.raises(EvermodelError, match="DVC has no remote here; set EVERMODEL_REMOTE"):
        steps.begin(Settings())
    monkeypatch.delenv("MLFLOW_TRACKING_URI")
    with pytest.raises(EvermodelError, match="MLFLOW_TRACKING_URI is not set"):
        steps.begin(Settings())


def test_dvc_reads_the_remote_as_it_is_named(clone):
    clone()
    address = """ssh://me:"p,w"@host/a b#é"""
    shell.use_remote(address)
    told = subprocess.run([*workers.DVC, "remote", "list"], check=True, capture_output=True, text=True)
    assert re.split(r"\s{2,}", told.stdout.strip()) == ["evermodel", address, "(default)"]


def test_the_first_stage_that_dvc_could_not_make_is_told():
    said = "ERROR: failed to reproduce 'train@x': failed to run: false, exited with 1"
    assert shell.Done(255, said).failed == "train@x"
    assert shell.Done(255, "ERROR: unexpected error").failed == ""


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
    assert steps.branch(run) == branch
    subprocess.run(["git", "check-ref-format", "--branch", branch], check=True)


@pytest.fixture
def champions(monkeypatch):
    """A registry in which four experiments have champions, and what a rebuild of one would find."""
    four = list(params.load(ROOT / "params.yaml").experiments)[:4]
    found = {"verdict": Verdict.EXACT, "same_kind": True}
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
    [(Verdict.EXACT, True, 0), (Verdict.EQUIVALENT, True, 1), (Verdict.EQUIVALENT, False, 0)],
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
    for answer in ("approve", "refuse"):
        monkeypatch.setattr(experiments, answer, partial(lambda *said: told.append(said), answer))
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
    assert steps.main("refuse", "boston_dnn") == 0
    assert asked == [("approve", "boston_dnn", 3), ("refuse", "boston_dnn", 3)]


@pytest.mark.parametrize("answer", ["approve", "refuse"])
def test_a_retry_finds_what_the_try_before_has_written_and_nothing_else(asked, monkeypatch, answer):
    def decline(name, version):
        raise EvermodelError("no version waits")

    monkeypatch.setattr(experiments, answer, decline)
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


@pytest.mark.parametrize("step", ["waiting", "approve", "refuse", "score"])
def test_without_a_server_nothing_is_asked_answered_or_scored(asked, monkeypatch, step):
    monkeypatch.delenv("MLFLOW_TRACKING_URI")
    wanted = {"experiment": "unet", "inputs": "/in", "out": "/out"}
    monkeypatch.setenv("EVERMODEL_SETTINGS", json.dumps(wanted if step == "score" else {}))
    with pytest.raises(EvermodelError, match="MLFLOW_TRACKING_URI is not set"):
        steps.main(step, *(["boston_dnn"] if step != "score" else []))
