import gzip
import struct

import numpy as np
import pytest

from evermodel.core.errors import EvermodelError
from evermodel.formats import idx_format

IMAGES = np.random.RandomState(0).randint(0, 256, (90, 28, 28)).astype(np.uint8)  # more than one stored block


def packed(array, magic=None, shape=None):
    header = [magic or 0x800 | array.ndim, *(shape or array.shape)]
    return struct.pack(f">{len(header)}I", *header) + array.tobytes()


@pytest.fixture
def file(tmp_path):
    return tmp_path / "x.gz"


@pytest.mark.parametrize("array", [IMAGES, IMAGES[:, 0, 0], IMAGES[:0]], ids=["images", "labels", "none"])
def test_what_is_saved_is_loaded(file, array):
    idx_format.save_array(file, array)
    assert np.array_equal(idx_format.load_array(file, array.ndim), array)


def test_any_gzip_reads_what_is_saved(file):
    idx_format.save_array(file, IMAGES)
    assert gzip.decompress(file.read_bytes()) == packed(IMAGES)


def test_the_same_array_gives_the_same_bytes(tmp_path):
    idx_format.save_array(tmp_path / "a.gz", IMAGES)
    idx_format.save_array(tmp_path / "b.gz", IMAGES.copy())
    assert (tmp_path / "a.gz").read_bytes() == (tmp_path / "b.gz").read_bytes()


def test_compressed_files_are_read(file):
    file.write_bytes(gzip.compress(packed(IMAGES)))
    assert np.array_equal(idx_format.load_array(file, 3), IMAGES)


@pytest.mark.parametrize("share", [0, 0.001, 0.3, 0.9, 0.9999])
def test_a_truncated_file_is_refused(file, share):
    content = gzip.compress(packed(IMAGES))
    file.write_bytes(content[: int(share * len(content))])
    with pytest.raises(EvermodelError, match=r"x\.gz is cut off or corrupt"):
        idx_format.load_array(file, 3)


@pytest.mark.parametrize("place", [0, -8, -4], ids=["gzip header", "checksum", "length"])
def test_a_flipped_bit_is_noticed(file, place):
    content = bytearray(gzip.compress(packed(IMAGES)))
    content[place] ^= 1
    file.write_bytes(content)
    with pytest.raises(EvermodelError, match=r"x\.gz is cut off or corrupt"):
        idx_format.load_array(file, 3)


def test_a_flipped_pixel_is_noticed_by_the_checksum(file):
    idx_format.save_array(file, IMAGES)
    content = bytearray(file.read_bytes())
    content[1000] ^= 1
    file.write_bytes(content)
    with pytest.raises(EvermodelError, match="CRC check failed"):
        idx_format.load_array(file, 3)


@pytest.mark.parametrize(
    "content",
    [
        packed(IMAGES[:, 0, 0]),
        packed(IMAGES, magic=0x0D03),
        packed(IMAGES, magic=0x1000803),
    ],
    ids=["one dimension", "floats", "first byte"],
)
def test_another_magic_number_is_refused(file, content):
    file.write_bytes(gzip.compress(content))
    with pytest.raises(EvermodelError, match="is no IDX file of 3-dimensional bytes"):
        idx_format.load_array(file, 3)


@pytest.mark.parametrize("images", [89, 91])
def test_a_number_of_images_that_does_not_fit_the_content_is_refused(file, images):
    file.write_bytes(gzip.compress(packed(IMAGES, shape=(images, 28, 28))))
    with pytest.raises(EvermodelError, match=r"does not hold the .* bytes of its shape"):
        idx_format.load_array(file, 3)


def test_a_claim_of_too_much_is_refused_before_anything_is_unpacked(file):
    file.write_bytes(gzip.compress(packed(IMAGES, shape=(2**32 - 1, 28, 28))))
    with pytest.raises(EvermodelError, match=r"claims to hold .* bytes; give 1073741824 at most"):
        idx_format.load_array(file, 3)


def test_what_is_no_gzip_is_refused(file):
    file.write_bytes(packed(IMAGES))
    with pytest.raises(EvermodelError, match="is cut off or corrupt"):
        idx_format.load_array(file, 3)
