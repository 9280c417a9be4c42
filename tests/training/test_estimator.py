import numpy as np
import pandas as pd
import pytest

from evermodel.core.data import Split
from evermodel.models import constant, linear, tfidf_linear
from evermodel.training import estimator
from tests.specs import make_spec

RANDOM = np.random.RandomState(0)
X = RANDOM.normal(size=(60, 3))
SPEC = make_spec(input_shape=(3,), columns=("a", "b", "c"))
NUMBERS = Split(X, X @ [1.0, -2.0, 0.5] + 3)
CLASSES = Split(X, np.digitize(X[:, 0], [-0.5, 0.5]))
IMAGES = Split(np.round(100 + 50 * X).astype(np.uint8).reshape(60, 1, 3, 1), CLASSES.y)
IMAGE_SPEC = make_spec("images", input_shape=(1, 3, 1))


def fitted(build, task, split, spec=SPEC, **options):
    return estimator.fit(build, spec, task, split, **options)


def test_a_regressor_predicts_a_number_for_each_row():
    model = fitted(linear.build, "regression", NUMBERS)
    assert estimator.predict(model, X) == pytest.approx(NUMBERS.y)


def test_a_classifier_predicts_a_distribution_for_each_row():
    probabilities = estimator.predict(fitted(linear.build, "classification", CLASSES), X)
    assert probabilities.shape == (60, 3)
    assert probabilities.sum(axis=1) == pytest.approx(1)
    assert (probabilities.argmax(axis=1) == CLASSES.y).mean() > 0.9


def test_a_table_is_fitted_by_the_names_of_its_columns():
    model = fitted(linear.build, "regression", NUMBERS)
    named = pd.DataFrame(X, columns=["a", "b", "c"])
    assert np.array_equal(estimator.predict(model, named), estimator.predict(model, X))
    with pytest.raises(ValueError, match="feature names"):
        model.predict(named.rename(columns={"a": "z"}))


def test_images_go_in_as_they_are():
    model = fitted(linear.build, "classification", IMAGES, IMAGE_SPEC)
    assert estimator.predict(model, IMAGES.x).shape == (60, 3)


def test_texts_go_in_as_they_are():
    texts = np.array([f"{'good' if n % 2 else 'bad'} film {n % 7}" for n in range(60)], dtype=object)
    spec = SPEC.model_copy(update={"kind": "text", "input_shape": (), "columns": ()})
    model = fitted(tfidf_linear.build, "binary", Split(texts, np.arange(60) % 2), spec)
    assert estimator.predict(model, texts).argmax(axis=1).tolist() == [0, 1] * 30


def test_options_reach_the_model():
    weak, strong = (fitted(linear.build, "classification", CLASSES, c=c) for c in (1.0, 0.001))
    assert np.abs(weak[-1].coef_).sum() > np.abs(strong[-1].coef_).sum()


def test_an_option_that_the_model_does_not_have_is_a_type_error():
    with pytest.raises(TypeError, match="depth"):
        fitted(linear.build, "regression", NUMBERS, depth=3)


def test_the_baseline_answers_without_looking_at_the_input():
    mean = fitted(constant.build, "regression", NUMBERS)
    assert estimator.predict(mean, X) == pytest.approx(NUMBERS.y.mean())
    shares = fitted(constant.build, "classification", CLASSES)
    assert estimator.predict(shares, X)[0] == pytest.approx(np.bincount(CLASSES.y) / 60)


def test_figures_of_a_regressor_are_squared_errors_of_both_splits():
    half = {"train": Split(X[:30], NUMBERS.y[:30]), "validation": Split(X[30:], NUMBERS.y[30:])}
    figures = estimator.figures(fitted(constant.build, "regression", half["train"]), half)
    assert figures.keys() == {"mse", "val_mse"}
    assert figures["mse"] == pytest.approx(NUMBERS.y[:30].var())


def test_figures_of_a_classifier_are_shares_of_right_answers():
    half = {"train": Split(X[:30], CLASSES.y[:30]), "validation": Split(X[30:], CLASSES.y[30:])}
    figures = estimator.figures(fitted(constant.build, "classification", half["train"]), half)
    most_frequent = np.bincount(CLASSES.y[:30]).argmax()
    assert figures == {
        "accuracy": pytest.approx((CLASSES.y[:30] == most_frequent).mean()),
        "val_accuracy": pytest.approx((CLASSES.y[30:] == most_frequent).mean()),
    }


@pytest.mark.parametrize(
    ("build", "task", "split", "expected"),
    [
        (linear.build, "regression", NUMBERS, 3 + 1),
        (linear.build, "classification", CLASSES, 3 * (3 + 1)),
        (constant.build, "regression", NUMBERS, 0),
    ],
)
def test_parameters_are_coefficients_and_intercepts(build, task, split, expected):
    assert estimator.parameters(fitted(build, task, split)) == expected


def test_fitting_twice_gives_the_same_model():
    once, twice = (fitted(linear.build, "classification", CLASSES) for _ in range(2))
    assert np.array_equal(once[-1].coef_, twice[-1].coef_)
