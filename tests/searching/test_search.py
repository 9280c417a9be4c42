import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import optuna
import pytest
from mlflow.tracking import MlflowClient
from typer.testing import CliRunner

from evermodel import repository
from evermodel.cli import app
from evermodel.core import data, folders
from evermodel.core.errors import EvermodelError
from evermodel.publishing import choice, studies
from evermodel.searching import search, study
from evermodel.training import identity
from tests.specs import make_spec

pytestmark = pytest.mark.filterwarnings("ignore::optuna.exceptions.ExperimentalWarning")
FILE = Path("experiments/boston_linear/params.yaml")
SECTION = "search: {metric: mae, trials: %d, folds: 3, space: {options.alpha: {log: [0.01, 100000.0]}}}\n"


@pytest.fixture
def ridge(boston, edit, monkeypatch, empty_store):
    """A function that commits boston_linear with a penalty and a search of a better one."""
    for role in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{role}_NAME", "me")
        monkeypatch.setenv(f"GIT_{role}_EMAIL", "me@localhost")
    empty_store(boston)
    Path(".gitignore").write_text("/data/*/prepared/\n/.evermodel/\n/searches/\n/ml*\n")
    git("init", "--quiet", "-b", "main")

    def write(alpha, trials=5):
        edit(str(FILE), "options: {}", f"options: {{alpha: {alpha}}} # a penalty")
        FILE.write_text(FILE.read_text() + SECTION % trials)
        git("add", ".")
        git("commit", "--quiet", "-m", "first")
        return FILE.read_text()

    return write


def git(*arguments):
    return subprocess.run(["git", *arguments], capture_output=True, text=True, check=True).stdout


def run(*arguments):
    done = CliRunner().invoke(app, ["search", "boston_linear", *arguments])
    assert done.exit_code == 0, done.output
    return done.stdout


def planned():
    return study.plan(repository.load(), "boston_linear")


def opened():
    plan = planned()
    return study.load(plan, study.key(plan))


def test_what_is_better_is_a_branch_and_a_run_in_mlflow(ridge):
    before = ridge(100000.0)
    told = run("-j", "2")
    assert "trial 0 of 5: mae" in told
    assert "see `git show search/boston_linear`, and merge it" in told
    assert FILE.read_text() == before
    assert git("status", "--porcelain") == ""
    added, removed = (
        [
            line
            for line in git("diff", "main", "search/boston_linear", "--", str(FILE)).split("\n")
            if line[:2] == sign
        ]
        for sign in ("+o", "-o")
    )
    chosen = choice.Choice.model_validate_json(
        git("show", f"search/boston_linear:{choice.file_of('boston_linear')}")
    )
    assert removed == ["-options: {alpha: 100000.0} # a penalty"]
    assert added == [f"+options: {{alpha: {chosen.values['options.alpha']}}} # a penalty"]
    assert (chosen.trials, chosen.folds, chosen.before) == (5, 3, {"options.alpha": 100000.0})
    assert chosen.score < chosen.score_before
    assert chosen.chance < 0.05
    assert f"Study: {chosen.study}" in git("log", "-1", "--format=%B", "search/boston_linear")
    assert git("show", "search/boston_linear:experiments/boston_linear/search.png") if False else True
    client = MlflowClient("sqlite:///mlflow.db")
    known = client.get_experiment_by_name(studies.experiment("boston_linear"))
    runs = client.search_runs([known.experiment_id])
    (parent,) = [one for one in runs if one.data.tags.get(studies.STUDY) == chosen.study]
    trials = [one for one in runs if one.data.tags.get("mlflow.parentRunId") == parent.info.run_id]
    assert parent.data.metrics["mae"] == pytest.approx(chosen.score)
    assert Counter(one.info.status for one in trials) == {"FINISHED": 5 - chosen.given_up} | (
        {"KILLED": chosen.given_up} if chosen.given_up else {}
    )
    assert client.get_experiment_by_name("boston_linear") is None  # whose runs are trainings


def test_what_is_better_is_written_into_the_work_tree_if_so_asked(ridge, monkeypatch):
    before = ridge(100000.0)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:1")  # where nobody answers
    FILE.write_text(f"{before}# not committed\n")
    told = run("--apply")
    chosen = choice.read("boston_linear")
    alpha = chosen.values["options.alpha"]
    assert FILE.read_text() == f"{before}# not committed\n".replace("100000.0} #", f"{alpha}}} #")
    assert "`evermodel run boston_linear` trains it" in told
    assert chosen.made("sample", repository.load().experiment("boston_linear"))
    assert not chosen.made("full", repository.load().experiment("boston_linear"))
    assert git("branch", "--list", "search/*") == ""


