import os
import re
from pathlib import Path

import numpy as np
import pytest
from sklearn.linear_model import Ridge, RidgeClassifier
from sklearn.model_selection import cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from tests import image_files
from tests.mirror import needs_mirror

NAME = re.compile(r"UTKFace_2000/(\d+)_([01])_([0-4])_\d{17}\.jpg\.chip\.jpg")


@pytest.fixture(scope="module")
def archive(drawn):
    return drawn("utkface") / "UTKFace_2000.zip"


@pytest.fixture(scope="module")
def people(archive):
    """Age, gender and origin, (400, 3)."""
    found = [NAME.fullmatch(name).groups() for name in image_files.names(archive)]
    return np.array(found, dtype=int)


@pytest.fixture(scope="module")
def edges(archive):
    return image_files.outlines(image_files.load(archive, size=(50, 50)), cell=5)


def test_all_ages_genders_and_origins_are_there(people):
    assert len(people) == 600
    assert people[:, 0].min() >= 1
    assert people[:, 0].max() <= 90
    assert np.histogram(people[:, 0], bins=9, range=(1, 91))[0].min() >= 20
    assert np.bincount(people[:, 1]).min() >= 160
    assert np.bincount(people[:, 2]).min() >= 50


def test_every_picture_is_in_colour_and_200_pixels_wide(archive):
    assert image_files.kinds(archive) == {("JPEG", (200, 200), "RGB")}


def test_a_face_tells_the_age(edges, people):
    model = make_pipeline(StandardScaler(), Ridge(3000))
    order = np.random.RandomState(0).permutation(len(people))
    ages = people[order, 0]
    told = cross_val_predict(model, edges[order], ages, cv=4)
    assert np.abs(told - ages).mean() < 0.7 * np.abs(np.median(ages) - ages).mean()


def test_a_face_tells_the_gender_of_grown_ups_better_than_of_small_children(edges, people):
    model = make_pipeline(StandardScaler(), RidgeClassifier(3000))
    order = np.random.RandomState(0).permutation(len(people))
    right = cross_val_predict(model, edges[order], people[order, 1], cv=4) == people[order, 1]
    assert right.mean() > 0.8
    assert right[people[order, 0] > 16].mean() > right[people[order, 0] < 4].mean()


@needs_mirror
def test_the_real_archive_has_the_same_names_and_kind_of_picture(archive):
    real = Path(os.environ["EVERMODEL_MIRROR"]) / "utkface/UTKFace_2000.zip"
    assert all(NAME.fullmatch(name) for name in image_files.names(real))
    assert image_files.kind(real, image_files.names(real)[0]) == image_files.kind(
        archive, image_files.names(archive)[0]
    )
