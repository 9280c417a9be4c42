import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import ExtraTreesClassifier, RandomForestClassifier, StackingClassifier
from sklearn.feature_selection import SelectFromModel
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.naive_bayes import MultinomialNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.svm import SVC, LinearSVC
from sklearn.tree import DecisionTreeClassifier

from evermodel.core.columns import Column
from evermodel.core.data import Split
from evermodel.core.errors import EvermodelError
from evermodel.core.rows import Rows
from evermodel.models import constant, linear, persistence, tfidf_linear
from evermodel.training import estimator
from tests.specs import make_spec

RANDOM = np.random.RandomState(0)
X = RANDOM.normal(size=(60, 3))
COLUMNS = tuple(Column(name=name) for name in "abc")
SPEC = make_spec(input_shape=(3,), columns=COLUMNS)
ROWS = Rows(("a", "b", "c"), X, {})
NUMBERS = Split(ROWS, X @ [1.0, -2.0, 0.5] + 3)
CLASSES = Split(ROWS, np.digitize(X[:, 0], [-0.5, 0.5]))
IMAGES = Split(np.round(100 + 50 * X).astype(np.uint8).reshape(60, 1, 3, 1), CLASSES.y)
IMAGE_SPEC = make_spec("images", input_shape=(1, 3, 1))


def fitted(build, target, split, spec=SPEC, seed=1, **options):
    return estimator.fit(build, spec, target, split, seed, **options)


def builder(model):
    """The build function of a model's file that builds this."""

    def build(input_shape, target):
        return model

    build.__module__ = "evermodel.models.mine"
    return build


def test_a_regressor_predicts_a_number_for_each_row():
    model = fitted(linear.build, "number", NUMBERS)
    assert estimator.predict(model, X) == pytest.approx(NUMBERS.y)


def test_a_classifier_predicts_a_distribution_for_each_row():
    probabilities = estimator.predict(fitted(linear.build, "class", CLASSES), X)
    assert probabilities.shape == (60, 3)
    assert probabilities.sum(axis=1) == pytest.approx(1)
    assert (probabilities.argmax(axis=1) == CLASSES.y).mean() > 0.9


def test_a_table_is_fitted_by_the_names_of_its_columns():
    model = fitted(linear.build, "number", NUMBERS)
    named = pd.DataFrame(X, columns=["a", "b", "c"])
    assert np.array_equal(estimator.predict(model, named), estimator.predict(model, X))
    with pytest.raises(ValueError, match="feature names"):
        model.predict(named.rename(columns={"a": "z"}))


def test_images_go_in_as_they_are():
    model = fitted(linear.build, "class", IMAGES, IMAGE_SPEC)
    assert estimator.predict(model, IMAGES.x).shape == (60, 3)


def test_texts_go_in_as_they_are():
    texts = np.array([f"{'good' if n % 2 else 'bad'} film {n % 7}" for n in range(60)], dtype=object)
    spec = SPEC.model_copy(update={"kind": "text", "input_shape": (), "columns": ()})
    model = fitted(tfidf_linear.build, "class", Split(texts, np.arange(60) % 2), spec)
    assert estimator.predict(model, texts).argmax(axis=1).tolist() == [0, 1] * 30


def test_options_reach_the_model():
    weak, strong = (fitted(linear.build, "class", CLASSES, c=c) for c in (1.0, 0.001))
    assert np.abs(weak[-1].coef_).sum() > np.abs(strong[-1].coef_).sum()


@pytest.mark.parametrize("options", [{"depth": 3}, {"c": -1.0}, {"c": "much"}])
def test_an_option_that_the_model_can_not_take_is_told_with_its_file(options):
    with pytest.raises(EvermodelError, match=r"src/evermodel/models/linear\.py.*params\.yaml: .*(depth|'C')"):
        fitted(linear.build, "class", CLASSES, **options)


def test_whatever_a_model_s_file_raises_is_told_with_its_file():
    def build(input_shape, target):
        return RandomForest()  # noqa: F821

    with pytest.raises(EvermodelError, match=r"src/evermodel/models/.*NameError: .*RandomForest"):
        fitted(build, "class", CLASSES)


def test_a_model_of_a_series_is_refused_for_a_table():
    with pytest.raises(EvermodelError, match=r"models/persistence\.py.* fitted to data set made"):
        fitted(persistence.build, "number", NUMBERS)