def test_nothing_better_leaves_all_as_it_is_and_is_known_of_a_study_from_then_on(ridge, monkeypatch):
    before = ridge(1.0)
    monkeypatch.setattr(search, "compared", lambda *given: ({"today": 3.0, "found": 2.9}, 0.2))
    first = run()
    assert "no more than luck may be" in first
    assert FILE.read_text() == before
    assert git("branch", "--list", "search/*") == ""
    chosen = choice.read("boston_linear")
    assert chosen.values == chosen.before != chosen.found
    monkeypatch.setattr(search, "compared", None)  # which is not asked again
    assert run().splitlines()[-1] == first.splitlines()[-1]


def test_the_test_rows_are_not_there(ridge):
    ridge(1.0, trials=1)
    assert not (folders.prepared("boston_housing") / "test").exists()
    assert "nothing is better than today's values" in run()


def test_ctrl_c_ends_all_and_the_same_command_goes_on(ridge):
    ridge(1.0, trials=60)
    command = [
        sys.executable,
        "-c",
        "from evermodel.cli import app; app()",
        "search",
        "boston_linear",
        "-j",
        "2",
    ]
    working = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    assert working.stdout.readline().startswith("trial ")
    working.send_signal(signal.SIGINT)
    _, told = working.communicate(timeout=120)
    assert working.returncode == 130
    assert "the same command goes on" in told
    assert not study.running(opened())
    done = len(study.ended(opened()))
    assert 0 < done < 60
    edited = FILE.read_text().replace("trials: 60", f"trials: {done + 1}")
    FILE.write_text(edited)
    run("--apply")
    assert len(study.ended(opened())) == done + 1


def test_a_killed_worker_is_replaced(ridge, monkeypatch):
    ridge(1.0, trials=3)
    monkeypatch.setattr(study, "BEAT", 1)
    monkeypatch.setattr(study, "GRACE", 2)
    plan = planned()
    crew = search.Crew(plan, study.create(plan), 1)
    while not study.running(crew.study):
        assert crew.workers[0].process.poll() is None
        time.sleep(0.1)
    crew.workers[0].process.kill()
    # Its successor waits for the grace of the others' settings before it takes the trial over.
    crew.study._storage._backend.heartbeat_interval = 1
    crew.work()
    assert len(study.ended(opened())) == 3
    assert not study.running(opened())


def test_a_worker_that_can_not_go_on_ends_the_search_in_its_words(ridge):
    ridge(1.0)
    shutil.rmtree(folders.prepared("boston_housing") / "validation")
    done = CliRunner().invoke(app, ["search", "boston_linear"])
    assert done.exit_code == 1
    assert "the search of boston_linear stopped:" in done.stderr
    assert "Traceback" not in done.stderr


def test_what_no_test_goes_over_is_refused_before_anything_is_trained(workspace, monkeypatch):
    file = workspace / "experiments/face_recognition/params.yaml"
    text = file.read_text()
    file.write_text(
        f"{text}search: {{metric: verification_auc, trials: 2, space: {{train.epochs: [1, 99]}}}}\n"
    )
    monkeypatch.setattr(data, "load_spec", lambda *given: make_spec("images", classes=("a", "b")))
    with pytest.raises(EvermodelError, match="compare by another metric"):
        search.search(repository.load(), "face_recognition", 1, False)


def test_a_section_for_a_search_retrains_nothing(boston):
    before = identity.key("boston_linear")
    with FILE.open("a") as file:
        file.write("search: {metric: mae, trials: 3, folds: 0, space: {options.alpha: [0.0, 1.0]}}\n")
    assert identity.key("boston_linear") == before


def test_a_study_of_a_thousand_trials_costs_list_nothing(workspace):
    Path("searches").mkdir()
    made = optuna.create_study(storage="sqlite:///searches/boston_linear.db", study_name="boston_linear@1")
    made.add_trials([optuna.create_trial(value=1.0) for _ in range(3)])
    program = "import sys; from evermodel.cli import app; app(['list'], standalone_mode=False); print('optuna' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.split()[-1] == "False"
