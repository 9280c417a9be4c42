import os
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


@pytest.fixture(scope="module")
def archive(drawn):
    return drawn("smile") / "SMILEsmileD_4000.zip"


def test_two_in_five_smile(archive):
    folders = Counter(name.rpartition("/")[0] for name in image_files.names(archive))
    assert folders == {"SMILEs/negatives/negatives7": 240, "SMILEs/positives/positives7": 160}


def test_every_picture_is_gray_and_64_pixels_wide(archive):
    assert image_files.kinds(archive) == {("JPEG", (64, 64), "L")}


def test_a_smile_shows_in_the_outlines_more_than_in_single_pixels(archive):
    images = image_files.load(archive)
    labels = np.array(["positives" in name for name in image_files.names(archive)])
    order = np.random.RandomState(0).permutation(len(labels))
    line = make_pipeline(StandardScaler(), RidgeClassifier(1e4))
    curve = make_pipeline(StandardScaler(), SVC(C=10))
    pixels = cross_val_score(line, images.reshape(len(labels), -1)[order], labels[order], cv=4).mean()
    edges = cross_val_score(curve, image_files.outlines(images)[order], labels[order], cv=4).mean()
    assert edges > pixels + 0.05
    assert edges > 0.68


@needs_mirror
def test_the_real_archive_has_the_same_folders_and_kind_of_picture(archive):
    real = Path(os.environ["EVERMODEL_MIRROR"]) / "smile/SMILEsmileD_4000.zip"
    assert {n.rpartition("/")[0] for n in image_files.names(real)} == {
        n.rpartition("/")[0] for n in image_files.names(archive)
    }
    assert image_files.kind(real, image_files.names(real)[0]) == image_files.kind(
        archive, image_files.names(archive)[0]
    )
