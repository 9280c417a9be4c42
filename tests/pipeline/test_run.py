"""One `dvc repro` over everything: what comes out of it, and that it comes out the same every time."""

import json
import shutil
from pathlib import Path

import pytest
import yaml

from evermodel.core import params

pytestmark = [pytest.mark.pipeline, pytest.mark.timeout(5000)]
PARAMS = params.load(Path(__file__).parents[2] / "params.yaml")
EXPERIMENTS = sorted(PARAMS.experiments)


def metrics(project, name):
    return json.loads((project.folder / "reports" / name / "metrics.json").read_text())


def test_every_stage_of_every_lane_runs(project):
    lanes = [f"{stage}@{name}" for stage in ("fetch", "validate", "prepare") for name in PARAMS.datasets]
    lanes += [f"{stage}@{name}" for stage in ("train", "evaluate", "promote") for name in EXPERIMENTS]
    assert sorted(project.stages) == sorted(lanes)


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_every_experiment_learns_more_from_its_sample_than_its_baseline(project, name):
    policy = PARAMS.experiment(name).promotion
    value, baseline = (metrics(project, name)[key] for key in (policy.metric, f"baseline_{policy.metric}"))
    assert value > baseline if policy.floor is not None else value < baseline


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_every_experiment_has_a_champion_whose_card_says_what_data_made_it(project, name):
    rows = {row["experiment"]: row for row in json.loads(project.run("evermodel", "list", "--json").stdout)}
    assert rows[name]["champion"] == 1
    spec = json.loads((project.folder / f"data/prepared/{rows[name]['dataset']}/spec.json").read_text())
    assert rows[name]["made"] == spec["made"]


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_every_experiment_leaves_metrics_scores_curves_and_pictures(project, name):
    report = project.folder / "reports" / name
    assert {file.name for file in report.iterdir()} == {
        "metrics.json",
        "scores.parquet",
        "curves.csv",
        "figures",
    }
    assert any(file.stat().st_size > 5000 for file in (report / "figures").glob("*.png"))
    policy = PARAMS.experiment(name).promotion
    values = metrics(project, name)
    assert values[f"{policy.metric}_low"] <= values[policy.metric] <= values[f"{policy.metric}_high"]
    assert all(isinstance(value, int | float) for value in values.values())


def test_a_second_run_does_nothing(project):
    assert project.repro() == []
    assert project.run("git", "status", "--porcelain").stdout == ""


def test_dvc_shows_metrics_plots_and_differences(edited):
    shown = json.loads(edited.run("dvc", "metrics", "show", "--json").stdout)
    assert "reports/boston_dnn/metrics.json" in shown[""]["data"]
    edited.run("dvc", "plots", "show", "--out", "dvc_plots")
    assert "reports" in (edited.folder / "dvc_plots/index.html").read_text()
    shutil.rmtree(edited.folder / "dvc_plots")
    edited.edit("params.yaml", "epochs: 100}", "epochs: 5}")
    changed = json.loads(edited.run("dvc", "params", "diff", "--json").stdout)["params.yaml"]
    assert changed["experiments.boston_dnn.train.epochs"] == {"old": 100, "new": 5, "diff": -95}
    edited.repro("evaluate@boston_dnn")
    worse = json.loads(edited.run("dvc", "metrics", "diff", "--json").stdout)
    assert worse["reports/boston_dnn/metrics.json"]["mae"]["diff"] > 0


def test_the_champion_takes_raw_images_and_gives_the_score_of_the_table(project):
    script = """
import mlflow, numpy as np
mlflow.set_tracking_uri("sqlite:///mlflow.db")
model = mlflow.pyfunc.load_model("models:/fashion_cnn@champion")
x, y = (np.load(f"data/prepared/fashion_mnist/test/{part}.npy") for part in "xy")
assert x.dtype == np.uint8
print("accuracy", (model.predict(x).argmax(axis=1) == y).mean())
"""
    answer = project.run("python", "-c", script).stdout.splitlines()[-1]
    assert float(answer.split()[1]) == pytest.approx(metrics(project, "fashion_cnn")["accuracy"], abs=1e-6)


def test_evermodel_predicts_with_a_champion(project):
    test = project.folder / "data/raw/boston_housing"
    header = "CRIM,ZN,INDUS,CHAS,NOX,RM,AGE,DIS,RAD,TAX,PTRATIO,B,LSTAT"
    rows = [",".join(line.split()[:-1]) for line in (test / "housing.data").read_text().splitlines()[:3]]
    (project.folder.parent / "houses.csv").write_text("\n".join([header, *rows]))
    answers = json.loads(project.run("evermodel", "predict", "boston_dnn", "../houses.csv", "--json").stdout)
    assert [5 < answer["MEDV"] < 60 for answer in answers] == [True] * 3


def test_history_tells_every_version_and_its_decision(project):
    (version,) = json.loads(project.run("evermodel", "history", "boston_dnn", "--json").stdout)
    assert version["alias"] == "champion"
    assert version["decision"].startswith("promoted: mae")


@pytest.fixture
def moved(project):
    """The project in another folder; MLflow's artifacts are known by where they were, so it goes back."""
    here, elsewhere = project.folder, project.folder.with_name("elsewhere in another folder")
    here.rename(elsewhere)
    project.folder = elsewhere
    yield project
    elsewhere.rename(here)
    project.folder = here


def test_one_core_gives_the_bytes_of_several(project):
    lock = (project.folder / "dvc.lock").read_bytes()
    trainings = ["train@boston_dnn", "train@fashion_cnn", "train@imdb_transformer"]
    assert sorted(project.repro_on_one_core(*trainings)) == trainings
    assert (project.folder / "dvc.lock").read_bytes() == lock


def test_a_forced_run_elsewhere_leaves_dvc_lock_unchanged(moved):
    lock = (moved.folder / "dvc.lock").read_bytes()
    assert sorted(moved.repro("--force")) == sorted(moved.stages)
    stages = yaml.safe_load((moved.folder / "dvc.lock").read_bytes())["stages"]
    assert [name for name, stage in yaml.safe_load(lock)["stages"].items() if stage != stages[name]] == []
    assert (moved.folder / "dvc.lock").read_bytes() == lock
