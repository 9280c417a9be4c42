import numpy as np
import pandas as pd
import pytest

from evermodel.core import data
from evermodel.core.data import Raw
from evermodel.core.errors import EvermodelError
from evermodel.preparing import preparing
from tests.specs import make_dataset, make_source

CLASSES = ["rest", "road", "car"]
ORDER = {"method": "order", "test": 0.25, "validation": 0.2}


@pytest.fixture
def prepared(tmp_path):
    """Prepares noise and masks (20, 4, 4, 1) of classes, which may be none."""

    def prepare(masks, count, classes):
        shares = [np.bincount(mask.ravel(), minlength=count) / mask.size for mask in masks]
        names = [f"class_{n}" for n in range(count)]
        manifest = pd.DataFrame(shares, columns=names) if count else pd.DataFrame({"label": [0.5] * 20})
        pixels = np.random.default_rng(2).integers(0, 256, (20, 4, 4, 3)).astype(np.uint8)
        rules = make_dataset(classes=classes, split=ORDER)
        spec = preparing.prepare(
            "made", Raw("images", manifest, pixels, masks), rules, make_source(), tmp_path
        )
        data.save_spec(tmp_path, spec, {})
        return tmp_path

    return prepare


def masks(*numbers):
    return np.random.default_rng(1).choice(numbers, (20, 4, 4, 1)).astype(np.uint8)


def test_masks_of_several_classes_keep_their_numbers_and_get_their_names(prepared):
    numbers = masks(0, 1)
    numbers[::5, 0, 0] = 2
    folder = prepared(numbers, 3, CLASSES)
    spec = data.load_spec(folder, "mask")
    assert (spec.masks, spec.classes) == (True, tuple(CLASSES))
    splits = {split: data.load_split(folder, split, "mask").y for split in data.SPLITS}
    assert np.array_equal(splits["test"], numbers[15:])
    assert spec.class_rows == {
        split: tuple(sum((mask == label).any() for mask in found) for label in range(3))
        for split, found in splits.items()
    }
    assert spec.class_rows["test"] == (5, 5, 1)
    with pytest.raises(EvermodelError, match="the task needs classes"):
        data.load_spec(folder, "class")


def test_masks_of_foreground_have_no_classes(prepared):
    folder = prepared(masks(0, 255), 0, ["rest", "road"])
    assert data.load_spec(folder, "mask").classes == ()


@pytest.mark.parametrize(
    ("count", "classes"), [(3, []), (3, ["rest", "road"]), (3, [*CLASSES, "tree"]), (0, CLASSES)]
)
def test_other_classes_than_the_masks_have_are_refused(prepared, count, classes):
    with pytest.raises(EvermodelError, match=rf"masks of {count or 2} classes, but .* names {len(classes)}"):
        prepared(masks(0, 1, 2) if count else masks(0, 255), count, classes)
