import os
import re
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from sklearn.linear_model import RidgeClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from tests import image_files
from tests.mirror import needs_mirror

CLASSES = {"airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"}
NAME = re.compile(r"(test|train)/([a-z]+)/\d{4}\.jpg")


@pytest.fixture(scope="module")
def archive(drawn):
    return drawn("cifar10") / "cifar10_jpeg_all.zip"


def test_each_of_the_ten_classes_has_100_training_and_25_test_pictures(archive):
    found = Counter(NAME.fullmatch(name).groups() for name in image_files.names(archive))
    rows = {"train": 100, "test": 25}
    assert found == {(split, kind): rows[split] for split in rows for kind in CLASSES}


def test_every_picture_is_in_colour_and_32_pixels_wide(archive):
    assert image_files.kinds(archive) == {("JPEG", (32, 32), "RGB")}


def test_outlines_tell_the_class_better_than_single_pixels(archive):
    images = image_files.load(archive, "RGB")
    splits, labels = np.array([NAME.fullmatch(name).groups() for name in image_files.names(archive)]).T
    train, test = splits == "train", splits == "test"
    edges, flat = image_files.outlines(images.mean(axis=-1), cell=4), images.reshape(len(images), -1)
    line = make_pipeline(StandardScaler(), RidgeClassifier(1e4)).fit(flat[train], labels[train])
    curve = make_pipeline(StandardScaler(), SVC(C=10)).fit(edges[train], labels[train])
    found = curve.score(edges[test], labels[test])
    assert found > line.score(flat[test], labels[test]) + 0.1
    assert found > 0.5


@needs_mirror
def test_the_real_archive_has_the_same_folders_and_kind_of_picture(archive):
    real = Path(os.environ["EVERMODEL_MIRROR"]) / "cifar10/cifar10_jpeg_all.zip"
    found = {NAME.fullmatch(name).groups() for name in image_files.names(real)}
    assert found == {(split, kind) for split in ("test", "train") for kind in CLASSES}
    assert image_files.kind(real, "train/cat/0000.jpg") == image_files.kind(archive, "train/cat/0000.jpg")
