import numpy as np
import pytest
from skimage.color import rgb2lab

from evermodel.core.data import Predictions, Split
from evermodel.core.errors import EvermodelError
from evermodel.evaluation import reconstruction
from evermodel.tasks import colorization
from tests.specs import make_spec

X = np.random.default_rng(4).integers(0, 256, (4, 8, 8, 3)).astype(np.uint8)
TEST = Split(X, np.zeros(4, int))
AB = rgb2lab(X)[..., 1:]


def test_the_true_colours_give_the_true_picture():
    scores = colorization.score(TEST, AB.astype(np.float32), make_spec())
    assert scores["ab_error"].tolist() == pytest.approx([0] * 4, abs=1e-4)
    assert scores["psnr"].tolist() == [reconstruction.MOST_PSNR] * 4
    assert scores["ssim"].tolist() == pytest.approx([1] * 4)


def test_ab_error_is_the_mean_euclidean_distance():
    scores = colorization.score(TEST, AB + np.array([3, -4]), make_spec())
    assert scores["ab_error"].tolist() == pytest.approx([5] * 4)


def test_no_colour_scores_like_the_gray_picture():
    scores = colorization.score(TEST, np.zeros((4, 8, 8, 2)), make_spec())
    assert scores["psnr"].tolist() == scores["gray_psnr"].tolist()
    assert scores["ssim"].tolist() == scores["gray_ssim"].tolist()
    assert scores["ab_error"].tolist() == pytest.approx(
        np.linalg.norm(AB, axis=-1).mean(axis=(1, 2)).tolist()
    )


def test_colours_that_no_screen_shows_are_clipped_without_a_word(recwarn):
    scores = colorization.score(TEST, np.full((4, 8, 8, 2), -128.0), make_spec())
    assert np.isfinite(scores).all(axis=None)
    assert not recwarn


def test_a_gray_picture_reassembled_without_colour_is_itself():
    gray = np.repeat(np.arange(64, dtype=np.uint8).reshape(8, 8, 1) * 4, 3, axis=2)
    again = colorization.reassembled(gray, np.zeros((8, 8, 2)))
    assert np.array_equal(reconstruction.eight_bit(again), gray)


@pytest.mark.parametrize(
    ("prediction", "words"),
    [
        (np.zeros((4, 8, 8, 3)), r"need \(4, 8, 8, 2\): a and b of CIE Lab"),
        (np.full((4, 8, 8, 2), np.nan), "no finite number for 4 of 4"),
        (np.full((4, 8, 8, 2), 200.0), "must lie between -128 and 128"),
    ],
)
def test_what_is_no_a_and_b_is_refused(prediction, words):
    with pytest.raises(EvermodelError, match=words):
        colorization.score(TEST, prediction, make_spec())


def test_pictures_stand_as_gray_ours_and_truth():
    predictions = Predictions(TEST, AB, np.zeros(AB.shape), X)
    scores = colorization.score(TEST, AB, make_spec())
    axes = colorization.figures(scores, make_spec(), predictions)["images"].axes[:3]
    gray, ours, truth = (panel.get_images()[0].get_array() for panel in axes)
    assert [panel.get_title() for panel in axes] == ["gray", "ours", "truth"]
    assert np.ptp(gray.astype(int), axis=-1).max() <= 1
    assert np.abs(ours.astype(int) - truth).max() <= 1
