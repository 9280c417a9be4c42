import signal
import subprocess
import sys
from contextlib import suppress

import optuna
import pytest
from optuna.trial import TrialState, create_trial

from evermodel import repository
from evermodel.core.errors import EvermodelError
from evermodel.searching import cross_validation, study, worker

pytestmark = pytest.mark.filterwarnings("ignore::optuna.exceptions.ExperimentalWarning")
SECTION = "search: {metric: mae, trials: 3, folds: 2, space: {options.alpha: {log: [0.001, 1000.0]}}}\n"
# A worker that begins its first trial, says so, and sleeps; signs of life come and are missed sooner.
SLOW = """
import sys, time
from evermodel.searching import cross_validation, study, worker
study.BEAT, study.GRACE = 1, 2
cross_validation.trained = lambda *given: (print("at it", flush=True), time.sleep(300))
worker.main(*sys.argv[1:])
"""
CREATE = """
import sys, time
from evermodel import repository
from evermodel.searching import study
plan = study.plan(repository.load(), "boston_linear")
sys.stdin.readline()
print(study.create(plan))
"""


@pytest.fixture
def plan(boston, edit):
    """A function that plans the search of boston_linear, whose file has a section for it."""
    edit("experiments/boston_linear/params.yaml", "options: {}", "options: {alpha: 1.0}")
    file = boston / "experiments/boston_linear/params.yaml"
    text = file.read_text()

    def write(section=SECTION):
        file.write_text(text + section)
        return study.plan(repository.load(), "boston_linear")

    return write


def trials(asked, name):
    return study.load(asked, name).get_trials(deepcopy=False)


def states(asked, name):
    return [trial.state.name for trial in trials(asked, name)]


