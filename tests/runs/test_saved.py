import os
from functools import partial

import numpy as np
import pytest
import skops.io
from sklearn.base import clone, is_regressor
from sklearn.calibration import CalibratedClassifierCV
from sklearn.cluster import KMeans
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor
from sklearn.cross_decomposition import PLSRegression
from sklearn.datasets import fetch_openml
from sklearn.decomposition import PCA
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis, QuadraticDiscriminantAnalysis
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import (
    AdaBoostClassifier,
    AdaBoostRegressor,
    BaggingClassifier,
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
    StackingClassifier,
    StackingRegressor,
    VotingClassifier,
    VotingRegressor,
)
from sklearn.feature_selection import SelectFromModel, SelectKBest
from sklearn.gaussian_process import GaussianProcessClassifier, GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF, ConstantKernel, Matern, WhiteKernel
from sklearn.impute import KNNImputer, SimpleImputer
from sklearn.kernel_approximation import Nystroem
from sklearn.linear_model import (
    ElasticNet,
    HuberRegressor,
    LassoCV,
    LinearRegression,
    LogisticRegression,
    Ridge,
    SGDClassifier,
    TweedieRegressor,
)
from sklearn.multiclass import OneVsRestClassifier
from sklearn.naive_bayes import BernoulliNB, GaussianNB
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor, NearestCentroid
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    KBinsDiscretizer,
    OneHotEncoder,
    QuantileTransformer,
    SplineTransformer,
    StandardScaler,
    TargetEncoder,
)
from sklearn.svm import SVR, LinearSVC
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from evermodel.core import data
from evermodel.core.errors import EvermodelError
from evermodel.runs import saved
from evermodel.runs.saved import Metadata
from evermodel.training import estimator

X = np.array([[0.0], [1.0], [2.0]])
LOGISTIC = LogisticRegression()
SEED = {"random_state": 0}
CLASSIFIERS = [
    AdaBoostClassifier(n_estimators=3, **SEED),
    BaggingClassifier(n_estimators=3, **SEED),
    BernoulliNB(),
    CalibratedClassifierCV(LinearSVC(), method="isotonic"),
    DecisionTreeClassifier(**SEED),
    DummyClassifier(),
    ExtraTreesClassifier(3, **SEED),
    GaussianNB(),
    GaussianProcessClassifier(Matern() + WhiteKernel(), **SEED),
    GradientBoostingClassifier(n_estimators=3, **SEED),
    HistGradientBoostingClassifier(max_iter=3, **SEED),
    KNeighborsClassifier(),
    KNeighborsClassifier(algorithm="ball_tree", metric="manhattan"),
    LinearDiscriminantAnalysis(),
    LOGISTIC,
    MLPClassifier(5, max_iter=3, **SEED),
    NearestCentroid(),
    OneVsRestClassifier(LOGISTIC),
    QuadraticDiscriminantAnalysis(),
    RandomForestClassifier(3, **SEED),
    SGDClassifier(loss="log_loss", **SEED),
    StackingClassifier([("tree", DecisionTreeClassifier(**SEED)), ("logistic", LOGISTIC)]),
    VotingClassifier([("bayes", GaussianNB()), ("logistic", LOGISTIC)], voting="soft"),
]
REGRESSORS = [
    AdaBoostRegressor(n_estimators=3, **SEED),
    DecisionTreeRegressor(**SEED),
    ElasticNet(),
    ExtraTreesRegressor(3, **SEED),
    GaussianProcessRegressor(RBF() * ConstantKernel(), **SEED),
    GradientBoostingRegressor(n_estimators=3, **SEED),
    HistGradientBoostingRegressor(max_iter=3, **SEED),
    HuberRegressor(),
    KNeighborsRegressor(weights="distance"),
    LassoCV(),
    MLPRegressor(hidden_layer_sizes=5, max_iter=3, **SEED),
    PLSRegression(2),
    RandomForestRegressor(3, **SEED),
    Ridge(),
    StackingRegressor([("ridge", Ridge())]),
    SVR(),
    TransformedTargetRegressor(Ridge(), func=np.arcsinh, inverse_func=np.sinh),
    TweedieRegressor(),
    VotingRegressor([("ridge", Ridge()), ("tree", DecisionTreeRegressor(**SEED))]),
]
TRANSFORMERS = [
    ColumnTransformer([("scaled", StandardScaler(), [0, 1])], remainder="passthrough"),
    FeatureUnion([("pca", PCA(1)), ("scaled", StandardScaler())]),
    FunctionTransformer(np.nan_to_num),
    KBinsDiscretizer(3),
    KMeans(2, n_init=1, **SEED),
    KNNImputer(),
    Nystroem(n_components=5, **SEED),
    OneHotEncoder(handle_unknown="ignore"),
    QuantileTransformer(n_quantiles=10),
    SelectFromModel(ExtraTreesClassifier(3, **SEED)),
    SelectKBest(k=2),
    SimpleImputer(),
    SplineTransformer(),
    TargetEncoder(**SEED),
]
ESTIMATORS = [*CLASSIFIERS, *REGRESSORS, *(make_pipeline(step, LOGISTIC) for step in TRANSFORMERS)]
KNOWN = {"key": "k", "epochs": 1, "test_hash": "t", "target": "number"}


