import gzip
import hashlib

import numpy as np
import pytest

from evermodel.core.errors import EvermodelError
from evermodel.formats import idx_format
from evermodel.readers import idx
from tests.mirror import needs_mirror, real

RANDOM = np.random.RandomState(0)


def made(rows, side=28):
    return RANDOM.randint(0, 256, (rows, side, side)).astype(np.uint8), np.arange(rows, dtype=np.uint8)


@pytest.fixture
def folder(tmp_path, seal):
    idx_format.save(tmp_path, {"train": made(5), "test": made(3)})
    return seal()


def test_images_come_with_a_channel_training_before_test(folder):
    inputs = idx.read(folder).inputs
    assert (inputs.shape, inputs.dtype) == ((8, 28, 28, 1), np.uint8)
    train = idx_format.load_array(folder / "train-images-idx3-ubyte.gz", 3)
    assert np.array_equal(inputs[:5, ..., 0], train)


def test_the_manifest_tells_the_facts_of_each_image(folder):
    raw = idx.read(folder)
    manifest, images = raw.manifest, raw.inputs
    assert raw.kind == "images"
    assert manifest.split.tolist() == ["train"] * 5 + ["test"] * 3
    assert manifest.label.tolist() == [0, 1, 2, 3, 4, 0, 1, 2]
    assert manifest.label.dtype == np.int64
    assert set(zip(manifest.height, manifest.width, manifest["mode"], strict=True)) == {(28, 28, "L")}
    np.testing.assert_allclose(manifest["mean"], images.mean(axis=(1, 2, 3)))
    np.testing.assert_allclose(manifest.sd, images.std(axis=(1, 2, 3)))
    assert manifest.sha256.tolist() == [hashlib.sha256(image.tobytes()).hexdigest() for image in images]


def test_a_black_image_has_no_deviation(tmp_path, seal):
    images, labels = made(3)
    idx_format.save(tmp_path, {"train": (np.zeros_like(images), labels), "test": (images, labels)})
    assert idx.read(seal()).manifest.sd[:3].tolist() == [0, 0, 0]


def test_other_numbers_of_images_and_labels_are_told(tmp_path, seal):
    images, labels = made(5)
    idx_format.save(tmp_path, {"train": (images, labels[:4]), "test": made(3)})
    with pytest.raises(EvermodelError, match=r"train-images.* has 5 images, train-labels.* 4 labels"):
        idx.read(seal())


def test_other_sizes_of_training_and_test_images_are_told(tmp_path, seal):
    idx_format.save(tmp_path, {"train": made(5), "test": made(3, side=32)})
    with pytest.raises(
        EvermodelError, match=r"training images are \(28, 28\) pixels, but test images \(32, 32\)"
    ):
        idx.read(seal())


def test_a_missing_file_is_named(folder):
    (folder / "t10k-labels-idx1-ubyte.gz").unlink()
    with pytest.raises(EvermodelError, match=r"t10k-labels-idx1-ubyte\.gz is missing"):
        idx.read(folder)


def test_a_changed_file_is_not_unpacked(folder):
    (folder / "train-images-idx3-ubyte.gz").write_bytes(gzip.compress(b"anything"))
    with pytest.raises(EvermodelError, match=r"train-images.* was changed since it was fetched"):
        idx.read(folder)


def test_a_file_that_came_truncated_is_told(folder, seal):
    file = folder / "train-images-idx3-ubyte.gz"
    file.write_bytes(file.read_bytes()[:-100])
    with pytest.raises(EvermodelError, match=r"train-images.* is cut off or corrupt"):
        idx.read(seal())


@needs_mirror
@pytest.mark.parametrize(("name", "mean"), [("mnist", 33.32), ("fashion_mnist", 72.94)])
def test_the_real_images_are_read(tmp_path, name, mean):
    raw = idx.read(tmp_path, **real(name, tmp_path).options)
    assert raw.inputs.shape == (70_000, 28, 28, 1)
    assert raw.manifest.split.value_counts().to_dict() == {"train": 60_000, "test": 10_000}
    assert raw.manifest["mean"][:60_000].mean() == pytest.approx(mean, abs=0.01)
    assert sorted(raw.manifest.label.unique()) == list(range(10))
