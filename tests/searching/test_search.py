import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from functools import partial
from pathlib import Path

import pytest
from mlflow.tracking import MlflowClient
from typer.testing import CliRunner

from evermodel import repository
from evermodel.cli import app
from evermodel.core import data, folders
from evermodel.core.errors import EvermodelError
from evermodel.publishing import choice
from evermodel.scheduling import shell, steps
from evermodel.searching import crew, cross_validation, runs, search, study, worker
from evermodel.training import identity
from tests.specs import make_spec

pytestmark = pytest.mark.filterwarnings("ignore::optuna.exceptions.ExperimentalWarning")
FILE = Path("experiments/boston_linear/params.yaml")
EPOCHS = "space: {train.epochs: [1, 99]}"
LIST = """
import sys
from evermodel.cli import app
app(["list"], standalone_mode=False)
print("optuna" in sys.modules)
"""
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


def planned():
    return study.plan(repository.load(), "boston_linear")


def opened():
    plan = planned()
    return study.load(plan, study.key(plan))


def tried():
    """A study whose trials have ended, without a process for them."""
    plan = planned()
    name = study.create(plan)
    worker.run(plan, name, 0)
    return plan, name


def test_what_is_better_is_a_branch_and_a_run_in_mlflow(ridge):
    before = ridge(100000.0)
    assert not (folders.prepared("boston_housing") / "test").exists()  # as in all tests here
    done = CliRunner().invoke(app, ["search", "boston_linear", "-j", "2"])
    assert done.exit_code == 0, done.output
    assert "trial 0 of 5: mae" in done.stdout
    assert "see `git show search/boston_linear`, and merge it" in done.stdout
    assert FILE.read_text() == before
    assert git("status", "--porcelain") == ""
    file = choice.file_of("boston_linear")
    chosen = choice.Choice.model_validate_json(git("show", f"search/boston_linear:{file}"))
    diff = git("diff", "main", "search/boston_linear", "--", str(FILE)).split("\n")
    assert [line for line in diff if line.startswith(("+o", "-o"))] == [
        "-options: {alpha: 100000.0} # a penalty",
        f"+options: {{alpha: {chosen.values['options.alpha']}}} # a penalty",
    ]
    assert (chosen.trials, chosen.folds, chosen.before) == (5, 3, {"options.alpha": 100000.0})
    assert chosen.score < chosen.score_before
    assert chosen.chance < 0.05
    assert f"Study: {chosen.study}" in git("log", "-1", "--format=%B", "search/boston_linear")
    client = MlflowClient("sqlite:///mlflow.db")
    known = client.get_experiment_by_name(runs.experiment("boston_linear"))
    found = client.search_runs([known.experiment_id])
    (parent,) = [one for one in found if one.data.tags.get(runs.STUDY) == chosen.study]
    trials = [one for one in found if one.data.tags.get("mlflow.parentRunId") == parent.info.run_id]
    assert parent.data.metrics["mae"] == pytest.approx(chosen.score)
    assert sorted(one.data.tags[runs.TRIAL] for one in trials) == [*"01234"]
    assert sum(one.info.status == "KILLED" for one in trials) == chosen.given_up
    kept = {one.path for one in client.list_artifacts(parent.info.run_id)}
    assert {"search.json", "history.png"} <= kept
    assert client.get_experiment_by_name("boston_linear") is None  # whose runs are trainings


def test_what_is_better_is_written_into_the_work_tree_if_so_asked(ridge, monkeypatch, capsys):
    before = ridge(100000.0)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:1")  # where nobody answers
    FILE.write_text(f"{before}# not committed\n")
    told = search.propose(*tried(), apply=True)
    assert "MLflow at http://127.0.0.1:1 failed" in capsys.readouterr().err
    chosen = choice.read("boston_linear")
    alpha = chosen.values["options.alpha"]
    assert FILE.read_text() == f"{before}# not committed\n".replace("100000.0} #", f"{alpha}}} #")
    assert "`evermodel run boston_linear` trains it" in told
    recipe = repository.load().experiment("boston_linear")
    assert chosen.made("sample", recipe)
    assert not chosen.made("full", recipe)
    assert git("branch", "--list", "search/*") == ""


def test_nothing_better_leaves_all_as_it_is_and_is_known_of_a_study_from_then_on(ridge, monkeypatch):
    before = ridge(1.0, trials=2)
    monkeypatch.setattr(search, "compared", lambda *given: ({"today": 3.0, "found": 2.9}, 0.2))
    monkeypatch.setattr(study, "best", lambda of: study.ended(of)[1])
    monkeypatch.setattr(search, "told_mlflow", lambda *given: None)
    plan, name = tried()
    first = search.propose(plan, name, apply=False)
    assert "no more than luck may be" in first
    assert FILE.read_text() == before
    assert git("branch", "--list", "search/*") == ""
    chosen = choice.read("boston_linear")
    assert chosen.values == chosen.before != chosen.found
    assert chosen.sentence.endswith("2 trials by mae, which found nothing better")
    monkeypatch.setattr(search, "compared", None)  # which is not asked again
    assert search.propose(plan, name, apply=False) == first


def test_the_same_search_again_names_the_same_winner_and_trains_nothing(ridge, monkeypatch):
    ridge(100000.0)
    first = search.propose(*tried(), apply=False)
    chosen = git("show", f"search/boston_linear:{choice.file_of('boston_linear')}")
    git("branch", "-D", "search/boston_linear")
    before = opened().trials
    monkeypatch.setattr(search, "compared", None)
    assert search.search(repository.load(), "boston_linear", 1, False) == first
    assert opened().trials == before
    assert git("show", f"search/boston_linear:{choice.file_of('boston_linear')}") == chosen
    git("merge", "--quiet", "search/boston_linear")
    git("branch", "-d", "search/boston_linear")
    merged = search.search(repository.load(), "boston_linear", 1, False)
    assert merged.split(";")[0] == first.split(";")[0]
    assert merged.endswith(f"{FILE} has these values")
    assert git("status", "--porcelain") == ""
    assert git("branch", "--list", "search/*") == ""


