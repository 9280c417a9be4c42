import math

import numpy as np
import pytest

from evermodel.core.data import Predictions, Split
from evermodel.core.errors import EvermodelError
from evermodel.tasks import denoising
from tests.specs import make_spec

X = np.full((5, 40, 40, 1), 128, np.uint8)
TEST = Split(X, np.zeros(5, int))
OPTIONS = {"noise": 0.1, "latent": 8}


@pytest.mark.parametrize("sd", [0.05, 0.1, 0.2])
def test_the_noise_is_gaussian_and_as_large_as_the_experiment_says(sd):
    noise = (denoising.inputs(X, OPTIONS | {"noise": sd}, 1).astype(float) - X) / 255
    assert noise.mean() == pytest.approx(0, abs=0.005)
    assert noise.std() == pytest.approx(sd, rel=0.03)
    assert np.mean(np.abs(noise) < sd) == pytest.approx(0.683, abs=0.02)


@pytest.mark.parametrize(
    "options", [{}, *({"noise": no} for no in (0, 0.0, -0.1, 1.5, math.nan, "much", None))]
)
def test_an_experiment_that_does_not_say_how_much_noise_is_told_which_key_does(options):
    with pytest.raises(EvermodelError, match=r"^options\.noise is .*denoising"):
        denoising.inputs(X, options, 1)


def test_the_noise_follows_from_the_seed_and_is_another_for_each_picture():
    first, again, other = (denoising.inputs(X, OPTIONS, seed) for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
    assert not np.array_equal(first[0], first[1])


def test_noisy_pictures_are_still_of_eight_bits():
    noisy = denoising.inputs(np.full((1, 20, 20, 3), 255, np.uint8), OPTIONS, 0)
    assert noisy.dtype == np.uint8
    assert noisy.shape == (1, 20, 20, 3)
    assert (noisy == 255).mean() == pytest.approx(0.5, abs=0.1)


def test_an_answer_is_judged_by_the_clean_picture():
    noisy = denoising.inputs(X, OPTIONS, 1) / 255
    left, taken = (denoising.score(TEST, answer, make_spec()) for answer in (noisy, X / 255))
    assert left["mse"].mean() == pytest.approx(0.01, rel=0.05)
    assert taken["mse"].max() == 0


def test_figures_show_the_noise_and_its_error():
    noisy = denoising.inputs(X, OPTIONS, 1)
    predictions = Predictions(TEST, np.full(X.shape, 0.5), np.full(X.shape, 0.4), noisy)
    drawn = denoising.figures(denoising.score(TEST, predictions.model, make_spec()), make_spec(), predictions)
    titles = [axes.get_title() for axes in drawn["images"].axes[:4]]
    assert titles == ["noisy", "baseline", "ours", "clean"]
    legend = [text.get_text() for text in drawn["errors"].axes[0].get_legend().get_texts()]
    assert legend == ["ours", "baseline", "noisy"]
