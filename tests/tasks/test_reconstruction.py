import numpy as np
import pytest

from evermodel.core.data import Predictions, Split
from evermodel.core.errors import EvermodelError
from evermodel.evaluation.reconstruction import MOST_PSNR
from evermodel.tasks import reconstruction
from tests.specs import make_spec

X = np.random.default_rng(2).integers(60, 200, (6, 9, 9, 3)).astype(np.uint8)
TEST = Split(X, np.zeros(6, int))
WIDE = np.random.default_rng(3).integers(60, 200, (6, 11, 11, 1)).astype(np.uint8)


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


def ssim(truth, ours):
    """Equations 13 to 17 of Wang et al. 2004 as they stand there, of images (height, width) 0 to 1."""
    steps = np.arange(11) - 5
    weights = np.exp(-(steps[:, None] ** 2 + steps**2) / (2 * 1.5**2))
    weights /= weights.sum()
    x, y = (np.lib.stride_tricks.sliding_window_view(image, (11, 11)) for image in (truth, ours))

    def mean(values):
        return (values * weights).sum(axis=(-2, -1))

    mx, my = mean(x), mean(y)
    vx, vy, xy = (
        mean((a - ma[..., None, None]) * (b - mb[..., None, None]))
        for a, ma, b, mb in ((x, mx, x, mx), (y, my, y, my), (x, mx, y, my))
    )
    c1, c2 = 0.01**2, 0.03**2
    return ((2 * mx * my + c1) * (2 * xy + c2) / ((mx**2 + my**2 + c1) * (vx + vy + c2))).mean()


@pytest.mark.parametrize("shape", [(11, 11), (24, 17)])
def test_the_structural_similarity_is_that_of_its_authors(shape):
    rng = np.random.default_rng(4)
    x = rng.integers(0, 256, (3, *shape, 3)).astype(np.uint8)
    x[1] = np.linspace(0, 255, shape[1])[None, :, None]
    ours = (x / 255 + rng.normal(0, 0.1, x.shape)).clip(0, 1)
    scores = reconstruction.score(Split(x, np.zeros(3)), ours, make_spec())
    expected = [
        np.mean([ssim(x[row, ..., channel] / 255, ours[row, ..., channel]) for channel in range(3)])
        for row in range(3)
    ]
    assert scores["ssim"].tolist() == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("side", [1, 2, 3, 4, 7, 8, 10, 11])
def test_pictures_smaller_than_the_window_are_compared_too(side):
    small = Split(WIDE[:, :side, :side], TEST.y)
    scores = reconstruction.score(small, small.x / 255, make_spec())
    assert scores["ssim"].tolist() == pytest.approx([1] * 6)
    darker = reconstruction.score(small, small.x / 510, make_spec())
    assert darker["ssim"].between(0.1, 0.9).all()


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
