import numpy as np
import pytest

from evermodel.core.errors import EvermodelError
from evermodel.readers import anomalies

SPLIT = r"(?P<split>train|test)/\d\.png"
NORMAL = {"archive": "normal.zip", "members": SPLIT, "mode": "L"}
ODD = {"archive": "odd.zip", "members": r"\w+/(?P<label>\w+)\.png", "mode": "L"}


@pytest.fixture
def archives(pack, image):
    """Three normal images of 6x8, and an odd one of 12x16."""
    pack({"train/1.png": image(1), "train/2.png": image(2), "test/3.png": image(3)}, "normal.zip")
    return pack({"flowers/rose.png": image(np.full((12, 16), 200, np.uint8))}, "odd.zip")


def test_odd_pictures_are_test_rows_at_the_size_of_the_normal_ones(archives):
    raw = anomalies.read(archives, normal=NORMAL, odd=ODD)
    assert raw.inputs.shape == (4, 6, 8, 1)
    assert raw.inputs[:, 0, 0, 0].tolist() == [3, 1, 2, 200]
    assert raw.manifest["split"].tolist() == ["test", "train", "train", "test"]
    assert raw.manifest["label"].tolist() == ["normal", "normal", "normal", "odd"]
    assert raw.manifest["mean"].tolist() == [3, 1, 2, 200]


def test_what_either_archive_rejects_is_told(archives, pack, image):
    pack({"train/1.png": image(1), "test/2.png": b"no image"}, "normal.zip")
    raw = anomalies.read(archives, normal=NORMAL, odd=ODD)
    assert [name for name, _ in raw.rejected] == ["test/2.png"]


def test_normal_pictures_without_a_split_are_refused(archives):
    with pytest.raises(EvermodelError, match="name a group `split`"):
        anomalies.read(archives, normal=NORMAL | {"members": r"\w+/(?P<label>\d)\.png"}, odd=ODD)