def start(program, *arguments):
    return subprocess.Popen(
        [sys.executable, "-c", program, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )


def test_an_experiment_without_the_section_is_told(workspace):
    with pytest.raises(EvermodelError, match=r"boston_linear/params\.yaml has no section search"):
        study.plan(repository.load(), "boston_linear")


def test_data_that_are_not_prepared_are_told(workspace, edit):
    edit("experiments/boston_linear/params.yaml", "options: {}", f"options: {{alpha: 1.0}}\n{SECTION}")
    with pytest.raises(EvermodelError, match=r"prepared is missing; `.venv/bin/dvc repro data/bost"):
        study.key(study.plan(repository.load(), "boston_linear"))


def test_the_key_is_of_what_makes_trials_comparable(plan, boston, edit):
    first = study.key(plan())
    assert study.key(plan(SECTION.replace("trials: 3", "trials: 30, hours: 1"))) == first
    assert study.key(plan(SECTION.replace("folds: 2", "folds: 3"))) != first
    assert study.key(plan(SECTION.replace("0.001", "0.01"))) != first
    plan()
    edit("experiments/boston_linear/params.yaml", "alpha: 1.0", "alpha: 2.0")  # which is searched
    edit("experiments/boston_linear/params.yaml", "ceiling: 6.0", "ceiling: 7.0")
    assert study.key(study.plan(repository.load(), "boston_linear")) == first
    (boston / "data/boston_housing/prepared/test").mkdir()  # of which a trial knows nothing
    assert study.key(study.plan(repository.load(), "boston_linear")) == first
    rows = boston / "data/boston_housing/prepared/train/number.npy"
    rows.write_bytes(rows.read_bytes()[:-1] + b"\1")
    assert study.key(study.plan(repository.load(), "boston_linear")) != first


def test_two_that_create_at_once_make_one_study(plan):
    asked = plan()
    makers = [start(CREATE) for _ in range(2)]
    for maker in makers:
        maker.stdin.write("now\n")
        maker.stdin.flush()
    (name,) = {maker.communicate()[0].strip() for maker in makers}
    assert [maker.returncode for maker in makers] == [0, 0]
    assert states(asked, name) == ["WAITING"]
    (first,) = trials(asked, name)
    assert first.system_attrs["fixed_params"] == {"options.alpha": 1.0}


def test_a_study_that_nobody_has_made_and_a_database_that_is_none_are_told(plan, monkeypatch):
    with pytest.raises(EvermodelError, match=r"searches/boston_linear\.db, can't be used"):
        study.load(plan(), "boston_linear@none")
    monkeypatch.setenv(study.STUDIES, "postgresql+psycopg2://me:secret@127.0.0.1:1/none")
    with pytest.raises(EvermodelError, match="can't be used") as told:
        study.create(plan())
    assert "secret" not in str(told.value)


def test_trials_begin_with_todays_values_and_end_with_the_last(plan):
    asked = plan()
    name = study.create(asked)
    worker.run(asked, name, 0)
    assert states(asked, name) == ["COMPLETE"] * 3
    first, *others = trials(asked, name)
    assert study.values(first) == {"options.alpha": 1.0}
    assert all(study.values(one)["options.alpha"] != 1.0 for one in others)
    assert first.value == pytest.approx(sum(first.user_attrs["scores"]) / 2)
    more = plan(SECTION.replace("trials: 3", "trials: 4"))
    assert study.create(more) == name  # more trials go on with the same study
    worker.run(more, name, 0)
    assert len(trials(more, name)) == 4
    values = [study.values(one)["options.alpha"] for one in trials(more, name)]
    assert len(set(values)) == 4  # a worker that begins anew does not draw what it drew before


def test_a_worker_that_is_killed_leaves_its_trial_to_another(plan, monkeypatch):
    monkeypatch.setattr(study, "BEAT", 1)
    monkeypatch.setattr(study, "GRACE", 10)
    asked = plan()
    name = study.create(asked)
    killed = start(SLOW, "boston_linear", name, "0")
    assert killed.stdout.readline() == "at it\n"
    killed.kill()
    killed.communicate()
    assert states(asked, name) == ["RUNNING"]
    worker.run(asked, name, 1)
    found = trials(asked, name)
    assert sorted(trial.state.name for trial in found) == ["COMPLETE"] * 3 + ["FAIL"]
    again = [one for one in found if one.system_attrs.get("failed_trial") == 0]
    assert [study.values(one) for one in again] == [{"options.alpha": 1.0}]


@pytest.mark.parametrize("told", [signal.SIGTERM, None])
def test_a_worker_that_is_told_to_stop_or_left_alone_lets_its_trial_wait(plan, told):
    asked = plan()
    name = study.create(asked)
    working = start(SLOW, "boston_linear", name, "0")
    assert working.stdout.readline() == "at it\n"
    if told:
        working.send_signal(told)
    else:
        working.stdin.close()  # as when whoever started it is killed
    assert working.wait(60) == 130
    with suppress(OSError):
        working.stdout.close()
    assert states(asked, name) == ["FAIL", "WAITING"]
    worker.run(asked, name, 0)
    assert sorted(states(asked, name)) == ["COMPLETE"] * 3 + ["FAIL"]


def test_no_trial_begins_after_its_hours(plan):
    asked = plan(SECTION.replace("trials: 3", "trials: 30, hours: 1.0e-6"))
    name = study.create(asked)
    worker.run(asked, name, 0)
    assert states(asked, name) == ["COMPLETE"]


def test_values_that_can_not_be_trained_are_given_up_unless_they_are_todays(plan, monkeypatch):
    asked, seen = plan(), []
    trained = cross_validation.trained

    def broken(chosen, *given):
        seen.append(chosen.options["alpha"])
        if len(set(seen)) == failing:
            raise EvermodelError("the loss became nan")
        return trained(chosen, *given)

    monkeypatch.setattr(cross_validation, "trained", broken)
    failing, name = 2, study.create(asked)
    worker.run(asked, name, 0)
    assert states(asked, name) == ["COMPLETE", "PRUNED", "COMPLETE"]
    assert trials(asked, name)[1].user_attrs["wrong"] == "the loss became nan"
    seen.clear()
    failing, other = 1, plan(SECTION.replace("folds: 2", "folds: 3"))
    with pytest.raises(EvermodelError, match="the loss became nan"):
        worker.run(other, study.create(other), 0)


def test_what_is_beyond_a_limit_is_never_best(plan):
    asked = plan(SECTION.replace("folds: 2", "folds: 2, limits: {megabytes: 1.0e-9, milliseconds: 60000}"))
    name = study.create(asked)
    worker.run(asked, name, 0)
    assert states(asked, name) == ["COMPLETE"] * 3
    (first, *_) = trials(asked, name)
    assert first.constraints["megabytes"] > 0 > first.constraints["milliseconds"]
    assert study.best(study.load(asked, name)) is None


def test_of_folds_those_behind_the_best_are_given_up_and_of_epochs_those_behind_most(plan):
    asked = plan()
    assert isinstance(study.load(asked, study.create(asked)).pruner, optuna.pruners.WilcoxonPruner)
    asked = plan(SECTION.replace("folds: 2", "folds: 0"))
    assert isinstance(study.load(asked, study.create(asked)).pruner, optuna.pruners.MedianPruner)


def test_one_trial_too_many_counts_for_nothing(plan):
    asked = plan(SECTION.replace("trials: 3", "trials: 1"))
    found = study.load(asked, study.create(asked))
    found.add_trial(create_trial(state=TrialState.RUNNING))
    assert not study.is_late(asked, found, 1)  # the first one waits still
    found.add_trial(create_trial(state=TrialState.RUNNING))
    assert study.is_late(asked, found, 2)
