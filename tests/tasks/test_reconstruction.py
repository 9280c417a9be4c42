import numpy as np
import pytest

from evermodel.core.data import Predictions, Split
from evermodel.core.errors import EvermodelError
from evermodel.evaluation.reconstruction import MOST_PSNR
from evermodel.tasks import reconstruction
from tests.specs import make_spec

X = np.random.default_rng(2).integers(60, 200, (6, 9, 9, 3)).astype(np.uint8)
TEST = Split(X, np.zeros(6, int))


def metrics(prediction):
    return reconstruction.metrics(reconstruction.score(TEST, prediction, make_spec()), make_spec())


def test_a_known_difference_has_the_error_computed_by_hand():
    scores = reconstruction.score(TEST, X / 255 + 0.1, make_spec())
    assert scores["mse"].tolist() == pytest.approx([0.01] * 6)
    assert scores["psnr"].tolist() == pytest.approx([20] * 6)
    assert scores["ssim"].between(0.8, 1).all()


def test_the_truth_itself_is_perfect_and_finite():
    perfect = {"mse": 0, "psnr": MOST_PSNR, "ssim": 1}
    assert metrics(X / 255) == pytest.approx(perfect)


def test_rounding_to_eight_bits_is_nearly_perfect():
    rounded = (X / 255 + np.random.default_rng(0).uniform(-0.5, 0.5, X.shape) / 255).clip(0, 1)
    assert metrics(rounded)["psnr"] == pytest.approx(MOST_PSNR, abs=0.2)


def test_a_constant_picture_has_the_variance_as_error_and_no_structure():
    scores = reconstruction.score(TEST, np.full(X.shape, 0.5, np.float32), make_spec())
    assert scores["mse"].tolist() == pytest.approx(((X / 255 - 0.5) ** 2).mean(axis=(1, 2, 3)).tolist())
    assert scores["ssim"].max() < 0.1


@pytest.mark.parametrize("side", [3, 4, 7, 8])
def test_small_pictures_are_compared_in_a_window_that_fits(side):
    small = Split(X[:, :side, :side], TEST.y)
    assert reconstruction.score(small, small.x / 255, make_spec())["ssim"].tolist() == pytest.approx([1] * 6)


@pytest.mark.parametrize(
    ("prediction", "words"),
    [
        (X[..., :1] / 255, r"\(6, 9, 9, 1\).*need \(6, 9, 9, 3\)"),
        (X, "from 60 to 199, but they must lie between 0 and 1"),
        (np.where(X > 198, np.nan, 0.5), "no finite number for 6 of 6 test rows"),
    ],
)
def test_what_is_no_picture_between_0_and_1_is_refused(prediction, words):
    with pytest.raises(EvermodelError, match=words):
        reconstruction.score(TEST, prediction, make_spec())


def test_the_pictures_run_from_best_to_worst():
    noise = np.array([0.05, 0.01, 0.06, 0.02, 0.04, 0.03])
    model = (X / 255 + noise[:, None, None, None]).clip(0, 1)
    predictions = Predictions(TEST, model, np.full(X.shape, 0.5), X)
    scores = reconstruction.score(TEST, model, make_spec())
    figure = reconstruction.figures(scores, make_spec(), predictions)["images"]
    columns = [axes.get_title() for axes in figure.axes[:3]]
    first = [axes.get_images()[0].get_array() for axes in figure.axes[:3]]
    assert columns == ["input", "baseline", "ours"]
    assert np.array_equal(first[0], X[1])
    assert reconstruction.worst(scores, make_spec(), 2).index.tolist() == [2, 0]
