import io

import numpy as np
import pytest
from PIL import Image

from evermodel.core.errors import EvermodelError
from evermodel.readers import image_pairs
from tests.mirror import needs_mirror

IMAGES, MASKS = r"image/(?P<id>\w+)\.png", r"label/(?P<id>\w+)\.png"
RANDOM = np.random.RandomState(0)


@pytest.fixture
def read(pack):
    def reader(members, images=IMAGES, masks=MASKS, **options):
        return image_pairs.read(pack(members), archive="a.zip", images=images, masks=masks, **options)

    return reader


@pytest.fixture
def pair(image):
    """An image of noise and a mask whose left half is foreground, as members of that id."""

    def members(number, size=(8, 6), mask=None):
        noise = RANDOM.randint(0, 256, size[::-1]).astype(np.uint8)
        half = np.repeat(np.arange(size[0]) < size[0] / 2, size[1]).reshape(size).T * np.uint8(255)
        chosen = half if mask is None else mask
        return {f"image/{number}.png": image(noise), f"label/{number}.png": image(chosen)}

    return members


def test_pictures_and_masks_of_one_id_come_together_in_the_order_of_ids(read, image):
    members = {f"image/{n}.png": image(n) for n in (10, 2, 1)}
    members |= {f"label/{n}.png": image(255 * (n > 5)) for n in (1, 10, 2)}
    raw = read(members)
    assert (raw.kind, raw.rejected) == ("images", ())
    assert raw.inputs.shape == raw.targets.shape == (3, 6, 8, 1)
    assert raw.inputs.dtype == raw.targets.dtype == np.uint8
    assert raw.inputs[:, 0, 0, 0].tolist() == raw.manifest.slice.tolist() == [1, 2, 10]
    assert raw.targets[:, 0, 0, 0].tolist() == [0, 0, 255]
    assert raw.manifest.label.tolist() == [0, 0, 1]


def test_a_tile_is_cut_from_the_same_place_of_both_and_says_where_it_was(read, image):
    pixels = np.arange(48, dtype=np.uint8).reshape(6, 8)
    raw = read({"image/3.png": image(pixels), "label/3.png": image(pixels + 110)}, tile=2)
    assert raw.inputs.shape == raw.targets.shape == (12, 2, 2, 1)
    for row, column, shown, marked in zip(
        raw.manifest.row, raw.manifest.column, raw.inputs, raw.targets, strict=True
    ):
        piece = pixels[2 * row : 2 * row + 2, 2 * column : 2 * column + 2]
        assert np.array_equal(shown[..., 0], piece)
        assert np.array_equal(marked[..., 0] > 0, piece + 110 >= 128)
    assert raw.manifest.groupby(["slice", "row", "column"]).size().tolist() == [1] * 12
    assert list(raw.manifest) == [
        "slice", "row", "column", "height", "width", "mode", "mean", "sd", "sha256", "label",
    ]  # fmt: skip
    assert {str(raw.manifest[name].dtype) for name in ("slice", "row", "column")} == {"int64"}
    np.testing.assert_allclose(raw.manifest.label, (raw.targets > 0).mean(axis=(1, 2, 3)))


def test_what_is_left_over_at_the_edges_is_left_out(read, pair):
    raw = read(pair(1, size=(8, 7)) | pair(2, size=(5, 3)), tile=3)
    assert raw.manifest.groupby("slice").size().to_dict() == {1: 4, 2: 1}


def test_a_mask_is_either_or_whatever_its_edges(read, pair):
    soft = np.array([[0, 1, 127, 128, 129, 254, 255, 0]] * 6, np.uint8)
    raw = read(pair(1, mask=soft))
    assert raw.targets[0, 0, :, 0].tolist() == [0, 0, 0, 255, 255, 255, 255, 0]