def test_nothing_is_chosen_of_no_trial(ridge):
    ridge(1.0)
    plan = planned()
    with pytest.raises(EvermodelError, match=r"no trial of study boston_linear@.* has ended yet"):
        search.verdict(plan, study.load(plan, study.create(plan)))


def test_folds_that_decide_are_others_than_those_of_trials(ridge, monkeypatch):
    ridge(1.0)
    asked = []

    def judge(recipes, rules, runtime, count, seeds, with_baseline):
        asked.append((list(recipes), runtime.seed, count, seeds, with_baseline))
        return iter(())

    monkeypatch.setattr(cross_validation, "judge", judge)
    with suppress(KeyError):  # nothing was judged
        search.compared(planned(), {"options.alpha": 2.0})
    assert asked == [(["today", "found"], planned().runtime.seed + 1, 3, 1, False)]


def test_tasks_of_airflow_do_the_same_and_fetch_no_test_rows(ridge, monkeypatch, capsys):
    ridge(100000.0, trials=3)
    pulled, origin = [], Path("../origin.git").resolve()
    git("clone", "--quiet", "--bare", ".", str(origin))
    git("remote", "add", "origin", str(origin))
    git("fetch", "--quiet", "origin", "HEAD")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:1")
    monkeypatch.setattr(steps, "prepare", lambda chosen: None)
    monkeypatch.setattr(shell, "patiently", lambda *what: pulled.append(what))
    with pytest.raises(EvermodelError, match="EVERMODEL_STUDIES is not set"):
        steps.main("study", "boston_linear")
    monkeypatch.setenv(study.STUDIES, "sqlite:///studies.db")
    monkeypatch.setenv("EVERMODEL_SETTINGS", '{"workers": 3, "profile": "as committed", "commit": null}')
    for step in (["study"], ["search", "1"], ["choose"], ["propose"]):
        assert steps.main(step[0], "boston_linear", *step[1:]) == 0
        if step == ["study"]:
            assert capsys.readouterr().out.splitlines()[-1] == "[0, 1, 2]"
    rows = folders.prepared("boston_housing")
    assert set(pulled) == {("pull", *(f"{rows}/{name}" for name in ("train", "validation", "spec.json")))}
    assert not Path("searches").exists()
    told = subprocess.run(
        ["git", "log", "-1", "--format=%s", "search/boston_linear"],
        cwd=origin, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert told.stdout == "Set options.alpha of boston_linear as a search has found\n"


def test_ctrl_c_ends_all_and_the_same_command_goes_on(ridge):
    ridge(1.0, trials=1000)
    program = "from evermodel.cli import app; app()"
    working = subprocess.Popen(
        [sys.executable, "-c", program, "search", "boston_linear"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # What a shell starts in the background ignores Ctrl-C, tests too.
        preexec_fn=partial(signal.signal, signal.SIGINT, signal.SIG_DFL),
    )
    assert working.stdout.readline().startswith("trial 0 of 1000")
    working.send_signal(signal.SIGINT)
    _, told = working.communicate()
    assert working.returncode == 130
    assert "the same command goes on" in told
    assert not study.running(opened())
    done = len(study.ended(opened()))
    assert 0 < done < 1000
    FILE.write_text(FILE.read_text().replace("trials: 1000", f"trials: {done + 1}"))
    tried()
    assert len(study.ended(opened())) == done + 1
    assert not study.running(opened())


@pytest.mark.parametrize(
    ("module", "name", "left"),
    [(study, "is_late", ["FAIL", "WAITING"]), (worker, "_score", ["COMPLETE"])],
)
def test_a_signal_to_stop_is_heeded_whenever_it_comes(ridge, monkeypatch, module, name, left):
    """While the study is written, which is not interrupted; and where what it raised was lost."""
    ridge(1.0)
    plan, before = planned(), signal.getsignal(signal.SIGTERM)
    usual = getattr(module, name)

    def told(*given):
        with suppress(KeyboardInterrupt):
            signal.raise_signal(signal.SIGTERM)
        return usual(*given)

    monkeypatch.setattr(module, name, told)
    with pytest.raises(KeyboardInterrupt):
        worker.run(plan, study.create(plan), 0)
    assert [trial.state.name for trial in opened().trials] == left
    assert signal.getsignal(signal.SIGTERM) == before


def test_a_killed_worker_is_replaced_and_its_trial_run_again(ridge):
    ridge(1.0, trials=2)
    plan = planned()
    made = crew.Crew(plan, study.create(plan), 1)
    while not any("worker" in trial.user_attrs for trial in made.study.trials):
        assert made.workers[0].process.poll() is None
        time.sleep(0.05)
    made.workers[0].process.kill()
    made.work()
    found = opened()
    assert [trial.state.name for trial in found.trials].count("FAIL") == 1
    assert len(study.ended(found)) == len(found.trials) - 1 == 2
    assert found.trials[1].system_attrs["failed_trial"] == 0


def test_a_worker_that_can_not_go_on_ends_the_search_in_its_words(ridge):
    ridge(1.0)
    shutil.rmtree(folders.prepared("boston_housing") / "validation")
    plan = planned()
    with pytest.raises(EvermodelError, match=r"the search of boston_linear stopped: .*validation"):
        crew.Crew(plan, study.create(plan), 1).work()


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
    done = subprocess.run([sys.executable, "-c", LIST], capture_output=True, text=True, check=True)
    assert done.stdout.split()[-1] == "False"
