"""One `dvc repro` over everything: what comes out of it, and that it comes out the same every time."""

import json
import shutil
import warnings
from pathlib import Path

import pytest
import yaml

from evermodel.core import params

pytestmark = [pytest.mark.pipeline, pytest.mark.timeout(5000)]
PARAMS = params.load(Path(__file__).parents[2] / "params.yaml")
EXPERIMENTS = sorted(PARAMS.experiments)
# One of each kind: scikit-learn, a dense net, convolutions, text.
KINDS = ("boston_linear", "boston_dnn", "fashion_cnn", "imdb_dnn")


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


def test_every_experiment_has_a_champion_and_a_note_whether_its_data_are_made(project):
    rows = {row["experiment"]: row for row in json.loads(project.run("evermodel", "list", "--json").stdout)}
    assert sorted(rows) == EXPERIMENTS
    for name, row in rows.items():
        spec = json.loads((project.folder / f"data/prepared/{row['dataset']}/spec.json").read_text())
        assert (name, row["champion"], row["made"]) == (name, 1, spec["made"])


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
    edited.edit("params.yaml", "epochs: 100, sample: {epochs: 50}}", "epochs: 5}")
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


def test_history_tells_what_was_decided_about_every_version(project):
    *later, first = json.loads(project.run("evermodel", "history", "boston_dnn", "--json").stdout)
    assert (first["action"], first["before"], first["after"]) == ("promote", None, 1)
    assert first["reason"].startswith("mae ")
    # Other tests may have edited the policy, which is another decision about the same version.
    assert {decided["version"] for decided in later} <= {1}
    assert project.run("evermodel", "history", "boston_dnn", "--verify").stdout == (
        f"boston_dnn: {len(later) + 1} decisions as they were written; champion is 1\n"
    )


@pytest.fixture
def moved(project):
    """The project in another folder; MLflow's artifacts are known by where they were, so it goes back."""
    here, elsewhere = project.folder, project.folder.with_name("elsewhere in another folder")
    here.rename(elsewhere)
    project.folder = elsewhere
    yield project
    elsewhere.rename(here)
    project.folder = here


def stages_of(names):
    """The stages of experiments and of their data sets, in order."""
    datasets = dict.fromkeys(PARAMS.experiment(name).dataset for name in names)
    made_for = {"fetch validate prepare": datasets, "train evaluate promote": names}
    return [f"{stage}@{name}" for stages, of in made_for.items() for stage in stages.split() for name in of]


def differing(before, after):
    """The stages of two files dvc.lock that are not the same in both."""
    before, after = (yaml.safe_load(lock)["stages"] for lock in (before, after))
    return sorted(name for name in before | after if before.get(name) != after.get(name))


def test_a_forced_run_in_another_folder_on_one_core_leaves_dvc_lock_unchanged(moved):
    lock = (moved.folder / "dvc.lock").read_bytes()
    stages = stages_of(KINDS)
    assert sorted(moved.repro_on_one_core(*stages)) == sorted(stages)
    assert differing(lock, again := (moved.folder / "dvc.lock").read_bytes()) == []
    assert again == lock


def test_a_second_run_of_everything_in_another_folder_gives_the_same_dvc_lock(moved):
    """The commit's dvc.lock tells of a run elsewhere: if this run gave the same bytes, that is two of them.

    It gives others on a processor that rounds otherwise, or where code was edited since.
    """
    lock = (moved.folder / "dvc.lock").read_bytes()
    if lock == moved.committed_lock:
        return
    others = differing(moved.committed_lock, lock)
    warnings.warn(
        f"stages that gave other bytes here than where dvc.lock was committed: {len(others)}, such as "
        f"{', '.join(others[:3])}; everything runs again to see whether it gives the same bytes twice",
        stacklevel=1,
    )
    assert sorted(moved.repro("--force")) == sorted(moved.stages)
    assert differing(lock, again := (moved.folder / "dvc.lock").read_bytes()) == []
    assert again == lock
