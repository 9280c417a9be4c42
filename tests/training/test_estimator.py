import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import ExtraTreesClassifier, RandomForestClassifier, StackingClassifier
from sklearn.feature_selection import SelectFromModel
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.naive_bayes import MultinomialNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.svm import SVC, LinearSVC
from sklearn.tree import DecisionTreeClassifier

from evermodel.core.columns import Column
from evermodel.core.data import Split
from evermodel.core.errors import EvermodelError
from evermodel.core.rows import Rows, of
from evermodel.models import boosting, constant, forest, linear, persistence, tfidf_linear
from evermodel.runs import saved
from evermodel.training import estimator
from tests.specs import make_spec
from tests.stored import stored

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


MIXED = (
    Column(name="size", gaps="fill", missing=0.1, median=1.0),
    Column(name="open", kind="boolean"),
    Column(name="town", kind="category", gaps="category", missing=0.1, categories=("Bonn", "Köln")),
    Column(name="since", kind="time"),
    Column(name="until", kind="time", gaps="fill"),
    Column(name="note", kind="text", gaps="category", vocabulary=("good", "bad")),
)
MIXED_SPEC = make_spec(input_shape=(6,), columns=MIXED)


def mixed(count=120):
    """Rows of every kind of column, some with gaps, and a target that each of them has a part in."""
    random = np.random.RandomState(count)
    since = 1.7e9 + 86_400.0 * random.randint(0, 300, count)
    table = pd.DataFrame(
        {
            "size": random.normal(size=count),
            "open": random.randint(0, 2, count).astype(float),
            "town": pd.Series(random.choice(["Bonn", "Köln"], count), dtype=object),
            "since": since,
            "until": since + 3600.0 * random.randint(1, 9, count),
            "note": pd.Series(random.choice(["good", "a bad one", "so so"], count), dtype=object),
        }
    )
    y = table["size"] + table["open"] + 2 * (table["town"] == "Köln") + 3 * (table["note"] == "good")
    y += (table["until"] - table["since"]) / 3600
    table.loc[::10, ["size", "town"]] = np.nan, None
    return table, y.to_numpy()


TABLE, TARGET = mixed()
MODELS = [linear.build, boosting.build, forest.build]


def answered(build, table, split=None):
    return estimator.predict(
        fitted(build, "number", split or Split(of(TABLE, MIXED), TARGET), MIXED_SPEC), table
    )


@pytest.mark.parametrize("build", MODELS)
def test_each_kind_of_column_has_its_part_in_the_answer(build):
    table, y = mixed(90)
    known = table["size"].notna().to_numpy()
    error = np.abs(answered(build, table) - y)[known].mean()
    assert error < 0.5 * np.abs(y - TARGET.mean()).mean()


@pytest.mark.parametrize("build", MODELS)
def test_gaps_and_categories_that_were_never_seen_are_answered_and_the_saved_model_answers_the_same(
    build, tmp_path
):
    table = TABLE.iloc[:3].assign(
        town=pd.Series(["Ulm", None, "Bonn"], dtype=object), note=None, until=np.nan
    )
    table.loc[0, "size"] = np.nan
    model = fitted(build, "number", Split(of(TABLE, MIXED), TARGET), MIXED_SPEC)
    answers = estimator.predict(model, table)
    assert np.isfinite(answers).all()
    file = saved.save_sklearn(model, tmp_path)
    assert np.array_equal(saved.predictor(file)(table), answers)


def test_rows_on_disk_and_tables_in_memory_are_answered_alike():
    assert np.array_equal(answered(linear.build, TABLE), answered(linear.build, of(TABLE, MIXED)))


def test_what_models_of_trees_get_are_gaps_and_numbers_of_categories():
    model = fitted(boosting.build, "number", Split(of(TABLE, MIXED), TARGET), MIXED_SPEC)
    x = model[0].transform(TABLE)
    assert x[0, 0] == 2, "a gap is a category of its own"
    assert set(x[1:10, 0]) == {0.0, 1.0}
    assert np.array_equal(x[:, 1], TABLE["size"], equal_nan=True)
    assert model[-1].categorical_features == [0]


