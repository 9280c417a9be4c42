import contextlib
import io
import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from matplotlib.figure import Figure
from sklearn.linear_model import LinearRegression

from evermodel.core import data
from evermodel.core import rows as table
from evermodel.core.data import Predictions, Split
from evermodel.core.errors import EvermodelError
from evermodel.evaluation import evaluation
from evermodel.evaluation.judge import Judge
from evermodel.runs import determinism, journal, saved
from evermodel.tasks import binary, denoising, reconstruction, regression
from pipelines import evaluate
from tests.specs import make_spec

PARAMS = """
profile: sample
parquet_above: 1000000
runtime: {seed: 42, threads: 4, instruction_set: AVX2}
"""
RECIPE = """
name: prices_linear
dataset: prices
task: regression
model: linear
options: {}
baseline: constant
train: {}
promotion: {metric: mae, ceiling: 4.0}
"""
EXPERIMENT = Path("experiments/prices_linear")
SCALE = {"target_mean": (0.0,), "target_sd": (3.0,)}  # of the training rows' target, which is a number
REPORT = ["curves.csv", "figures", "metrics.json", "scores.parquet"]


@pytest.fixture
def rng():
    return np.random.default_rng(3)


def rows(rng, count):
    x = rng.normal(size=(count, 2))
    y = x @ np.array([3.0, -1.0]) + rng.normal(0, 0.1, count)
    return Split(table.of(pd.DataFrame(x, columns=["a", "b"]), make_spec().columns), y)


def files(folder):
    return {str(f.relative_to(folder)): f.read_bytes() for f in sorted(folder.rglob("*")) if f.is_file()}


