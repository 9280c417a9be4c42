"""One run over everything: what comes out of it, and that it comes out the same every time.

`make test` does it with a few experiments, `make zoo` with all of them.
"""

import json
import shutil
import warnings

import pytest
import yaml

from evermodel.core import params
from tests.project import after_a_run, copy_repository

pytestmark = [pytest.mark.pipeline, pytest.mark.timeout(5000)]


@pytest.fixture(scope="module")
def zoo(tmp_path_factory):
    """The project after `evermodel run` over every experiment."""
    yield from after_a_run(copy_repository(tmp_path_factory.mktemp("zoo") / "project", lock=True))


@pytest.fixture(params=["project", pytest.param("zoo", marks=pytest.mark.zoo)])
def ran(request):
    """A project in which everything has run."""
    return request.getfixturevalue(request.param)


@pytest.fixture
def moved(ran):
    """It in another folder; a link leads there from where MLflow looks for its artifacts."""
    here, elsewhere = ran.folder, ran.folder.with_name("elsewhere in another folder")
    here.rename(elsewhere)
    here.symlink_to(elsewhere)
    ran.folder = elsewhere
    yield ran
    here.unlink()
    elsewhere.rename(here)
    ran.folder = here


def settings(project):
    return params.load(project.folder / "params.yaml")


def metrics(project, name):
    return json.loads((project.folder / "reports" / name / "metrics.json").read_text())


def test_every_stage_of_every_lane_runs(ran):
    values = settings(ran)
    lanes = [f"{stage}@{name}" for stage in ("fetch", "validate", "prepare") for name in values.datasets]
    lanes += [f"{stage}@{name}" for stage in ("train", "evaluate", "promote") for name in values.experiments]
    assert sorted(ran.stages) == sorted(lanes)


def test_every_experiment_learns_more_from_its_sample_than_its_baseline(ran):
    def better(policy, figures):
        value, baseline = figures[policy.metric], figures[f"baseline_{policy.metric}"]
        return value > baseline if policy.floor is not None else value < baseline

    experiments = settings(ran).experiments
    assert [name for name, one in experiments.items() if not better(one.promotion, metrics(ran, name))] == []


def test_every_experiment_has_a_champion_and_a_note_whether_its_data_are_made(ran):
    rows = {row["experiment"]: row for row in json.loads(ran.run("evermodel", "list", "--json").stdout)}
    assert set(rows) == set(settings(ran).experiments)
    for name, row in rows.items():
        spec = json.loads((ran.folder / f"data/prepared/{row['dataset']}/spec.json").read_text())
        assert (name, row["champion"], row["synthetic"]) == (name, 1, spec["synthetic"])


def test_every_experiment_leaves_metrics_scores_curves_and_pictures(ran):
    for name, experiment in settings(ran).experiments.items():
        report, metric = ran.folder / "reports" / name, experiment.promotion.metric
        files = {file.name for file in report.iterdir()}
        assert files == {"metrics.json", "scores.parquet", "curves.csv", "figures"}, name
        assert any(file.stat().st_size > 5000 for file in (report / "figures").glob("*.png")), name
        values = metrics(ran, name)
        assert values[f"{metric}_low"] <= values[metric] <= values[f"{metric}_high"], name
        assert all(isinstance(value, int | float) for value in values.values()), name


def test_a_second_run_does_nothing(ran):
    assert ran.repro() == []
    assert ran.run("git", "status", "--porcelain").stdout == ""


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


def stages_of(names, experiments):
    """The stages of experiments and of their data sets, in order."""
    datasets = dict.fromkeys(experiments[name].dataset for name in names)
    made_for = {"fetch validate prepare": datasets, "train evaluate promote": names}
    return [f"{stage}@{name}" for stages, of in made_for.items() for stage in stages.split() for name in of]


def differing(before, after):
    """The stages of two files dvc.lock that are not the same in both."""
    before, after = (yaml.safe_load(lock)["stages"] for lock in (before, after))
    return sorted(name for name in before | after if before.get(name) != after.get(name))


@pytest.mark.parametrize(
    ("ran", "names"),
    [
        ("project", ["boston_linear", "fashion_cnn"]),  # scikit-learn, convolutions
        pytest.param("zoo", ["imdb_dnn"], marks=pytest.mark.zoo),  # text
    ],
    indirect=["ran"],
)
def test_a_forced_run_in_another_folder_on_one_core_leaves_dvc_lock_unchanged(moved, names):
    lock, stages = (moved.folder / "dvc.lock").read_bytes(), stages_of(names, settings(moved).experiments)
    assert sorted(moved.repro_on_one_core(*stages)) == sorted(stages)
    assert differing(lock, again := (moved.folder / "dvc.lock").read_bytes()) == []
    assert again == lock


@pytest.mark.zoo
@pytest.mark.parametrize("ran", ["zoo"], indirect=True)
def test_a_second_run_of_everything_in_another_folder_gives_the_same_dvc_lock(moved):
    """The commit's dvc.lock tells of a run elsewhere: if this run gave the same bytes, that is two of them.

    It gives others on a processor that rounds otherwise, or where code was edited since.
    """
    committed = moved.run("git", "show", "HEAD~:dvc.lock").stdout
    lock = (moved.folder / "dvc.lock").read_text()
    if lock == committed:
        return
    others = differing(committed, lock)
    warnings.warn(
        f"stages that gave other bytes here than where dvc.lock was committed: {len(others)}, such as "
        f"{', '.join(others[:3])}; everything runs again to see whether it gives the same bytes twice",
        stacklevel=1,
    )
    assert sorted(moved.repro("--force")) == sorted(moved.stages)
    assert differing(lock, again := (moved.folder / "dvc.lock").read_text()) == []
    assert again == lock