@pytest.fixture
def folder(tmp_path):
    """A model folder as training leaves it: y = 2x + 1."""
    folder = tmp_path / "made"
    folder.mkdir()
    file = saved.save_sklearn(LinearRegression().fit(X, 2 * X[:, 0] + 1), folder)
    hash_ = data.file_hash(file)
    saved.write_metadata(folder, Metadata(file=file.name, sha256=hash_, parameters=2, **KNOWN))
    return folder


def test_a_saved_model_predicts_what_it_predicted(folder):
    model = saved.load(folder)
    assert model.predict(X) == pytest.approx([1, 3, 5])
    assert model.metadata.parameters == 2


def test_a_keras_model_predicts_what_it_predicted(keras, tmp_path):
    inputs = keras.Input((1,))
    model = keras.Model(inputs, keras.layers.Dense(2, name="made")(inputs))
    file = saved.save_keras(model, tmp_path)
    hash_ = data.file_hash(file)
    known = Metadata(file=file.name, sha256=hash_, parameters=4, **KNOWN)
    saved.write_metadata(tmp_path, known)
    assert np.array_equal(saved.load(tmp_path).predict(X), model.predict(X, verbose=0))


def test_saving_again_gives_the_same_bytes(folder, tmp_path):
    again = saved.save_sklearn(LinearRegression().fit(X, 2 * X[:, 0] + 1), tmp_path)
    assert again.read_bytes() == (folder / "model.skops").read_bytes()


def test_metadata_are_what_was_written(folder):
    assert saved.metadata(folder).file == "model.skops"
    assert saved.metadata(folder).sha256 == data.file_hash(folder / "model.skops")


def test_metadata_of_another_evermodel_say_how_to_train(folder):
    (folder / "training.json").write_text('{"key": "k", "file": "model.skops"}')
    with pytest.raises(EvermodelError, match=r"training\.json .*dvc repro .*dvc\.yaml:train"):
        saved.metadata(folder)


@pytest.mark.parametrize("place", [0, 100, -1])
def test_a_model_file_with_one_other_bit_is_not_loaded(folder, place):
    file = folder / "model.skops"
    content = bytearray(file.read_bytes())
    content[place] ^= 1
    file.write_bytes(content)
    with pytest.raises(EvermodelError, match=r"model\.skops .*dvc repro --force .*dvc\.yaml:train"):
        saved.load(folder)


def test_a_model_file_that_is_gone_is_named(folder):
    (folder / "model.skops").unlink()
    with pytest.raises(EvermodelError, match=r"model\.skops "):
        saved.load(folder)


