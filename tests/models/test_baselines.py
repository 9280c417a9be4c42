"""Baselines whose answer is an image or a vector."""

import numpy as np
import pandas as pd
import pytest

from evermodel.core.data import Split
from evermodel.models import constant_mask, eigenfaces, gray, pca, pca_gaussian
from evermodel.training import estimator
from tests.specs import make_spec

X = np.random.default_rng(6).integers(0, 256, (12, 6, 5, 3)).astype(np.uint8)
LABELS = np.arange(12)
SPEC = make_spec("images", input_shape=(6, 5, 3))


def predictions(model, y, x=X, target="image", **options):
    fitted = estimator.fit(model.build, SPEC, target, Split(X, y), 1, **options)
    return estimator.predict(fitted, x)


def test_as_many_components_as_rows_draw_the_rows_again():
    drawn = predictions(pca, LABELS)
    assert drawn.shape == X.shape
    assert drawn == pytest.approx(X / 255, abs=1e-4)


def test_fewer_components_leave_more_error():
    errors = [np.mean((predictions(pca, LABELS, latent=latent) - X / 255) ** 2) for latent in (1, 4, 8)]
    assert errors == sorted(errors, reverse=True)
    assert errors[-1] > 0


def test_what_is_drawn_of_strange_images_stays_between_0_and_1():
    drawn = predictions(pca, LABELS, 255 * (X > 128).astype(np.uint8), latent=3)
    assert drawn.min() >= 0
    assert drawn.max() <= 1


def test_the_constant_mask_says_how_often_each_place_was_foreground():
    masks = np.zeros((12, 6, 5, 1), np.uint8)
    masks[:3, 0, 0] = masks[:, 1, 1] = 255
    p = predictions(constant_mask, masks, X[:2])
    assert p.shape == (2, 6, 5, 1)
    assert np.array_equal(p[0], p[1])
    assert (p[0, 0, 0, 0], p[0, 1, 1, 0], p[0].sum()) == (0.25, 1, 1.25)


def test_the_constant_mask_of_several_classes_says_how_often_each_place_was_of_each():
    masks = np.zeros((12, 6, 5, 1), np.uint8)
    masks[:3, 0, 0], masks[3:, 0, 0], masks[:, 1, 1] = 1, 2, 2
    p = predictions(constant_mask, masks, X[:2])
    assert p.shape == (2, 6, 5, 3)
    assert p[1, 0, 0].tolist() == [0, 0.25, 0.75]
    assert p[1, 1, 1].tolist() == [0, 0, 1]
    assert p[1, 2, 2].tolist() == [1, 0, 0]


def test_gray_has_no_colour():
    ab = predictions(gray, LABELS, X[:2])
    assert ab.shape == (2, 6, 5, 2)
    assert not ab.any()


def test_eigenfaces_are_of_unit_length_and_the_same_for_the_same_face():
    vectors = predictions(eigenfaces, LABELS, np.concatenate([X, X[:1]]), components=4)
    assert vectors.shape == (13, 4)
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(1, abs=1e-5)
    assert vectors[0] == pytest.approx(vectors[-1], abs=1e-5)


def test_there_are_no_more_eigenfaces_than_faces():
    assert predictions(eigenfaces, LABELS, components=50).shape == (12, 12)


def gaussian(latent):
    return estimator.fit(pca_gaussian.build, SPEC, "example", Split(X, LABELS), 1, latent=latent)


def test_images_are_made_of_independent_numbers_as_images_are_spread_over_their_components():
    fitted = gaussian(11)
    codes = estimator.predict(fitted, X)
    assert np.cov(codes, rowvar=False) == pytest.approx(np.eye(11), abs=1e-3)
    assert estimator.predict(fitted, codes) == pytest.approx(X / 255, abs=1e-4)


def test_a_seed_makes_the_same_image_whatever_stands_beside_it():
    fitted = gaussian(3)
    several, one = (estimator.predict(fitted, pd.DataFrame({"seed": seeds})) for seeds in ([5, -7, 5], [-7]))
    assert several.shape == (3, *X.shape[1:])
    assert several.dtype == np.float32
    assert (several.min(), several.max()) >= (0, 0)
    assert several.max() <= 1
    assert np.array_equal(several[0], several[2])
    assert np.array_equal(several[1], one[0])
    assert not np.array_equal(several[0], several[1])
    noise = np.random.default_rng(5).standard_normal(3)[None]
    assert np.array_equal(several[:1], estimator.predict(fitted, noise))
