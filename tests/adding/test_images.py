"""What is written of pictures."""

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from evermodel.adding import adding
from evermodel.core import params
from evermodel.core.errors import EvermodelError
from evermodel.core.folders import dataset
from tests.settings import refusal


def draw(file, height=8, width=8, mode="RGB", values=255):
    file.parent.mkdir(parents=True, exist_ok=True)
    drawn = np.random.default_rng(height).integers(0, values + 1, (height, width), dtype=np.uint8)
    Image.fromarray(drawn).convert(mode).save(file)


def written(name="animals"):
    found = params.read(dataset(name) / params.FILE)
    return found, found["source"]["editions"][0]["options"]


def animals(folder, sizes=(8,), mode="RGB", splits=("",)):
    for split in splits:
        for label in ("cat", "dog"):
            for number in range(10):
                draw(folder / split / label / f"{number}.png", sizes[number % len(sizes)], 8, mode)
    return folder


def test_equal_pictures_stay_as_they_are_and_folders_are_classes(lying):
    added = adding.add(str(animals(lying, mode="L")), name="animals")
    found, options = written()
    assert found["source"]["reader"] == "image_archive"
    assert options == {"archive": "lying.zip", "mode": "L", "shape": [8, 8]}
    assert (found["classes"], found["expect"]["shape"]) == (["cat", "dog"], [8, 8])
    assert added.experiments == ("animals_cnn", "animals_deep_cnn")


def test_pictures_of_many_sizes_are_stretched_and_others_told(lying):
    (animals(lying, (8, 9)) / "cat" / "broken.jpg").write_bytes(b"no picture")
    (lying / "dog" / "1.heic").write_bytes(b"another form")
    (lying / "cat" / "notes.doc").write_bytes(b"words")
    (lying / ".DS_Store").write_bytes(b"litter")
    added = adding.add(str(lying), name="animals")
    found, options = written()
    assert (options["shape"], options["fit"]) == ([128, 128], "stretch")
    assert any("notes.doc" in one for one in added.doubts)
    assert any("converted" in one and "1.heic" in one and "notes" not in one for one in added.doubts)
    assert not any("DS_Store" in one for one in added.doubts)
    assert 0.01 < found["expect"]["rejected"] < 0.2


def test_splits_in_folders_stay_so(lying):
    adding.add(str(animals(lying, splits=("train", "test"))), name="animals")
    found, options = written()
    assert found["split"]["method"] == "predefined"
    assert "split" in options["members"]


def test_a_table_names_pictures_and_their_target(lying):
    for number in range(20):
        draw(lying / "all" / f"{number}.png")
    rows = pd.DataFrame({"file": [f"{n}.png" for n in range(20)], "age": [n * 1.5 for n in range(20)]})
    rows.to_csv(lying / "labels.csv", index=False)
    adding.add(str(lying), "age", name="animals")
    found, options = written()
    assert (options["table"], options["file_column"], found["target"]) == ("labels.csv", "file", "age")
    assert found["expect"]["ranges"]["age"] == [0, 43]
    with pytest.raises(EvermodelError, match="file, age"):
        adding.add(str(lying), "size", name="others")


@pytest.mark.parametrize(
    ("values", "classes"), [(1, None), (3, ["class_0", "class_1", "class_2", "class_3"])]
)
def test_pictures_and_masks_are_paired(lying, values, classes):
    for number in range(10):
        draw(lying / "images" / f"{number}.png", 32, 32)
        draw(lying / "masks" / f"{number}.png", 32, 32, "L", values)
    adding.add(str(lying), task="segmentation", name="animals")
    found, options = written()
    assert found["source"]["reader"] == "image_pairs"
    assert (options["images"], options["masks"]) == (
        r"images/(?P<id>[^/]+)\.[^/.]+",
        r"masks/(?P<id>[^/]+)\.[^/.]+",
    )
    assert found.get("classes") == classes
    assert options["values"] == list(range(values + 1))


def test_a_value_that_often_means_no_class_is_told(lying):
    for number in range(10):
        draw(lying / "images" / f"{number}.png", 32, 32)
        draw(lying / "masks" / f"{number}.png", 32, 32, "L", 2)
    marked = np.full((32, 32), 255, dtype=np.uint8)
    Image.fromarray(marked).save(lying / "masks" / "0.png")
    added = adding.add(str(lying), task="segmentation", name="animals")
    assert any("class_255" in one for one in added.doubts)


def test_pictures_of_a_camera_alone_are_refused_with_what_to_do(lying):
    (lying / "cat").mkdir()
    (lying / "cat" / "1.HEIC").write_bytes(b"another form")
    assert "convert them" in refusal(adding.add, str(lying))


def test_what_are_no_classes_or_no_pictures_is_refused(lying):
    for number in range(3):
        draw(lying / "all" / f"{number}.png")
    assert "folders of two classes" in refusal(adding.add, str(lying))
    assert "into two, images and masks" in refusal(adding.add, str(lying), None, "segmentation")
    assert "no table" in refusal(adding.add, str(lying), "age")
    (lying / "dogs").mkdir()
    for file in lying.glob("*/*.png"):
        file.write_bytes(b"broken")
        (lying / "dogs" / file.name).write_bytes(b"broken")
    assert "none of 6 pictures can be opened" in refusal(adding.add, str(lying))
