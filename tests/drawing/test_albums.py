import io
import zipfile

import pytest
from PIL import Image

from evermodel.drawing import albums


@pytest.mark.parametrize(("suffix", "kind"), [("jpg", "JPEG"), ("pgm", "PPM"), ("png", "PNG")])
def test_the_suffix_of_a_name_is_its_format(tmp_path, suffix, kind):
    albums.save(tmp_path / "a.zip", {f"folder/1.{suffix}": Image.new("L", (4, 3), 7)})
    with zipfile.ZipFile(tmp_path / "a.zip") as archive:
        image = Image.open(io.BytesIO(archive.read(f"folder/1.{suffix}")))
    assert (image.format, image.size, image.getpixel((0, 0))) == (kind, (4, 3), 7)


def test_the_bytes_depend_on_neither_the_order_nor_the_time(tmp_path):
    one, other = Image.new("L", (2, 2), 1), Image.new("L", (2, 2), 2)
    albums.save(tmp_path / "a.zip", {"b.png": one, "a.png": other})
    albums.save(tmp_path / "b.zip", {"a.png": other, "b.png": one})
    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()
    with zipfile.ZipFile(tmp_path / "a.zip") as archive:
        assert {info.date_time for info in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
