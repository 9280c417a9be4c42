import hashlib
import io

import numpy as np
import pytest
from PIL import ExifTags, Image

from evermodel.core.errors import UnusableError
from evermodel.formats import image_files

# Six fields of one brightness each, 2 x 3, so large that no compression mixes them.
FIELDS = np.array([[0, 40, 80], [120, 160, 200]], np.uint8)
TURNED = {
    1: FIELDS,
    2: FIELDS[:, ::-1],
    3: FIELDS[::-1, ::-1],
    4: FIELDS[::-1],
    5: FIELDS.T,
    6: np.rot90(FIELDS, -1),
    7: FIELDS[::-1, ::-1].T,
    8: np.rot90(FIELDS),
}


def written(image, form, **options):
    stream = io.BytesIO()
    image.save(stream, form, **options)
    stream.seek(0)
    return stream


def decoded(image, form, mode="RGB", **options):
    return np.asarray(image_files.decode(written(image, form, **options), mode))


@pytest.mark.parametrize("form", ["JPEG", "PNG", "TIFF", "WEBP"])
@pytest.mark.parametrize("orientation", TURNED)
def test_an_image_is_turned_as_its_orientation_says(form, orientation):
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    large = Image.fromarray(FIELDS.repeat(16, 0).repeat(16, 1))
    options = {"lossless": True} if form == "WEBP" else {}
    seen = decoded(large, form, "L", exif=exif, **options)[8::16, 8::16]
    assert seen.shape == TURNED[orientation].shape
    assert np.abs(seen.astype(int) - TURNED[orientation]).max() <= 2


def test_an_orientation_that_is_damaged_leaves_the_image_as_it_is():
    assert decoded(Image.fromarray(FIELDS), "PNG", "L", exif=b"Exif\0\0garbage").tolist() == FIELDS.tolist()


def palette():
    image = Image.new("P", (8, 6), 1)
    image.putpalette([0, 0, 0, 200, 100, 0])
    return image


@pytest.mark.parametrize(
    ("image", "form", "options", "colour"),
    [
        (Image.new("RGBA", (8, 6), (200, 100, 0, 0)), "PNG", {}, [255, 255, 255]),
        (Image.new("RGBA", (8, 6), (200, 100, 0, 51)), "PNG", {}, [244, 224, 204]),
        (Image.new("RGBA", (8, 6), (200, 100, 0, 255)), "PNG", {}, [200, 100, 0]),
        (Image.new("RGBA", (8, 6), (200, 100, 0, 0)), "WEBP", {"lossless": True}, [255, 255, 255]),
        (Image.new("RGBA", (8, 6), (200, 100, 0, 51)), "TIFF", {}, [244, 224, 204]),
        (Image.new("LA", (8, 6), (100, 51)), "PNG", {}, [224, 224, 224]),
        (Image.new("L", (8, 6), 7), "PNG", {"transparency": 7}, [255, 255, 255]),
        (Image.new("L", (8, 6), 7), "PNG", {"transparency": 8}, [7, 7, 7]),
        (Image.new("1", (8, 6), 0), "PNG", {"transparency": 0}, [255, 255, 255]),
        (Image.new("RGB", (8, 6), (1, 2, 3)), "PNG", {"transparency": (1, 2, 3)}, [255, 255, 255]),
        (palette(), "PNG", {"transparency": b"\xff\x33"}, [244, 224, 204]),
        (palette(), "PNG", {"transparency": 1}, [255, 255, 255]),
        (palette(), "PNG", {}, [200, 100, 0]),
        (palette(), "GIF", {"transparency": 1}, [255, 255, 255]),
        (Image.new("CMYK", (8, 6), (0, 0, 0, 255)), "TIFF", {}, [0, 0, 0]),
    ],
    ids=lambda value: value.mode if isinstance(value, Image.Image) else None,
)
def test_what_is_transparent_lets_white_through(image, form, options, colour):
    assert np.unique(decoded(image, form, **options).reshape(-1, 3), axis=0).tolist() == [colour]


