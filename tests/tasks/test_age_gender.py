import numpy as np
import pytest

from evermodel.core.data import Predictions, Split
from evermodel.core.errors import EvermodelError
from evermodel.evaluation import figures
from evermodel.models import constant
from evermodel.tasks import age_gender
from tests.specs import make_spec

Y = np.array([[5.0, 0], [12, 1], [13, 0], [30, 1], [66, 0], [90, 1]])
PREDICTION = np.array([[6.0, 0.1], [14, 0.2], [13, 0.4], [20, 0.9], [60, 0.7], [80, 0.8]])
TEST = Split(np.zeros((6, 4, 4, 3), np.uint8), Y)


@pytest.fixture
def spec():
    return make_spec(targets=("age", "gender"))


def test_scores_are_of_both_answers(spec):
    scores = age_gender.score(TEST, PREDICTION, spec)
    assert scores["absolute_error"].tolist() == [1, 2, 0, 10, 6, 10]
    assert scores["correct"].tolist() == [1, 0, 1, 1, 0, 1]
    assert scores["probability"].tolist() == pytest.approx(PREDICTION[:, 1].tolist())
    assert scores["log_loss"].tolist() == pytest.approx(
        (-np.log([0.9, 0.2, 0.6, 0.9, 0.3, 0.8])).tolist(), rel=1e-6
    )


def test_metrics_are_told_of_each_group_that_has_rows(spec):
    metrics = age_gender.metrics(age_gender.score(TEST, PREDICTION, spec), spec)
    errors = np.array([1, 2, 0, 10, 6, 10])
    assert metrics == pytest.approx(
        {
            "age_mae": errors.mean(),
            "age_mae_0_12": 1.5,
            "age_mae_13_25": 0,
            "age_mae_26_45": 10,
            "age_mae_66_plus": 8,
            "age_mae_gender_0": 7 / 3,
            "age_mae_gender_1": 22 / 3,
            "age_rmse": np.sqrt((errors**2).mean()),
            "gender_accuracy": 4 / 6,
            "gender_accuracy_0_12": 0.5,
            "gender_accuracy_13_25": 1,
            "gender_accuracy_26_45": 1,
            "gender_accuracy_66_plus": 0.5,
            "gender_accuracy_gender_0": 2 / 3,
            "gender_accuracy_gender_1": 2 / 3,
            "gender_log_loss": -np.log([0.9, 0.2, 0.6, 0.9, 0.3, 0.8]).mean(),
            "gender_roc_auc": 7 / 9,
        }
    )


AGES = {0: "0_12", -1: "0_12", 12.5: "0_12", 13: "13_25", 25.9: "13_25", 65.99: "46_65", 66: "66_plus"}


@pytest.mark.parametrize(("age", "band"), [*AGES.items(), (130, "66_plus")])
def test_any_age_is_judged_as_it_is_and_counted_in_one_band(spec, age, band):
    test = Split(TEST.x[:2], np.array([[age, 0], [age, 1]]))
    scores = age_gender.score(test, np.array([[age + 3, 0.1], [age - 5, 0.9]]), spec)
    assert scores["target"].tolist() == [age, age]
    metrics = age_gender.metrics(scores, spec)
    assert [name for name in age_gender.BANDS if f"age_mae_{name}" in metrics] == [band]
    assert metrics[f"age_mae_{band}"] == pytest.approx(4)


@pytest.mark.parametrize("gender", [2, 0.5, -1, np.nan])
def test_a_gender_that_is_neither_0_nor_1_is_refused(spec, gender):
    truth = Y.copy()
    truth[2, 1] = gender
    with pytest.raises(EvermodelError, match=r"1 test rows whose gender .*data/made/params\.yaml"):
        age_gender.score(Split(TEST.x, truth), PREDICTION, spec)


def test_the_constant_baseline_says_the_mean_age_and_the_share_of_gender_1(spec):
    predictions = constant.build((4, 4, 3), "age_gender").fit(TEST.x, Y).predict(TEST.x)
    assert predictions == pytest.approx(np.tile([36, 0.5], (6, 1)))
    metrics = age_gender.metrics(age_gender.score(TEST, predictions, spec), spec)
    assert metrics["gender_roc_auc"] == 0.5
    assert metrics["age_mae"] == pytest.approx(np.abs(Y[:, 0] - 36).mean())


@pytest.mark.parametrize("prediction", [PREDICTION[:, :1], PREDICTION[:, ::-1], PREDICTION * np.nan])
def test_a_prediction_that_is_no_age_and_probability_is_refused(spec, prediction):
    with pytest.raises(EvermodelError, match="predicted"):
        age_gender.score(TEST, prediction, spec)


def test_data_with_other_targets_are_refused(spec):
    with pytest.raises(EvermodelError, match=r"targets gender, age.*targets in data/made/params\.yaml"):
        age_gender.score(TEST, PREDICTION, spec.model_copy(update={"targets": ("gender", "age")}))


def test_the_figure_of_groups_counts_the_rows_of_each(spec):
    scores = age_gender.score(TEST, PREDICTION, spec)
    with figures.look():
        drawn = age_gender.figures(scores, spec, Predictions(TEST, PREDICTION, PREDICTION, TEST.x))
    assert set(drawn) == {"calibration", "groups", "predicted_true"}
    names = [label.get_text() for label in drawn["groups"].axes[0].get_yticklabels()]
    assert names == ["0–12 (2)", "13–25 (1)", "26–45 (1)", "66 and older (2)", "gender 0 (3)", "gender 1 (3)"]