def test_a_gap_is_told_to_models_of_weights_beside_the_median():
    model = fitted(linear.build, "number", Split(of(TABLE, MIXED), TARGET), MIXED_SPEC)
    x = model[0].transform(TABLE)
    assert not np.isnan(x).any()
    assert x[0, :3].tolist() == [0, 0, 1], "its category is none of the towns"
    assert x[0, 3] == np.nanmedian(TABLE["size"])


def test_rows_of_no_weight_are_not_learned_from():
    spoilt = np.where(np.arange(60) < 30, 1000.0, NUMBERS.y)
    weight = (np.arange(60) >= 30).astype(float)
    model = fitted(linear.build, "number", Split(ROWS, spoilt, weight=weight))
    assert estimator.predict(model, X) == pytest.approx(NUMBERS.y)


def test_a_model_that_takes_no_weights_is_refused_for_rows_that_have_them():
    weighted = Split(ROWS, CLASSES.y, weight=np.ones(60))
    with pytest.raises(EvermodelError, match=r"mine\.py.* weight.* data/made/params\.yaml"):
        fitted(builder(KNeighborsClassifier()), "class", weighted)


@pytest.mark.parametrize("build", MODELS)
def test_balanced_classes_count_as_much_as_each_other(build):
    random = np.random.RandomState(3)
    x = random.normal(size=(300, 3))
    y = (x[:, 0] + random.normal(size=300) > 2).astype(np.int64)
    split = Split(Rows(("a", "b", "c"), x, {}), y)
    plain, balanced = (
        estimator.predict(fitted(build, "class", split, class_weight=how), x)[:, 1]
        for how in (None, "balanced")
    )
    assert balanced.mean() > 1.2 * plain.mean()


def test_more_rows_than_memory_should_hold_are_sampled_by_seed_and_it_is_said(monkeypatch, capsys):
    monkeypatch.setattr(estimator, "MOST_OF_A_TABLE", 60)
    few = estimator.sample(NUMBERS, SPEC, 1)
    assert len(few) == 20
    assert "20 of 60 rows of data set made" in capsys.readouterr().out
    assert np.array_equal(few.y, few.x.numbers @ [1.0, -2.0, 0.5] + 3), "rows and answers stay together"
    assert np.array_equal(few.y, estimator.sample(NUMBERS, SPEC, 1).y)
    assert not np.array_equal(few.y, estimator.sample(NUMBERS, SPEC, 2).y)
    assert estimator.sample(few, SPEC, 1) is few


@pytest.mark.parametrize("limit", [10**9, 60], ids=["all", "a sample"])
def test_stored_rows_are_learned_from_and_answered_as_those_in_memory(monkeypatch, tmp_path, limit):
    monkeypatch.setattr(estimator, "MOST_OF_A_TABLE", limit)
    weighted = Split(NUMBERS.x, NUMBERS.y, weight=np.arange(60.0))
    on_disk = stored(tmp_path, COLUMNS, weighted)
    models = [fitted(linear.build, "number", split) for split in (weighted, on_disk)]
    answers = [estimator.predict(model, x) for model in models for x in (NUMBERS.x, on_disk.x)]
    assert all(np.array_equal(answer, answers[0]) for answer in answers)
    told = [estimator.figures(models[0], {"train": s, "validation": s}) for s in (weighted, on_disk)]
    assert told[0] == told[1]


def test_many_examples_are_asked_in_pieces_and_answered_in_order(monkeypatch):
    model = fitted(linear.build, "class", IMAGES, IMAGE_SPEC)
    whole = estimator.predict(model, IMAGES.x)
    monkeypatch.setattr(estimator, "MOST", 21)
    assert estimator.predict(model, IMAGES.x) == pytest.approx(whole)
