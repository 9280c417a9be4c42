import json
import shutil

import pytest
from typer.testing import CliRunner

from evermodel import repository
from evermodel.cli import app
from evermodel.core import data
from evermodel.core.errors import EvermodelError
from evermodel.searching import comparison, cross_validation
from tests.specs import make_spec


def compare(*names, folds=2, seeds=1):
    return comparison.compare(repository.load(), names, folds, seeds)


@pytest.fixture
def ridge(boston):
    """Another experiment: boston_linear with a penalty that leaves little of it."""
    shutil.copytree("experiments/boston_linear", "experiments/boston_ridge")
    file = boston / "experiments/boston_ridge/params.yaml"
    text = file.read_text().replace("name: boston_linear", "name: boston_ridge")
    file.write_text(text.replace("options: {}", "options: {alpha: 100000.0}"))
    return "boston_ridge"


def test_the_command_tells_mean_and_deviation_of_model_and_baseline(boston):
    done = CliRunner().invoke(app, ["cv", "boston_linear", "--folds", "3", "--seeds", "1", "--json"])
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    assert (told["experiment"], told["folds"], told["seeds"], told["tests"]) == ("boston_linear", 3, 1, [])
    mae = told["metrics"]["mae"]
    assert mae["boston_linear"]["mean"] < mae["baseline"]["mean"]
    assert "3 of 6: baseline, fold 2" in done.stderr
    shown = CliRunner().invoke(app, ["cv", "boston_linear", "--folds", "2", "--seeds", "1"]).stdout
    assert "mae" in shown
    assert "±" in shown


def test_another_recipe_is_compared_by_the_test_that_promotes(ridge):
    told = compare("boston_linear", ridge)
    (test,) = told.summary["tests"]
    assert (test["ahead"], test["behind"]) == ("boston_linear", ridge)
    assert test["p"] < 0.01
    assert ridge in told.sentences[0]
    (back,) = compare(ridge, "boston_linear").summary["tests"]
    assert back == test


def test_one_fold_is_refused(boston):
    with pytest.raises(EvermodelError, match="--folds is 1"):
        compare("boston_linear", folds=1)


def test_too_many_folds_end_in_one_sentence(boston):
    done = CliRunner().invoke(app, ["cv", "boston_linear", "--folds", "100000"])
    assert done.exit_code == 1
    assert done.stderr.count("\n") == 1
    assert "ask for fewer" in done.stderr


@pytest.mark.parametrize("names", [("boston_linear", "concrete_mlp"), ("cifar_cnn", "autoencoder")])
def test_an_experiment_on_other_data_or_of_another_task_is_no_rival(workspace, names):
    with pytest.raises(
        EvermodelError, match=f"{names[1]} is .* compare experiments of one data set and task"
    ):
        compare(*names)


def test_what_no_test_goes_over_is_refused_before_anything_is_trained(workspace, monkeypatch):
    shutil.copytree("experiments/face_recognition", "experiments/face_other")
    file = workspace / "experiments/face_other/params.yaml"
    file.write_text(file.read_text().replace("name: face_recognition", "name: face_other"))
    asked = []
    monkeypatch.setattr(cross_validation, "judge", lambda *given: asked.append(given))
    monkeypatch.setattr(data, "load_spec", lambda *given: make_spec("images", classes=("a", "b")))
    with pytest.raises(EvermodelError, match="compare by another metric"):
        compare("face_recognition", "face_other")
    assert not asked
