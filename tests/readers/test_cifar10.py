import numpy as np
import pytest

from evermodel.core.errors import EvermodelError
from evermodel.readers import cifar10, image_archive

NAMES = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"]
RANDOM = np.random.RandomState(0)
LABELS, PIXELS = np.arange(12, dtype=np.uint8) % 10, RANDOM.randint(0, 256, (12, 32, 32, 3)).astype(np.uint8)


def batch(rows):
    channels_first = PIXELS[rows].transpose(0, 3, 1, 2).reshape(len(rows), -1)
    return np.column_stack([LABELS[rows], channels_first]).tobytes()


def contents():
    batches = {f"data_batch_{number}.bin": batch([2 * number - 2, 2 * number - 1]) for number in range(1, 6)}
    names = "\n".join(NAMES) + "\n\n"
    files = batches | {"test_batch.bin": batch([10, 11]), "batches.meta.txt": names.encode()}
    return {f"cifar-10-batches-bin/{name}": content for name, content in files.items()}


@pytest.fixture
def read(pack):
    def reader(**changed):
        named = {f"cifar-10-batches-bin/{name}": content for name, content in changed.items()}
        files = {name: content for name, content in (contents() | named).items() if content is not None}
        return cifar10.read(pack(files, "cifar.tar.gz"), archive="cifar.tar.gz")

    return reader


def test_images_are_channels_last_training_before_test(read):
    raw = read()
    assert raw.kind == "images"
    assert (raw.inputs.shape, raw.inputs.dtype) == ((12, 32, 32, 3), np.uint8)
    assert np.array_equal(raw.inputs, PIXELS)
    assert raw.manifest.split.tolist() == ["train"] * 10 + ["test"] * 2


def test_a_label_is_the_name_of_its_class(read):
    assert read().manifest.label.tolist() == [*NAMES, "airplane", "automobile"]


def test_the_manifest_is_that_of_the_archive_of_pictures(read, pack, image, tmp_path):
    binary = read().manifest
    (tmp_path / "cifar.tar.gz").unlink()
    split = ["train"] * 10 + ["test"] * 2
    members = {f"{split[n]}/{NAMES[n % 10]}/{n}.png": image(PIXELS[n]) for n in range(12)}
    pattern = r"(?P<split>train|test)/(?P<label>[a-z]+)/\d+\.png"
    images = image_archive.read(pack(members), archive="a.zip", members=pattern, mode="RGB").manifest
    assert images.dtypes.to_dict() == binary.dtypes.to_dict()
    both = [one.sort_values("sha256").to_dict("records") for one in (binary, images)]
    assert both[0] == both[1]


@pytest.mark.parametrize("content", [b"", batch([1])[:-1], batch([1, 2])[:4000], b"<html>"])
def test_a_batch_that_was_cut_off_is_named(read, content):
    with pytest.raises(EvermodelError, match=r"data_batch_3\.bin has \d+ bytes, no multiple of 3073"):
        read(**{"data_batch_3.bin": content})


@pytest.mark.parametrize("name", ["data_batch_5.bin", "test_batch.bin", "batches.meta.txt"])
def test_a_missing_file_is_named(read, name):
    with pytest.raises(EvermodelError, match=f"holds no cifar-10-batches-bin/{name}"):
        read(**{name: None})


def test_a_class_without_a_name_is_told(read):
    with pytest.raises(EvermodelError, match=r"data_batch_2\.bin has class 3, but .* names 3"):
        read(**{"batches.meta.txt": b"airplane\nautomobile\nbird\n"})


@pytest.mark.parametrize("share", [0.2, 0.6, 0.95])
def test_an_archive_that_was_cut_off_is_told(read, tmp_path, seal, share):
    read()
    file = tmp_path / "cifar.tar.gz"
    content = file.read_bytes()
    file.write_bytes(content[: int(len(content) * share)])
    with pytest.raises(EvermodelError, match=r"cifar\.tar\.gz.*fetch it again"):
        cifar10.read(seal(), archive="cifar.tar.gz")
