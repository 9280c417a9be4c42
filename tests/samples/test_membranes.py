import os
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import f1_score

from tests import image_files
from tests.mirror import needs_mirror

SLICES = 30


@pytest.fixture(scope="module")
def archive(drawn):
    return drawn("membrane") / "membrane.zip"


@pytest.fixture(scope="module")
def stacks(archive):
    """Images and labels by the number of their slice, two times (30, 128, 128)."""
    found = dict(zip(image_files.names(archive), image_files.load(archive), strict=True))
    return tuple(
        np.stack([found[f"data/membrane/train/{part}/{n}.png"] for n in range(SLICES)])
        for part in ("image", "label")
    )


def test_every_slice_has_a_label_and_all_are_gray(archive):
    parts = {f"data/membrane/train/{part}/{n}.png" for part in ("image", "label") for n in range(SLICES)}
    assert set(image_files.names(archive)) == parts
    assert image_files.kinds(archive) == {("PNG", (128, 128), "L")}


def test_a_label_says_membrane_or_cell_about_as_often_as_the_real_ones(stacks):
    assert set(np.unique(stacks[1])) == {0, 255}
    assert 0.65 < (stacks[1] == 255).mean() < 0.85


def test_neighbouring_slices_are_alike_and_distant_ones_are_not(stacks):
    alike = [np.mean(stacks[1][0] == stacks[1][n]) for n in (1, 4, 11)]
    assert alike[0] > 0.85
    assert alike[0] > alike[1] > alike[2]


def test_membranes_are_darker_but_no_grey_level_tells_them_from_the_rest(stacks):
    images, walls = stacks[0].ravel(), stacks[1].ravel() == 0
    assert images[walls].mean() < images[~walls].mean() - 25
    assert max(f1_score(walls, images < level) for level in range(70, 150, 10)) < 0.75


@needs_mirror
def test_the_real_archive_has_the_same_folders_and_modes(archive):
    real = Path(os.environ["EVERMODEL_MIRROR"]) / "membrane/membrane.zip"
    assert set(image_files.names(archive)) <= set(image_files.names(real))
    for name in image_files.names(archive):
        assert image_files.kind(real, name)[::2] == image_files.kind(archive, name)[::2]
