"""One run over everything: what comes out of it, and that it comes out the same every time.

`make test` does it with two experiments, `make zoo` with all of them.
"""

import json
import os
import shutil

import pytest
import yaml

from evermodel.core import folders
from tests.project import after_a_run, copy_repository, in_part

pytestmark = pytest.mark.timeout(5000)
# A kind of everything that computes: scikit-learn on a table and on texts, dense layers, convolutions.
KINDS = ("boston_linear", "imdb_linear", "boston_dnn", "fashion_cnn")


@pytest.fixture(scope="module")
def zoo(request, tmp_path_factory):
    """The project after `evermodel run` over every experiment, or the part of them that is asked for."""
    made = copy_repository(tmp_path_factory.mktemp("zoo") / "project")
    made.keep(*(name for name in folders.names(made.folder / "experiments") if in_part(request.config, name)))
    yield from after_a_run(made)


@pytest.fixture(
    params=[pytest.param("spine", marks=pytest.mark.spine), pytest.param("zoo", marks=pytest.mark.zoo)]
)
def ran(request):
    """A project in which everything has run."""
    return request.getfixturevalue(request.param)


@pytest.fixture
def moved(project):
    """The project in another folder; a link leads there from where MLflow looks for its artifacts."""
    here, elsewhere = project.folder, project.folder.with_name("elsewhere in another folder")
    here.rename(elsewhere)
    here.symlink_to(elsewhere)
    project.folder = elsewhere
    yield project
    here.unlink()
    elsewhere.rename(here)
    project.folder = here


def experiments(project):
    """What the files say, each with the values of the sample profile."""
    names = folders.names(project.folder / "experiments")
    return {name: yaml.safe_load(project.params(name).read_text()) for name in names}


def metrics(project, name):
    return json.loads((project.params(name).parent / "metrics.json").read_text())


def test_every_stage_runs_once(ran):
    stages = {"data": ("fetch", "validate", "prepare"), "experiments": ("train", "evaluate", "promote")}
    expected = [
        f"{parent}/{name}/dvc.yaml:{stage}"
        for parent, of in stages.items()
        for name in folders.names(ran.folder / parent)
        for stage in of
    ]
    assert sorted(ran.stages) == sorted(expected)


def test_every_experiment_learns_more_from_its_sample_than_its_baseline(ran):
    def better(policy, figures):
        value, baseline = figures[policy["metric"]], figures[f"baseline_{policy['metric']}"]
        return value > baseline if "floor" in policy else value < baseline

    values = experiments(ran)
    assert [name for name, one in values.items() if not better(one["promotion"], metrics(ran, name))] == []


def test_every_experiment_has_a_champion_and_a_note_whether_its_data_are_synthetic(ran):
    rows = {row["experiment"]: row for row in json.loads(ran.run("evermodel", "list", "--json").stdout)}
    assert set(rows) == set(experiments(ran))
    for name, row in rows.items():
        spec = json.loads((ran.folder / f"data/{row['dataset']}/prepared/spec.json").read_text())
        assert (name, row["champion"], row["synthetic"]) == (name, 1, spec["synthetic"])


def test_every_experiment_leaves_metrics_scores_curves_and_figures(ran):
    for name, experiment in experiments(ran).items():
        folder, metric = ran.params(name).parent, experiment["promotion"]["metric"]
        assert {"metrics.json", "scores.parquet", "curves.csv"} <= {file.name for file in folder.iterdir()}
        assert any(file.stat().st_size > 5000 for file in (folder / "figures").glob("*.png")), name
        values = metrics(ran, name)
        assert values[f"{metric}_low"] <= values[metric] <= values[f"{metric}_high"], name
        assert all(isinstance(value, int | float) for value in values.values()), name


def test_a_second_run_does_nothing(ran):
    assert ran.repro() == ["leaderboard"]
    assert ran.run("git", "status", "--porcelain").stdout == ""


@pytest.mark.spine
def test_history_tells_what_was_decided_about_every_version(spine):
    *later, first = json.loads(spine.run("evermodel", "history", "boston_dnn", "--json").stdout)
    assert (first["action"], first["before"], first["after"]) == ("promote", None, 1)
    # Other tests may have edited the policy, which is another decision about the same version.
    assert {decided["version"] for decided in later} <= {1}
    assert spine.run("evermodel", "history", "boston_dnn", "--verify").returncode == 0


@pytest.mark.spine
def test_evermodel_predicts_with_a_champion(spine):
    raw = spine.folder / "data/boston_housing/raw"
    header = "CRIM,ZN,INDUS,CHAS,NOX,RM,AGE,DIS,RAD,TAX,PTRATIO,B,LSTAT"
    rows = [",".join(line.split()[:-1]) for line in (raw / "housing.data").read_text().splitlines()[:3]]
    (spine.folder.parent / "houses.csv").write_text("\n".join([header, *rows]))
    answers = json.loads(spine.run("evermodel", "predict", "boston_dnn", "../houses.csv", "--json").stdout)
    assert [5 < answer["MEDV"] < 60 for answer in answers] == [True] * 3


@pytest.mark.spine
def test_dvc_shows_metrics_plots_and_differences(edited):
    shown = json.loads(edited.run("dvc", "metrics", "show", "--json").stdout)
    assert "experiments/boston_dnn/metrics.json" in shown[""]["data"]
    edited.run("dvc", "plots", "show", "--out", "dvc_plots")
    assert "experiments" in (edited.folder / "dvc_plots/index.html").read_text()
    shutil.rmtree(edited.folder / "dvc_plots")
    params = "experiments/boston_linear/params.yaml"
    edited.edit(params, "baseline: constant", "baseline: linear")
    changed = json.loads(edited.run("dvc", "params", "diff", "--json").stdout)[params]
    assert changed == {"baseline": {"old": "constant", "new": "linear"}}
    edited.repro("--single-item", "experiments/boston_linear/dvc.yaml:evaluate")
    difference = json.loads(edited.run("dvc", "metrics", "diff", "--json").stdout)
    assert difference["experiments/boston_linear/metrics.json"]["baseline_mae"]["diff"] < 0


@pytest.mark.all
def test_the_champion_takes_raw_images_and_gives_the_score_of_the_table(project):
    script = """
from pathlib import Path
import mlflow, numpy as np
from evermodel.core import data
mlflow.set_tracking_uri("sqlite:///mlflow.db")
model = mlflow.pyfunc.load_model("models:/fashion_cnn@champion")
test = data.load_split(Path("data/fashion_mnist/prepared"), "test", "class")
assert test.x.dtype == np.uint8
print("accuracy", (model.predict(np.asarray(test.x)).argmax(axis=1) == test.y).mean())
"""
    answer = project.run("python", "-c", script).stdout.splitlines()[-1]
    assert float(answer.split()[1]) == pytest.approx(metrics(project, "fashion_cnn")["accuracy"], abs=1e-6)


@pytest.mark.all
def test_one_core_in_another_folder_gives_the_same_bytes_for_each_kind_of_experiment(moved):
    datasets = {one["dataset"] for name, one in experiments(moved).items() if name in KINDS}
    files = [f"data/{name}/dvc.yaml" for name in sorted(datasets)]
    files += [f"experiments/{name}/dvc.yaml" for name in KINDS]
    one_core = ("taskset", "-c", str(min(os.sched_getaffinity(0))))
    done = moved.run(*one_core, "dvc", "repro", "--force", "--single-item", *files)
    assert len(moved.ran(done.stdout)) == 3 * len(files)
    assert moved.run("git", "status", "--porcelain").stdout == ""
