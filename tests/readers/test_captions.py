import numpy as np
import pytest

from evermodel.core.errors import EvermodelError
from evermodel.formats import idx_format
from evermodel.readers import captions

WHITE = 255


@pytest.fixture
def folder(tmp_path, seal):
    """Images of 2x2 pixels, ten of each class, as bright as their number among those of the class."""
    for kind, labels in ((captions.OF_DIGITS, range(10)), (captions.OF_GARMENTS, range(10))):
        for images, names in idx_format.FILES.values():
            label = np.repeat(np.array([*labels], np.uint8), 10)
            bright = np.tile(np.arange(1, 11, dtype=np.uint8), 10)
            idx_format.save_array(tmp_path / f"{kind}{images}", np.tile(bright[:, None, None], (1, 2, 2)))
            idx_format.save_array(tmp_path / f"{kind}{names}", label)
    return seal()


def test_there_are_as_many_pictures_of_each_kind_and_of_each_caption(folder):
    raw = captions.read(folder, train=84, test=600)
    assert raw.inputs.shape == (684, 2, 4, 3)
    told = raw.manifest
    assert told["split"].value_counts().to_dict() == {"train": 84, "test": 600}
    test = told.loc[told["split"] == "test", "caption"]
    words = test.str.split().str.len()
    assert words.value_counts().to_dict() == {2: 200, 3: 200, 6: 200}
    assert test[words == 2].value_counts().tolist() == [20] * 10
    assert test[words == 6].value_counts().tolist() == [2] * 100
    assert set(test[words == 3].value_counts()) == {4, 5}
    assert not test.sort_values().equals(test)


def test_a_picture_shows_what_its_caption_says(folder):
    raw = captions.read(folder, train=3, test=300)
    found = dict(zip(raw.manifest["caption"], raw.inputs, strict=True))
    one, two, red = (found[name] for name in ("an eight", "one and two side by side", "a red trouser"))
    assert not one[:, [0, 3]].any()
    assert len(set(one[:, 1:3].ravel())) == 1
    assert two.all()
    assert not red[:, [0, 3]].any()
    bright = red[0, 1]
    assert bright[0] > bright[1] == bright[2]


def test_what_is_new_is_in_the_test_rows_alone(folder):
    new = ["one and two side by side", "a red bag", "a seven"]
    some, all_ = (captions.read(folder, train=300, test=300, new=one).manifest for one in (new, []))
    for caption in new:
        assert some.loc[some["caption"] == caption, "split"].unique().tolist() == ["test"]
    kept = all_[(all_["split"] == "test") | ~all_["caption"].isin(new)].reset_index(drop=True)
    assert kept.equals(some), "what is left is the same"


def test_the_same_files_give_the_same_pictures(folder):
    first, second = (captions.read(folder, train=60, test=60) for _ in range(2))
    assert np.array_equal(first.inputs, second.inputs)
    assert first.manifest.equals(second.manifest)


def test_a_caption_that_is_none_can_not_be_new(folder):
    with pytest.raises(
        EvermodelError, match=r"new has 'a brown bag', which is no caption; .* a zero, zero and"
    ):
        captions.read(folder, train=60, test=60, new=["a brown bag"])


def test_files_of_another_data_set_are_told(folder, seal):
    file = folder / f"{captions.OF_DIGITS}{idx_format.FILES['train'][1]}"
    idx_format.save_array(file, np.zeros(100, np.uint8))
    with pytest.raises(EvermodelError, match=r"digits-train-labels.* has no label 1"):
        captions.read(seal(), train=60, test=60)
    idx_format.save_array(file, np.zeros(99, np.uint8))
    with pytest.raises(EvermodelError, match=r"has 100 images, digits-train-labels.* 99 labels"):
        captions.read(seal(), train=60, test=60)
