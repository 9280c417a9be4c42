import numpy as np
import pytest

from evermodel.evaluation import frechet

TURNED = np.linalg.qr(np.random.default_rng(3).normal(size=(3, 3)))[0]


@pytest.fixture
def rng():
    return np.random.default_rng(3)


def cloud(mean, sd):
    """Points whose mean and covariance are just these: a cross along the axes."""
    steps = np.diag(np.asarray(sd) * np.sqrt(len(sd)))
    return np.concatenate([steps, -steps]) + mean


def test_along_the_same_axes_it_is_that_of_the_means_and_of_the_deviations():
    """|m - n|² + sum of (s - t)² (Dowson & Landau 1982), whatever way the axes are turned."""
    real, made = cloud([1, 2, 3], [1, 2, 0.5]), cloud([1, 0, 4], [3, 2, 1])
    told = (0 + 4 + 1) + (4 + 0 + 0.25)
    assert frechet.distance(real, made) == pytest.approx(told)
    assert frechet.distance(real @ TURNED, made @ TURNED) == pytest.approx(told)


def test_along_other_axes_the_root_of_the_product_counts(rng):
    """Of covariances C and D it is tr(C + D) - 2 tr((CD)^½), here by SciPy's root."""
    from scipy.linalg import sqrtm

    real, made = rng.normal(size=(50, 3)) * [1, 2, 3], rng.normal(size=(40, 3)) @ TURNED + 1
    c, d = (np.cov(one, rowvar=False, ddof=0) for one in (real, made))
    apart = ((real.mean(axis=0) - made.mean(axis=0)) ** 2).sum()
    expected = apart + np.trace(c + d - 2 * sqrtm(c @ d).real)
    assert frechet.distance(real, made) == pytest.approx(expected)
    assert frechet.distance(made, real) == pytest.approx(expected)


def test_a_cloud_is_not_far_from_itself_and_what_never_varies_tells_its_mean_alone(rng):
    real = rng.normal(size=(30, 3)) * [1, 0, 2]
    assert frechet.distance(real, real) == pytest.approx(0, abs=1e-9)
    moved = real + np.array([0, 5, 0])
    assert frechet.distance(real, moved) == pytest.approx(25)
    assert np.isfinite(frechet.slopes(real, moved)).all()


def test_slopes_tell_what_more_weight_on_a_row_does_and_sum_to_nothing(rng):
    real, made = rng.normal(size=(20, 3)), rng.normal(size=(20, 3)) @ TURNED * [1, 2, 3] + 1
    slopes, many = frechet.slopes(real, made), 5000
    assert slopes.sum() == pytest.approx(0, abs=1e-9)
    for row in (0, 7):
        # Of many copies of all rows, one pair more.
        heavier = [np.concatenate([np.tile(one, (many, 1)), one[row : row + 1]]) for one in (real, made)]
        grown = frechet.distance(*heavier) - frechet.distance(real, made)
        assert grown * (many * 20 + 1) == pytest.approx(slopes[row], rel=0.01)