@pytest.fixture
def project(tmp_path, monkeypatch, rng):
    """A folder with params, prepared data and a trained model; nothing is told to MLflow."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(journal, "keep", lambda *_: contextlib.nullcontext())
    monkeypatch.setattr(determinism, "fix", lambda _: None)
    (tmp_path / "params.yaml").write_text(PARAMS)
    (tmp_path / EXPERIMENT).mkdir(parents=True)
    (tmp_path / EXPERIMENT / "params.yaml").write_text(RECIPE)
    splits = {"train": rows(rng, 60), "validation": rows(rng, 5), "test": rows(rng, 20)}
    (tmp_path / "data/prices/prepared").mkdir(parents=True)
    (tmp_path / "data/prices/params.yaml").write_text("name: prices\n")
    data.save(tmp_path / "data/prices/prepared", make_spec(dataset="prices", **SCALE), splits)
    train_model(EXPERIMENT / "model", splits["train"])
    return tmp_path


def train_model(folder, train):
    folder.mkdir(parents=True)
    file = saved.save_sklearn(LinearRegression().fit(train.x.frame(), train.y), folder)
    hash_ = data.file_hash(file)
    known = {"key": "k", "parameters": 3, "epochs": 1, "test_hash": make_spec().test_hash, "target": "number"}
    metadata = saved.Metadata(file=file.name, sha256=hash_, **known)
    saved.write_metadata(folder, metadata)
    (folder / "history.csv").write_text("epoch,mse,val_mse\n1,0.01,0.02\n")


def test_a_report_has_four_outputs(project):
    evaluate.main("prices_linear")
    assert sorted(f.name for f in EXPERIMENT.iterdir()) == sorted([*REPORT, "model", "params.yaml"])
    assert {f.name for f in (EXPERIMENT / "figures").iterdir()} == {
        "importance.csv",
        "importance.png",
        "predicted_true.png",
        "residuals.png",
        "worst.png",
    }
    assert (EXPERIMENT / "curves.csv").read_text() == "epoch,mse,val_mse\n1,0.01,0.02\n"


def test_metrics_are_flat_sorted_numbers_of_model_and_baseline(project):
    evaluate.main("prices_linear")
    text = (EXPERIMENT / "metrics.json").read_text()
    metrics = json.loads(text)
    assert list(metrics) == sorted(metrics)
    assert all(isinstance(value, int | float) for value in metrics.values())
    assert metrics["mae_low"] < metrics["mae"] < metrics["mae_high"] < metrics["baseline_mae"]
    assert (metrics["test_rows"], metrics["parameters"]) == (20, 3)
    assert {name for name in metrics if name.endswith("_low")} == {"mae_low", "mse_low", "r2_low", "rmse_low"}


def test_scores_stand_beside_the_baseline_s_and_know_their_rows(project):
    evaluate.main("prices_linear")
    table = pq.read_table(EXPERIMENT / "scores.parquet")
    assert table.schema.metadata[b"test_hash"] == b"0" * 64
    how = json.loads(table.schema.metadata[b"statistics"])
    assert how["rmse"] == {"kind": "root_mean", "columns": ["squared_error"]}
    scores, truth = table.to_pandas(), data.load_split(project / "data/prices/prepared", "test", "number")
    assert scores["target"].tolist() == truth.y.tolist()
    assert scores["baseline_absolute_error"].mean() > scores["absolute_error"].mean()
    errors = (scores["baseline_prediction"] - scores["target"]).abs()
    assert scores["baseline_absolute_error"].tolist() == errors.tolist()


def test_a_report_of_rows_that_belong_together_is_less_sure_and_says_which_do(project, rng):
    test, prepared = rows(rng, 20), project / "data/prices/prepared"
    of_five = np.repeat(np.arange(20), 5)
    five = Split(test.x[of_five], test.y[of_five], 7 * of_five)
    widths, told = [], []
    for split in (five, replace(five, group=None)):
        shutil.rmtree(prepared)
        prepared.mkdir()
        splits = {"train": rows(rng, 60), "validation": rows(rng, 5), "test": split}
        data.save(prepared, make_spec(dataset="prices", **SCALE), splits)
        evaluate.main("prices_linear")
        metrics = json.loads((EXPERIMENT / "metrics.json").read_text())
        widths.append(metrics["mae_high"] - metrics["mae_low"])
        told.append(pd.read_parquet(EXPERIMENT / "scores.parquet").get("group"))
    assert told[0].tolist() == five.group.tolist()
    assert told[1] is None
    assert widths[0] > 1.8 * widths[1]


def test_another_run_gives_the_same_bytes(project):
    evaluate.main("prices_linear")
    first = files(EXPERIMENT)
    evaluate.main("prices_linear")
    assert files(EXPERIMENT) == first


def test_a_model_trained_for_other_test_rows_is_refused(project):
    other = make_spec(dataset="prices", **SCALE, test_hash="1" * 64)
    (project / "data/prices/prepared/spec.json").write_text(other.model_dump_json())
    with pytest.raises(
        EvermodelError, match=r"prices_linear/model .*other test rows.*prices_linear/dvc\.yaml:train"
    ):
        evaluate.main("prices_linear")
    assert not set(REPORT) & {f.name for f in EXPERIMENT.iterdir()}


def test_a_model_file_that_was_changed_is_refused_and_the_old_report_stays(project):
    evaluate.main("prices_linear")
    with (EXPERIMENT / "model/model.skops").open("ab") as file:
        file.write(b"x")
    before = files(EXPERIMENT)
    with pytest.raises(EvermodelError, match=r"model\.skops"):
        evaluate.main("prices_linear")
    assert files(EXPERIMENT) == before


@pytest.mark.parametrize("file", ["training.json", "history.csv"])
def test_an_untrained_experiment_is_a_plain_sentence(project, file):
    (EXPERIMENT / "model" / file).unlink()
    with pytest.raises(EvermodelError, match=rf"{file} is missing; .*prices_linear/dvc\.yaml:train`"):
        evaluate.main("prices_linear")


def test_a_report_that_fails_half_way_leaves_nothing(project, monkeypatch):
    def fail(*_):
        raise RuntimeError

    monkeypatch.setattr(regression, "figures", fail)
    with pytest.raises(RuntimeError):
        evaluate.main("prices_linear")
    assert sorted(f.name for f in EXPERIMENT.iterdir()) == ["model", "params.yaml"]


def test_a_wrong_prediction_is_told_with_who_made_it(rng):
    with pytest.raises(EvermodelError, match=r"^baseline constant predicted an array of shape \(3,\)"):
        evaluation.evaluate(regression, "baseline constant", np.zeros(3), rows(rng, 4), make_spec(), {})


def test_a_metric_that_is_not_finite_is_told_by_name(rng):
    with pytest.raises(EvermodelError, match=r"^mse, r2, rmse of model mlp"), np.errstate(over="ignore"):
        evaluation.evaluate(regression, "model mlp", np.full(4, 1e200), rows(rng, 4), make_spec(), {})


def test_numbers_keep_six_digits():
    found = evaluation.Evaluated(pd.DataFrame({"target": [1]}), {"mae": 1234.56789, "mse": 1.23456789e-9})
    metrics = json.loads(evaluation.metrics_json(found, found, {"mae": (1 / 3, 2 / 3)}, 12_345_678))
    assert metrics["mae"] == metrics["baseline_mae"] == 1234.57
    assert metrics["mse"] == 1.23457e-9
    assert (metrics["mae_low"], metrics["parameters"], metrics["test_rows"]) == (0.333333, 12_345_678, 1)


def test_texts_get_a_page_and_a_curve_but_no_picture_of_the_worst():
    texts = np.array([f"text number {number}" for number in range(20)], dtype=object)
    of_texts = make_spec("text", classes=("bad", "good"))
    test, given = Split(texts, np.arange(20) % 2), np.linspace(0.05, 0.9, 20)
    scores = binary.score(test, given, of_texts)
    predictions = Predictions(test, given, np.full(20, 0.5), texts)
    history = pd.read_csv(io.StringIO("epoch,loss,val_loss\n1,2,3\n2,1,2\n"))
    drawn = evaluation.images(binary, "imdb", of_texts, scores, predictions, history)
    assert set(drawn) == {
        "calibration.png",
        "confusion_matrix.png",
        "roc.png",
        "learning_curve.png",
        "worst.md",
    }
    assert f"text number {scores['log_loss'].idxmax()}" in drawn["worst.md"].decode().split("## 2.")[0]


def test_images_get_a_picture_of_the_worst_even_if_there_are_few(rng):
    images = rng.integers(0, 255, (4, 6, 6, 3)).astype(np.uint8)
    of_images = make_spec("images", input_shape=(6, 6, 3))
    test = Split(images, np.arange(4.0))
    scores = regression.score(test, np.ones(4), of_images)
    predictions = Predictions(test, np.ones(4), np.zeros(4), images)
    drawn = evaluation.images(
        regression, "faces", of_images, scores, predictions, pd.DataFrame({"epoch": [1]})
    )
    assert set(drawn) == {"predicted_true.png", "residuals.png", "worst.png"}


def test_what_a_task_makes_of_the_test_rows_is_what_model_and_baseline_are_shown(rng):
    x = rng.integers(0, 255, (2, 8, 8, 1)).astype(np.uint8)
    assert evaluation.inputs(reconstruction, x, {}, 1) is x
    noisy, again, other = (evaluation.inputs(denoising, x, {"noise": 0.1}, seed) for seed in (1, 1, 2))
    assert (noisy != x).any()
    assert np.array_equal(noisy, again)
    assert (noisy != other).any()


def test_scores_of_other_noise_are_of_another_question(rng):
    x = rng.integers(0, 255, (2, 8, 8, 1)).astype(np.uint8)
    test, spec = Split(x, np.zeros(2)), make_spec("images")
    assert evaluation.asked(spec, test, x, {}) == spec.test_hash
    noises = (0.1, 0.1, 0.2)
    one, again, other = (
        evaluation.asked(spec, test, evaluation.inputs(denoising, x, {"noise": noise}, 1), {})
        for noise in noises
    )
    assert one == again != other
    assert spec.test_hash not in (one, other)


def test_scores_by_another_judge_are_of_another_question(rng):
    x = rng.integers(0, 255, (2, 8, 8, 1)).astype(np.uint8)
    test, spec = Split(x, np.zeros(2)), make_spec("images")
    judges = [{"judge": Judge(sha256, np.ravel, np.ravel, x, x)} for sha256 in ("cafe", "cafe", "beef")]
    one, again, other = (evaluation.asked(spec, test, x, told) for told in judges)
    assert one == again != other
    assert spec.test_hash not in (one, other)
    assert one != evaluation.asked(make_spec("images", test_hash="1" * 64), test, x, judges[0])


def test_rows_that_belong_together_have_their_group_in_the_scores_and_metrics_do_not_change(rng):
    test = rows(rng, 6)
    grouped = Split(test.x, test.y, np.array([4, 4, 9, 9, 9, 2]))
    plain, judged = (
        evaluation.evaluate(regression, "model", test.y + np.arange(6), one, make_spec(), {})
        for one in (test, grouped)
    )
    assert judged.metrics == plain.metrics
    assert "group" not in plain.scores
    assert judged.scores["group"].tolist() == [4, 4, 9, 9, 9, 2]
    assert judged.scores.drop(columns="group").equals(plain.scores)
    content = evaluation.scores_parquet(judged.scores, judged.scores, "hash", {})
    table = pq.read_table(io.BytesIO(content))
    assert table.schema.field("group").type == "int64"
    assert "baseline_group" not in table.column_names


def test_the_worst_are_shown_as_they_were_shown_to_the_model(monkeypatch, rng):
    seen = {}
    monkeypatch.setattr(evaluation.figures, "worst_rows", lambda x, *_: seen.update(x=x) or Figure())
    monkeypatch.setattr(evaluation.figures, "png", lambda *_: b"")
    test, shown = rows(rng, 20), rows(rng, 20)
    predictions = Predictions(test, test.y + np.arange(20), np.zeros(20), shown.x)
    scores = regression.score(test, predictions.model, make_spec())
    evaluation.images(regression, "prices", make_spec(), scores, predictions, pd.DataFrame({"epoch": [1]}))
    assert seen["x"].equals(shown.x[np.arange(20)[::-1][: evaluation.WORST]].frame())


def test_figures_let_go_of_the_rows_that_they_show(monkeypatch, rng):
    drawn = []
    monkeypatch.setattr(evaluation.figures, "png", lambda figure, *_: drawn.append(figure) or b"")
    test = rows(rng, 20)
    predictions = Predictions(test, test.y + np.arange(20), np.zeros(20), test.x)
    scores = regression.score(test, predictions.model, make_spec())
    evaluation.images(regression, "prices", make_spec(), scores, predictions, pd.DataFrame({"epoch": [1]}))
    assert len(drawn) == 3
    assert not any(figure.axes for figure in drawn)
