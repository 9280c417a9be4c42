import os
import re
from pathlib import Path

import numpy as np
import pytest
from sklearn.neighbors import KNeighborsClassifier

from tests import image_files
from tests.mirror import needs_mirror

NAME = re.compile(r"att_faces/s(\d+)/(\d+)\.pgm")


@pytest.fixture(scope="module")
def archive(drawn):
    return drawn("orl_faces") / "att_faces.zip"


def test_all_people_have_ten_pictures_each(archive):
    found = {tuple(map(int, NAME.fullmatch(name).groups())) for name in image_files.names(archive)}
    assert found == {(person, image) for person in range(1, 47) for image in range(1, 11)}


def test_every_picture_is_a_gray_map_of_92_by_112(archive):
    assert image_files.kinds(archive) == {("PPM", (92, 112), "L")}


def test_a_person_is_known_again_by_outlines_better_than_by_pixels(archive):
    images = image_files.load(archive, size=(46, 56))
    found = np.array([NAME.fullmatch(name).groups() for name in image_files.names(archive)], dtype=int)
    people, known = found[:, 0], found[:, 1] <= 5

    def rank_1(features):
        nearest = KNeighborsClassifier(1).fit(features[known], people[known])
        return nearest.score(features[~known], people[~known])

    pixels, edges = rank_1(images.reshape(len(images), -1)), rank_1(image_files.outlines(images))
    assert edges > pixels + 0.05
    assert edges > 0.6


@needs_mirror
def test_the_real_archive_has_the_same_names_and_kind_of_picture(archive):
    real = Path(os.environ["EVERMODEL_MIRROR"]) / "orl_faces/att_faces.zip"
    assert set(image_files.names(real)) == set(image_files.names(archive))
    assert image_files.kind(real, "att_faces/s1/1.pgm") == image_files.kind(archive, "att_faces/s1/1.pgm")