def test_a_folder_without_metadata_says_how_to_train(tmp_path):
    with pytest.raises(EvermodelError, match=r"training\.json .*dvc repro .*dvc\.yaml:train"):
        saved.load(tmp_path / "nowhere")


def test_a_skops_file_with_a_foreign_type_is_not_loaded(tmp_path):
    file = tmp_path / "model.skops"
    skops.io.dump(Foreign(), file)
    with pytest.raises(EvermodelError, match=r"model\.skops holds .*Foreign"):
        saved.predictor(file)


@pytest.mark.parametrize("function", [np.testing.assert_equal, np.load, os.system, fetch_openml, lambda x: x])
def test_a_model_that_could_not_be_loaded_again_is_told_when_it_is_written(tmp_path, function):
    with pytest.raises(EvermodelError, match=r"model\.skops holds .*" + function.__name__):
        saved.save_sklearn(make_pipeline(FunctionTransformer(function), Ridge()), tmp_path)


@pytest.mark.parametrize(
    ("function", "given"), [(np.clip, {"a_min": 0, "a_max": 1}), (np.load, {}), (Ridge, {})]
)
def test_a_function_that_the_file_gives_arguments_is_loaded_if_it_is_the_check_of_boosting_alone(
    tmp_path, function, given
):
    with pytest.raises(EvermodelError, match=r"model\.skops holds functools\.partial"):
        saved.save_sklearn(make_pipeline(FunctionTransformer(partial(function, **given)), Ridge()), tmp_path)


def test_boosting_on_categories_is_loaded(tmp_path):
    x = np.array([[0.0, 1.0], [1.0, 2.0], [0.0, 3.0]] * 20)
    model = HistGradientBoostingRegressor(max_iter=2, categorical_features=[0], **SEED).fit(x, x[:, 1])
    file = saved.save_sklearn(model, tmp_path)
    assert "functools.partial" in saved.trusted(file)
    assert np.array_equal(saved.predictor(file)(x), model.predict(x))


@pytest.mark.parametrize(
    "name",
    [
        "sklearn.utils.fixes.os",
        "sklearn.utils.parallel.joblib",
        "sklearn.utils._testing.TempMemmap",
        "sklearn.nowhere.Tree",
        "sklearn.tree._tree.Nothing",
        "sklearnlike.Tree",
        "scipy._lib._ccallback.LowLevelCallable",
        "numpy.testing.runstring",
        "numpy._pytesttester.PytestTester",
        "numpy.fromfile",
        "builtins.eval",
    ],
)
def test_what_scikit_learn_only_imports_or_what_runs_code_is_never_trusted(name):
    assert not saved._harmless(name)


def table(model):
    """A fitted model with the rows that it was fitted to: numbers with gaps where it takes them."""
    random = np.random.RandomState(0)
    x = random.normal(size=(60, 3))
    y = x @ [1.0, -2.0, 0.5] if is_regressor(model) else np.digitize(x[:, 0], [0])
    np.random.seed(0)
    return x, clone(model).fit(x, y)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize(
    "model", ESTIMATORS, ids=lambda model: type(getattr(model, "steps", [[0, model]])[0][1]).__name__
)
def test_what_scikit_learn_fits_is_saved_and_loaded_and_answers_the_same(tmp_path, model):
    x, fitted = table(model)
    file = saved.save_sklearn(fitted, tmp_path)
    content = file.read_bytes()
    assert np.array_equal(saved.predictor(file)(x), estimator.predict(fitted, x))
    assert saved.save_sklearn(table(model)[1], tmp_path).read_bytes() == content


def test_a_training_did_not_begin_with_weights_of_others_unless_it_says_so(folder):
    metadata = saved.metadata(folder)
    assert not metadata.pretrained
    saved.write_metadata(folder, metadata.model_copy(update={"pretrained": True}))
    assert saved.metadata(folder).pretrained


class Foreign:
    """What no model of ours holds."""
