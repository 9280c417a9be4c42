import os
import re
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from sklearn.linear_model import RidgeClassifier
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from tests import image_files
from tests.mirror import needs_mirror

NAME = re.compile(r"flowers17_128/c(\d+)/image_(\d{4})\.jpg")


@pytest.fixture(scope="module")
def archive(drawn):
    return drawn("flowers17") / "flowers17_128.zip"


@pytest.fixture(scope="module")
def small(archive):
    """(408, 32, 32, 3), in random order, and their species."""
    labels = np.array([int(NAME.fullmatch(name)[1]) for name in image_files.names(archive)])
    order = np.random.RandomState(0).permutation(len(labels))
    return image_files.load(archive, "RGB", (32, 32))[order], labels[order]


def test_seventeen_species_have_24_pictures_each_with_running_numbers(archive):
    found = [tuple(map(int, NAME.fullmatch(name).groups())) for name in image_files.names(archive)]
    assert Counter(species for species, _ in found) == dict.fromkeys(range(1, 18), 24)
    assert sorted(number for _, number in found) == list(range(1, 409))


def test_every_picture_is_in_colour_and_128_pixels_wide(archive):
    assert image_files.kinds(archive) == {("JPEG", (128, 128), "RGB")}


def test_colours_and_outlines_tell_the_species_better_than_single_pixels(small):
    images, labels = small
    bins = [np.histogramdd(image.reshape(-1, 3), 6, [(0, 256)] * 3)[0].ravel() ** 0.5 for image in images]
    features = np.hstack([bins, 5 * image_files.outlines(images.mean(axis=-1))])
    line = make_pipeline(StandardScaler(), RidgeClassifier(1000))
    pixels = cross_val_score(line, images.reshape(len(labels), -1), labels, cv=3).mean()
    shown = cross_val_score(make_pipeline(StandardScaler(), SVC(C=10)), features, labels, cv=3).mean()
    assert shown > pixels + 0.1
    assert shown > 0.5


def test_the_place_and_the_lightness_of_a_spot_tell_its_colour(small):
    images = small[0] / 255
    light, tint = images.mean(axis=-1), images[..., 2] - images[..., 1]  # blue against green
    rows = np.broadcast_to(np.linspace(0, 1, 32)[:, None], light.shape)
    known = np.column_stack([np.ones(light.size), light.ravel(), rows.ravel(), (light * rows).ravel()])
    half = light.size // 2
    weights = np.linalg.lstsq(known[:half], tint.ravel()[:half], rcond=None)[0]
    error = np.mean((known[half:] @ weights - tint.ravel()[half:]) ** 2)
    assert error < 0.7 * np.mean(tint.ravel()[half:] ** 2)


@needs_mirror
def test_the_real_archive_has_the_same_names_and_kind_of_picture(archive):
    real = Path(os.environ["EVERMODEL_MIRROR"]) / "flowers17/flowers17_128.zip"
    assert {int(NAME.fullmatch(name)[1]) for name in image_files.names(real)} == set(range(1, 18))
    assert image_files.kind(real, image_files.names(real)[0]) == image_files.kind(
        archive, image_files.names(archive)[0]
    )