def test_data_that_a_model_can_not_take_are_told_with_its_file():
    with pytest.raises(EvermodelError, match=r"src/evermodel/models/mine\.py.* data set made .*Negative"):
        fitted(builder(MultinomialNB()), "class", CLASSES)


@pytest.mark.parametrize(
    ("model", "target", "split"),
    [
        (make_pipeline(StandardScaler(), LogisticRegression()), "number", NUMBERS),
        (LogisticRegression(), "numbers", NUMBERS),
        (make_pipeline(StandardScaler(), LinearRegression()), "class", CLASSES),
        (LinearSVC(), "class", CLASSES),
        (SVC(), "class", CLASSES),
        (object(), "class", CLASSES),
    ],
    ids=["classifier", "classifier of several", "regressor", "no probabilities", "nor these", "no model"],
)
def test_a_model_that_can_not_answer_for_the_target_is_refused(model, target, split):
    with pytest.raises(EvermodelError, match=r"src/evermodel/models/mine\.py"):
        fitted(builder(model), target, split)


def test_a_stack_whose_probabilities_only_fitting_shows_is_taken():
    stack = StackingClassifier([("tree", DecisionTreeClassifier())])
    assert estimator.predict(fitted(builder(stack), "class", CLASSES), X).shape == (60, 3)


def chance():
    """Parts that draw lots: each by its own seed, and one by NumPy's."""
    noisy = FunctionTransformer(lambda x: x + np.random.normal(size=x.shape))
    forest = RandomForestClassifier(5)
    return make_pipeline(noisy, SelectFromModel(ExtraTreesClassifier(5)), forest)


def test_a_model_is_the_same_whenever_the_seed_is_the_same():
    models = [fitted(builder(chance()), "class", CLASSES, seed=seed) for seed in (1, 1, 2)]
    trees = [model[-1].estimators_[0].tree_.threshold.tolist() for model in models]
    assert trees[0] == trees[1] != trees[2]
    seeds = {name: value for name, value in models[0].get_params().items() if name.endswith("random_state")}
    assert set(seeds.values()) == {1}
    assert len(seeds) == 2


def test_a_seed_that_the_model_has_is_kept():
    model = fitted(builder(RandomForestClassifier(5, random_state=7)), "class", CLASSES)
    assert model.random_state == 7


def test_the_baseline_answers_without_looking_at_the_input():
    mean = fitted(constant.build, "number", NUMBERS)
    assert estimator.predict(mean, X) == pytest.approx(NUMBERS.y.mean())
    shares = fitted(constant.build, "class", CLASSES)
    assert estimator.predict(shares, X)[0] == pytest.approx(np.bincount(CLASSES.y) / 60)


def test_figures_of_a_regressor_are_squared_errors_of_both_splits():
    half = {"train": Split(ROWS[:30], NUMBERS.y[:30]), "validation": Split(ROWS[30:], NUMBERS.y[30:])}
    figures = estimator.figures(fitted(constant.build, "number", half["train"]), half)
    assert figures.keys() == {"mse", "val_mse"}
    assert figures["mse"] == pytest.approx(NUMBERS.y[:30].var())


def test_figures_of_a_classifier_are_shares_of_right_answers():
    half = {"train": Split(ROWS[:30], CLASSES.y[:30]), "validation": Split(ROWS[30:], CLASSES.y[30:])}
    figures = estimator.figures(fitted(constant.build, "class", half["train"]), half)
    most_frequent = np.bincount(CLASSES.y[:30]).argmax()
    assert figures == {
        "accuracy": pytest.approx((CLASSES.y[:30] == most_frequent).mean()),
        "val_accuracy": pytest.approx((CLASSES.y[30:] == most_frequent).mean()),
    }


@pytest.mark.parametrize(
    ("build", "task", "split", "expected"),
    [
        (linear.build, "number", NUMBERS, 3 + 1),
        (linear.build, "class", CLASSES, 3 * (3 + 1)),
        (constant.build, "number", NUMBERS, 0),
    ],
)
def test_parameters_are_coefficients_and_intercepts(build, task, split, expected):
    assert estimator.parameters(fitted(build, task, split)) == expected


def test_fitting_twice_gives_the_same_model():
    once, twice = (fitted(linear.build, "class", CLASSES) for _ in range(2))
    assert np.array_equal(once[-1].coef_, twice[-1].coef_)