def test_what_has_no_partner_or_another_size_is_rejected_with_its_reason(read, pair, image):
    members = pair(1) | pair(2) | pair(3, mask=np.zeros((5, 8), np.uint8)) | pair(4, size=(9, 9))
    members |= pair(5) | {"label/5.png": b"damaged"} | pair("x") | pair("01")
    members |= {"image/6.png": image(), "label/7.png": image()}
    raw = read(members)
    assert raw.manifest.slice.tolist() == [1, 2, "x"]
    assert raw.rejected == (
        ("image/01.png", "has the id of image/1.png"),
        ("image/3.png", "is 6x8 pixels, but its mask is 5x8"),
        ("image/4.png", "is 9x9 pixels, not 6x8 (height x width); fit would resize it"),
        ("image/5.png", "has no mask that can be used"),
        ("image/6.png", "has no mask that can be used"),
        ("label/01.png", "has the id of label/1.png"),
        ("label/5.png", "is not an image that can be decoded; give a PNG or JPEG"),
        ("label/7.png", "has no image that can be used"),
    )


def test_a_picture_that_neither_pattern_takes_is_told_unless_it_is_left_out_on_purpose(read, pair, image):
    members = pair(1) | {"image/2.PNG": image(), "test/3.png": image(), "readme.txt": b""}
    assert [name for name, _ in read(members).rejected] == ["image/2.PNG", "test/3.png"]
    assert [name for name, _ in read(members, ignore=r"test/.*").rejected] == ["image/2.PNG"]


def test_a_picture_that_both_patterns_take_is_told(read, pair):
    members = pair(1) | {name.replace("label/2", "label/2_mask"): one for name, one in pair(2).items()}
    raw = read(
        members, images=r"(image|label(?=/2_))/(?P<id>\d+)\w*\.png", masks=r"label/(?P<id>\d+)\w*\.png"
    )
    assert raw.rejected == (
        ("image/2.png", "has no mask that can be used"),
        ("label/2_mask.png", "is taken by images and masks; let only one pattern take it"),
    )


def test_masks_of_ones_instead_of_255_are_told(read, pair):
    with pytest.raises(EvermodelError, match=r"a\.zip: no mask has a pixel of 128 or brighter; .* 255"):
        read(pair(1, mask=np.ones((6, 8), np.uint8)))


def test_a_picture_smaller_than_a_tile_is_rejected(read, pair):
    raw = read(pair(1, size=(8, 8)) | pair(2, size=(8, 6)), tile=8)
    assert raw.rejected == (("image/2.png", "is 6x8 pixels, but a tile is 8x8"),)


def test_an_archive_without_a_usable_pair_is_refused_with_the_first_reason(read, pair):
    with pytest.raises(
        EvermodelError, match=r"no pair that can be used; .*: image/1\.png is 6x8 pixels, but a tile"
    ):
        read(pair(1), tile=64)


@pytest.mark.parametrize("wrong", ["images", "masks"])
def test_a_pattern_without_id_is_told(read, pair, wrong):
    with pytest.raises(
        EvermodelError, match=r"params\.yaml: .* has no group \(\?P<id>\.\.\.\); correct \w+ there"
    ):
        read(pair(1), **{wrong: r"image/\d+\.png"})


def test_masks_that_do_not_exist_are_told(read, image):
    with pytest.raises(EvermodelError, match=r"no name matches 'label/.*it holds image/1\.png"):
        read({"image/1.png": image()})


KINDS = np.array([[0, 0, 1, 1], [2, 2, 1, 0]], np.uint8)


def mask(kinds, colours):
    """A palette PNG of those class numbers."""
    drawn = Image.fromarray(kinds)
    drawn.putpalette(np.array(colours, np.uint8).ravel().tolist())
    stream = io.BytesIO()
    drawn.save(stream, "PNG")
    return stream.getvalue()


COLOURS = [[0, 0, 0], [255, 0, 0], [0, 0, 255]]


@pytest.mark.parametrize(
    ("drawn", "values"),
    [
        ("numbers", [0, 1, 2]),
        ("numbers", [2, 0, 1]),
        ("palette", [0, 1, 2]),
        ("palette", ["#000000", "red", "#0000ff"]),
        ("colours", ["black", "#ff0000", "blue"]),
        ("colours", ["#0000ff", "black", "#FF0000"]),
    ],
)
def test_the_values_of_a_mask_are_classes_in_the_order_that_they_are_given(read, image, drawn, values):
    masks = {"numbers": image(KINDS), "palette": mask(KINDS, COLOURS)}
    masks["colours"] = image(np.array(COLOURS, np.uint8)[KINDS])
    raw = read({"image/1.png": image(0, size=(4, 2)), "label/1.png": masks[drawn]}, values=values)
    numbers = [2, 0, 1] if values[0] in (2, "#0000ff") else [0, 1, 2]
    wanted = np.argsort(numbers)[KINDS]
    assert raw.targets[0, ..., 0].tolist() == wanted.tolist()
    assert raw.manifest[["class_0", "class_1", "class_2"]].iloc[0].tolist() == pytest.approx(
        np.bincount(wanted.ravel()) / 8
    )
    assert "label" not in raw.manifest