@pytest.mark.parametrize(("form", "options"), [("GIF", {}), ("PNG", {}), ("WEBP", {"lossless": True})])
def test_of_an_animation_the_first_picture_counts(form, options):
    later = [Image.new("RGB", (8, 6), "white")]
    first = Image.new("RGB", (8, 6), (10, 10, 10))
    assert np.unique(decoded(first, form, save_all=True, append_images=later, **options)).tolist() == [10]


def test_a_file_of_several_pages_is_refused():
    pages = written(Image.new("L", (8, 6)), "TIFF", save_all=True, append_images=[Image.new("L", (8, 6))])
    with pytest.raises(UnusableError, match="has 2 pages; give a file for each"):
        image_files.decode(pages, "L")


@pytest.mark.parametrize("fit", ["stretch", "crop", "pad"])
def test_an_image_that_has_the_size_is_what_it_was(fit):
    assert np.array_equal(np.asarray(image_files.fitted(Image.fromarray(FIELDS), (2, 3), fit)), FIELDS)


def test_an_image_of_another_ratio_is_stretched_cropped_or_padded():
    """Four columns, of which the middle two are bright, at half the width."""
    wide = Image.fromarray(np.array([[0, 200, 200, 0]] * 2, np.uint8).repeat(8, 0).repeat(8, 1))
    fitted = {
        fit: np.asarray(image_files.fitted(wide, (8, 8), fit, Image.Resampling.BOX))
        for fit in ("stretch", "crop", "pad")
    }
    assert {image.shape for image in fitted.values()} == {(8, 8)}
    assert fitted["stretch"][0].tolist() == [0, 0, 200, 200, 200, 200, 0, 0]
    assert fitted["crop"][0].tolist() == [200] * 8
    assert fitted["pad"][:, 3].tolist() == [0, 0, 200, 200, 200, 200, 0, 0]


def test_a_large_photograph_is_decoded_at_a_fraction_and_looks_the_same():
    ramp = np.linspace(0, 255, 1600).astype(np.uint8)
    large = written(Image.fromarray(np.broadcast_to(ramp, (800, 1600))), "JPEG", quality=95)
    assert image_files.decode(large, "L", 100).size == (200, 100)
    assert image_files.decode(large, "L").size == (1600, 800)
    example = image_files.example(large, "L", (16, 16), "stretch")
    full = image_files.fitted(image_files.decode(large, "L"), (16, 16), "stretch")
    assert np.abs(example[..., 0].astype(int) - np.asarray(full)).max() <= 1


def test_the_pixels_of_a_mask_are_its_numbers_or_its_colours():
    image = palette()
    assert set(np.asarray(image_files.decode_values(written(image, "PNG"), False)).ravel()) == {1}
    assert np.asarray(image_files.decode_values(written(image, "PNG"), True))[0, 0].tolist() == [200, 100, 0]
    grey = Image.fromarray(FIELDS)
    assert np.array_equal(np.asarray(image_files.decode_values(written(grey, "PNG"), False)), FIELDS)


@pytest.mark.parametrize("at_once", [1, 100, 1 << 24])
def test_facts_are_the_same_however_many_images_are_looked_at_together(monkeypatch, at_once):
    monkeypatch.setattr(image_files, "AT_ONCE", at_once)
    images = np.random.default_rng(3).integers(0, 256, (7, 4, 5, 3)).astype(np.uint8)
    facts = image_files.metadata(images)
    np.testing.assert_allclose(facts["mean"], images.mean(axis=(1, 2, 3)), rtol=1e-15)
    np.testing.assert_allclose(facts["sd"], images.std(axis=(1, 2, 3)))
    assert facts["sha256"].tolist() == [hashlib.sha256(one.tobytes()).hexdigest() for one in images]
    assert facts.index.tolist() == list(range(7))