def test_of_two_values_the_second_is_what_is_looked_for(read, image):
    members = {"image/1.png": image(0, size=(4, 2)), "label/1.png": image(KINDS.clip(max=1))}
    raw = read(members, values=[0, 1])
    assert raw.targets[0, ..., 0].tolist() == (255 * KINDS.clip(max=1)).tolist()
    assert raw.manifest.label.tolist() == [5 / 8]


def test_a_value_that_no_class_has_is_told(read, image):
    members = {f"image/{n}.png": image(0, size=(4, 2)) for n in (1, 2, 3)}
    members |= {"label/1.png": image(KINDS), "label/2.png": image(KINDS + 1)}
    members |= {"label/3.png": mask(KINDS, [[9, 8, 7]] * 3)}
    assert dict(read(members, values=[0, 1, 2]).rejected) == {
        "image/2.png": "has no mask that can be used",
        "label/2.png": "has a pixel of 3, which values does not name; add it",
    }
    with pytest.raises(EvermodelError, match="a pixel of #090807"):
        read({name: one for name, one in members.items() if "3" in name}, values=["red", "blue", "lime"])


@pytest.mark.parametrize("values", [[0], [0, 0, 1], [0, 256], [-1, 0], ["red", 0], ["red", "rot"]])
def test_values_that_can_not_be_classes_are_refused(read, pair, values):
    with pytest.raises(EvermodelError, match=r"values are .*; give each class a number"):
        read(pair(1), values=values)


@pytest.mark.parametrize("fit", ["stretch", "crop", "pad"])
def test_pairs_of_any_size_are_brought_to_one_and_stay_together(read, image, fit):
    """A square of each class in the middle, so that no way of fitting cuts it off."""
    members = {}
    for number, size in enumerate([(30, 30), (60, 30), (30, 90)], 1):
        kinds = np.zeros(size, np.uint8)
        middle = [slice(side // 2 - 6, side // 2 + 6) for side in size]
        kinds[tuple(middle)] = number % 3
        members[f"image/photo {number}.png"] = image(np.repeat(kinds[..., None], 3, 2) * 100)
        members[f"label/photo {number}.png"] = image(kinds)
    given = {"images": r"image/(?P<id>.+)\.png", "masks": r"label/(?P<id>.+)\.png"}
    raw = read(members, values=[0, 1, 2], mode="RGB", shape=[20, 20], fit=fit, **given)
    assert raw.inputs.shape == (3, 20, 20, 3)
    assert raw.targets.shape == (3, 20, 20, 1)
    assert raw.targets[:, 10, 10, 0].tolist() == [1, 2, 0]
    assert set(np.unique(raw.targets)) == {0, 1, 2}
    assert raw.inputs[:, 10, 10, 0].tolist() == pytest.approx([100, 200, 0], abs=9)
    assert raw.manifest.slice.tolist() == ["photo 1", "photo 2", "photo 3"]


def test_to_fit_pairs_needs_their_size_and_no_tile(read, pair):
    for wrong in ({}, {"shape": [4, 4], "tile": 4}):
        with pytest.raises(EvermodelError, match="fit needs shape"):
            read(pair(1), fit="crop", **wrong)


@needs_mirror
def test_the_real_membranes_are_read(mirrored):
    raw = image_pairs.read(
        mirrored("membrane"),
        archive="membrane.zip",
        images=r"data/membrane/train/image/(?P<id>\d+)\.png",
        masks=r"data/membrane/train/label/(?P<id>\d+)\.png",
        ignore=r"data/membrane/test/.*",
        tile=128,
    )
    assert raw.inputs.shape == raw.targets.shape == (480, 128, 128, 1)
    assert raw.manifest.groupby("slice").size().to_dict() == dict.fromkeys(range(30), 16)
    assert raw.manifest.label.mean() == pytest.approx(0.78, abs=0.01)
    assert raw.rejected == ()
