import hashlib
import io
import re
import struct
import tarfile
import zipfile

import numpy as np
import pytest
from PIL import Image

from evermodel.core.errors import EvermodelError
from evermodel.formats import image_files, labelled_images, packed
from evermodel.readers import image_archive
from tests.mirror import needs_mirror

MEMBERS = r"(?P<split>train|test)/(?P<label>[a-z0-9]+)/\d+\.\w+"


@pytest.fixture
def read(pack):
    def reader(members, archive="a.zip", pattern=MEMBERS, mode="L", **options):
        return image_archive.read(
            pack(members, archive), archive=archive, members=pattern, mode=mode, **options
        )

    return reader


@pytest.fixture
def good(image):
    """Two good images, so that a bad one beside them is one of several."""
    return {"train/cat/1.png": image(10), "test/dog/1.png": image(20)}


@pytest.mark.parametrize("archive", ["a.zip", "a.tar.gz", "a.tgz"])
def test_pictures_and_labels_come_in_the_natural_order_of_names(read, image, archive):
    members = {f"train/cat/{number}.png": image(number) for number in (10, 2, 1, 33)}
    raw = read(members | {"notes.txt": b"no image"}, archive)
    assert (raw.kind, raw.rejected) == ("images", ())
    assert (raw.inputs.shape, raw.inputs.dtype) == ((4, 6, 8, 1), np.uint8)
    assert raw.inputs[:, 0, 0, 0].tolist() == [1, 2, 10, 33]
    assert raw.manifest.split.tolist() == ["train"] * 4
    assert raw.manifest.label.tolist() == ["cat"] * 4


def test_the_manifest_tells_the_facts_of_each_picture(read, image):
    pixels = np.random.RandomState(0).randint(0, 256, (3, 6, 8, 3)).astype(np.uint8)
    raw = read({f"train/cat/{n}.png": image(one) for n, one in enumerate(pixels)}, mode="RGB")
    assert np.array_equal(raw.inputs, pixels)
    manifest = raw.manifest
    assert list(manifest) == ["split", "label", "height", "width", "mode", "mean", "sd", "sha256"]
    assert set(zip(manifest.height, manifest.width, manifest["mode"], strict=True)) == {(6, 8, "RGB")}
    np.testing.assert_allclose(manifest["mean"], pixels.mean(axis=(1, 2, 3)))
    np.testing.assert_allclose(manifest.sd, pixels.std(axis=(1, 2, 3)))
    assert manifest.sha256.tolist() == [hashlib.sha256(one.tobytes()).hexdigest() for one in pixels]


def test_digits_become_numbers_except_in_labels_and_splits(read, image):
    pattern = r"(?P<label>\d+)_(?P<age>\d+)_(?P<person>\w+)_(?P<gender>[01])\.png"
    raw = read({"7_31_a1_0.png": image(), "07_105_12_1.png": image()}, pattern=pattern)
    assert raw.manifest.label.tolist() == ["7", "07"]
    assert raw.manifest.age.tolist() == [31, 105]
    assert raw.manifest.gender.tolist() == [0, 1]
    assert raw.manifest.person.tolist() == ["a1", "12"]
    assert {raw.manifest.age.dtype, raw.manifest.gender.dtype} == {np.dtype("int64")}


def test_labels_that_are_codes_get_their_names_and_others_are_rejected(read, good, image):
    raw = read(good | {"train/cow/1.png": image()}, labels={"cat": "Felis catus", "dog": "Canis lupus"})
    assert raw.manifest.label.tolist() == ["Canis lupus", "Felis catus"]
    ((name, reason),) = raw.rejected
    assert name == "train/cow/1.png"
    assert re.search("label 'cow'.* labels in .*params.yaml", reason)


@pytest.mark.parametrize("form", ["JPEG", "PNG", "PPM", "BMP"])
def test_every_common_format_is_decoded_whatever_its_name(read, image, form):
    assert read({"train/cat/1.dat": image(200, form=form)}).inputs.ravel().tolist() == [200] * 48


@pytest.mark.parametrize(
    ("mode", "colour", "form"),
    [("L", 90, "JPEG"), ("RGBA", (90, 90, 90, 255), "PNG"), ("RGB", (90, 90, 90), "BMP"),
     ("LA", (90, 255), "PNG"), ("CMYK", (0, 0, 0, 165), "JPEG")],
)  # fmt: skip
@pytest.mark.parametrize(("wanted", "channels"), [("L", 1), ("RGB", 3)])
def test_other_modes_are_converted(read, image, mode, colour, form, wanted, channels):
    raw = read({"train/cat/1.png": image(colour, mode, form=form)}, mode=wanted)
    assert raw.rejected == ()
    assert raw.inputs.shape == (1, 6, 8, channels)
    assert set(raw.manifest["mode"]) == {wanted}
    assert np.abs(raw.inputs.astype(int) - 90).max() <= 1


@pytest.mark.filterwarnings("error")
def test_a_palette_is_looked_up_also_where_it_is_transparent(read, tmp_path):
    image = Image.new("P", (8, 6), 1)
    image.putpalette([0, 0, 0, 255, 0, 0])
    image.save(tmp_path / "p.png", transparency=b"\x00\x80")
    content = (tmp_path / "p.png").read_bytes()
    (tmp_path / "p.png").unlink()
    assert read({"train/cat/1.png": content}, mode="RGB").inputs[0, 0, 0].tolist() == [255, 127, 127]
    assert read({"train/cat/1.png": content}, mode="L").inputs[0, 0, 0].tolist() == [165]  # 127 + 128 * 0.299


def test_one_bad_picture_of_each_kind_is_rejected_with_its_reason(read, image, good):
    noise = np.random.RandomState(0).randint(0, 256, (6, 8)).astype(np.uint8)
    bad = {
        "train/cat/2.jpg": b"this is no image",
        "train/cat/3.jpg": b"",
        "train/cat/4.png": image(noise)[:-30],
        "train/cat/5.pgm": b"P5 60000 60000 255\n",
        "train/cat/6.pgm": b"P5 7000 7000 255\n",
        "train/cat/7.pgm": b"P5 8 6 65535\n" + bytes(96),
        "train/cat/8.png": image(size=(8, 7)),
        "train/cat/unnamed.PNG": image(),
        "train/cat/9.eps": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 8 6\n",
    }
    raw = read(good | bad, shape=[6, 8])
    reasons = dict(raw.rejected)
    assert list(reasons) == sorted(bad)
    assert len(raw.manifest) == len(raw.inputs) == 2
    for name in ("2.jpg", "3.jpg", "9.eps"):
        assert reasons[f"train/cat/{name}"] == "is not an image that can be decoded; give a PNG or JPEG"
    assert "cut off" in reasons["train/cat/4.png"]
    assert "bomb" in reasons["train/cat/5.pgm"]
    assert (
        reasons["train/cat/6.pgm"] == "has 7000x7000 pixels; give a smaller image, 40,000,000 are the limit"
    )
    assert reasons["train/cat/7.pgm"] == "has pixels of mode I; give 8 bits a channel"
    assert reasons["train/cat/8.png"] == "is 7x8 pixels, not 6x8 (height x width); fit would resize it"
    assert reasons["train/cat/unnamed.PNG"].startswith("is an image that no pattern takes; ")


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
@pytest.mark.parametrize("side", [7_000, 12_000, 60_000])
def test_a_huge_picture_is_rejected_before_it_is_decoded(read, good, monkeypatch, side):
    bomb = {"train/cat/2.pgm": b"P5 %d %d 255\n" % (side, side)}
    load = Image.Image.load
    monkeypatch.setattr(
        Image.Image, "load", lambda image: load(image) if image.width < 99 else pytest.fail("it was decoded")
    )
    ((name, reason),) = read(good | bomb).rejected
    assert name == "train/cat/2.pgm"
    assert "pixels" in reason


def test_without_a_size_all_pictures_are_of_the_size_of_the_first_good_one(read, image):
    members = {
        "train/cat/1.png": b"damaged",
        "train/cat/10.png": image(size=(9, 9)),
        "train/cat/2.png": image(size=(4, 5)),
        "train/cat/3.png": image(size=(4, 5)),
    }
    raw = read(members)
    assert raw.inputs.shape == (2, 5, 4, 1)
    assert [name for name, _ in raw.rejected] == ["train/cat/1.png", "train/cat/10.png"]


@pytest.mark.parametrize(
    "name",
    ["train/cow/1.JPG", "Train/cow/1.png", "train/Cow/1.png", "train/cow/deep/1.png", "train/cow/one.tif",
     "train/cow/1", "other/preview.gif", "logo.png", "/train/cow/1.png", "../train/cow/1.png",
     "train\\cow\\1.png", "train/cow/1.heic",
     ".cache/1.png", "train/._cow/1.png"],
)  # fmt: skip
def test_a_picture_that_the_pattern_does_not_take_is_told(read, image, good, name):
    raw = read(good | {name: image()}, pattern=r"(?P<split>train|test)/(?P<label>[a-z]+)/\d+\.png")
    assert len(raw.inputs) == 2
    ((told, reason),) = raw.rejected
    assert told == name
    assert reason.startswith("is an image that no pattern takes; ")


@pytest.mark.parametrize(
    "name",
    ["README", "train/cat/notes.txt", "labels.csv", "train/cat/Thumbs.db", ".DS_Store", "train/.DS_Store",
     "__MACOSX/train/cat/._1.png", "train/cat/._1.png", "train/.cache/1.png"],
)  # fmt: skip
def test_what_is_no_picture_is_not_told(read, good, name):
    assert read(good | {name: b"\x00\x05\x16\x07Mac OS X"}).rejected == ()


def test_a_pattern_that_takes_what_macos_leaves_beside_a_picture_does_not_get_it(read, image):
    raw = read(
        {"a/cat/1.png": image(), "__MACOSX/a/cat/._1.png": b"Mac OS X"}, pattern=r".*/(?P<label>cat)/.*"
    )
    assert (len(raw.inputs), raw.rejected) == (1, ())


def test_what_is_left_out_on_purpose_is_not_told(read, good, image):
    other = {"other/preview.png": image(), "train/cat/666.png": b"damaged"}
    assert read(good | other, ignore=r"other/.*|.*/666\.png").rejected == ()
    assert [name for name, _ in read(good | other, ignore="other").rejected] == [
        "other/preview.png",
        "train/cat/666.png",
    ]


def test_a_picture_of_which_the_name_leaves_out_a_group_is_told(read, good, image):
    raw = read(good | {"cat/1.png": image()}, pattern=r"((?P<split>train|test)/)?(?P<label>[a-z]+)/\d+\.png")
    assert raw.rejected == (("cat/1.png", "carries no split in its name; rename it, or name it by `ignore`"),)


@pytest.mark.filterwarnings("ignore:Duplicate name:UserWarning")
def test_a_name_that_stands_twice_is_read_once_and_told(read, good, image, tmp_path, pack, seal):
    pack(good)
    with zipfile.ZipFile(tmp_path / "a.zip", "a") as archive:
        archive.writestr("train/cat/1.png", image(99))
    raw = image_archive.read(seal(), archive="a.zip", members=MEMBERS, mode="L")
    assert raw.inputs[:, 0, 0, 0].tolist() == [20, 10]
    assert raw.rejected == (("train/cat/1.png", "stands twice in the archive; keep one"),)


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE])
def test_a_link_is_told(good, image, tmp_path, pack, seal, kind):
    pack(good, "a.tar.gz")
    link = tarfile.TarInfo("train/cat/2.png")
    link.type, link.linkname = kind, "train/cat/1.png"
    with tarfile.open(tmp_path / "a.tar.gz", "w:gz") as archive:
        for name, content in good.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
        archive.addfile(link)
    raw = image_archive.read(seal(), archive="a.tar.gz", members=MEMBERS, mode="L")
    ((name, reason),) = raw.rejected
    assert name == "train/cat/2.png"
    assert reason.startswith("is a link")


def test_a_member_that_would_unpack_to_too_much_is_not_unpacked(read, image, monkeypatch, good):
    monkeypatch.setattr(packed, "LIMIT", 1_000)
    ((name, reason),) = read(good | {"train/cat/2.png": image() + bytes(1_000)}).rejected
    assert name == "train/cat/2.png"
    assert reason.startswith("unpacks to 1,0")


def test_a_damaged_member_of_a_zip_file_is_rejected_alone(pack, tmp_path, seal, good):
    pack(good)
    content = (tmp_path / "a.zip").read_bytes()
    (tmp_path / "a.zip").write_bytes(content.replace(good["train/cat/1.png"], good["train/cat/1.png"][::-1]))
    raw = image_archive.read(seal(), archive="a.zip", members=MEMBERS, mode="L")
    ((name, reason),) = raw.rejected
    assert name == "train/cat/1.png"
    assert "CRC" in reason


def test_an_archive_without_a_usable_picture_is_refused_with_the_first_reason(read):
    with pytest.raises(
        EvermodelError, match=r"a\.zip holds no image that can be used; .*: train/cat/2\.png is not an image"
    ):
        read({"train/cat/10.png": b"", "train/cat/2.png": b""})


def test_a_pattern_without_match_is_told_with_the_first_names(read, image):
    with pytest.raises(EvermodelError, match=r"no name matches .*it holds a/2\.png, a/10\.png; correct"):
        read({"a/10.png": image(), "a/2.png": image()})


def test_an_empty_archive_is_told(read):
    with pytest.raises(EvermodelError, match="it holds nothing"):
        read({})


def test_a_pattern_that_is_none_is_told(read, good):
    with pytest.raises(
        EvermodelError, match=r"'\(' is no regular expression .*correct members in .*params\.yaml"
    ):
        read(good, pattern="(")


@pytest.mark.parametrize("archive", ["a.zip", "a.tar.gz"])
@pytest.mark.parametrize("content", [b"", b"<html>not found</html>"])
def test_what_is_no_archive_is_told(tmp_path, seal, archive, content):
    (tmp_path / archive).write_bytes(content)
    with pytest.raises(EvermodelError, match=r"is no zip, tar or tar\.gz archive"):
        image_archive.read(seal(), archive=archive, members=MEMBERS, mode="L")


@pytest.mark.parametrize("archive", ["a.zip", "a.tar.gz"])
@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_an_archive_that_was_cut_off_is_told(pack, image, tmp_path, seal, archive, share):
    noise = np.random.RandomState(0).randint(0, 256, (60, 60)).astype(np.uint8)
    pack({f"train/cat/{number}.png": image(noise) for number in range(9)}, archive)
    content = (tmp_path / archive).read_bytes()
    (tmp_path / archive).write_bytes(content[: int(len(content) * share)])
    with pytest.raises(EvermodelError, match="cut off or corrupt"):
        image_archive.read(seal(), archive=archive, members=MEMBERS, mode="L")


def test_an_encrypted_archive_is_told(pack, tmp_path, seal, good):
    pack(good)
    content = bytearray((tmp_path / "a.zip").read_bytes())
    with zipfile.ZipFile(tmp_path / "a.zip") as archive:
        start = archive.start_dir
    flags = struct.unpack_from("<H", content, start + 8)[0]
    struct.pack_into("<H", content, start + 8, flags | 1)
    (tmp_path / "a.zip").write_bytes(content)
    with pytest.raises(EvermodelError, match=r"a\.zip is encrypted"):
        image_archive.read(seal(), archive="a.zip", members=MEMBERS, mode="L")


def test_a_missing_and_a_changed_archive_are_named(pack, tmp_path, good):
    folder = pack(good)
    (tmp_path / "a.zip").write_bytes(b"anything")
    with pytest.raises(EvermodelError, match=r"a\.zip was changed since it was fetched"):
        image_archive.read(folder, archive="a.zip", members=MEMBERS, mode="L")
    (tmp_path / "a.zip").unlink()
    with pytest.raises(EvermodelError, match=r"a\.zip is missing"):
        image_archive.read(folder, archive="a.zip", members=MEMBERS, mode="L")


def test_the_limit_of_bytes_lets_the_largest_picture_pass():
    assert packed.LIMIT > 3 * image_files.PIXELS


@pytest.fixture
def photographs(image):
    """Three classes in folders, of any size and format, and what systems leave beside them."""
    return {
        "pets/cat/1.jpg": image((200, 0, 0), "RGB", (40, 20), "JPEG"),
        "pets/cat/2.png": image((200, 0, 0), "RGB", (7, 9)),
        "pets/dog/1.JPG": image((0, 200, 0), "RGB", (30, 30), "JPEG"),
        "pets/hen/1.webp": image((0, 0, 200), "RGB", (16, 64), "WEBP"),
        "pets/.DS_Store": b"Bud1",
        "pets/dog/Thumbs.db": b"\xd0\xcf\x11\xe0",
        "pets/dog/desktop.ini": b"[.ShellClassInfo]",
        "__MACOSX/pets/cat/._1.jpg": b"\0\5\x16\7Mac OS X",
        "pets/readme.txt": b"pets",
    }


@pytest.mark.parametrize("fit", ["stretch", "crop", "pad"])
def test_class_folders_of_pictures_of_any_size_need_no_more_than_a_size(pack, photographs, fit):
    raw = image_archive.read(pack(photographs), archive="a.zip", shape=[8, 12], fit=fit)
    assert raw.rejected == ()
    assert (raw.inputs.shape, raw.inputs.dtype) == ((4, 8, 12, 3), np.uint8)
    assert raw.manifest.label.tolist() == ["cat", "cat", "dog", "hen"]
    assert raw.inputs[:, 4, 6].argmax(axis=1).tolist() == [0, 0, 1, 2]
    assert (raw.inputs[3] == 0).all(axis=-1).any() == (fit == "pad")
    assert raw.layout.fit == fit


def test_broken_pictures_and_formats_that_can_not_be_read_are_listed(pack, photographs):
    bad = {"pets/cat/3.jpg": b"no image", "pets/cat/4.heic": b"\0\0\0\x18ftypheic", "pets/5.png": b""}
    raw = image_archive.read(pack(photographs | bad), archive="a.zip", shape=[8, 8], fit="crop")
    assert len(raw.inputs) == 4
    assert [name for name, _ in raw.rejected] == ["pets/5.png", "pets/cat/3.jpg", "pets/cat/4.heic"]


def test_pictures_are_mapped_from_disk(read, good):
    assert isinstance(read(good).inputs, np.memmap)


@pytest.mark.parametrize(
    ("written", "split"), [("Training", "train"), ("valid", "validation"), ("val", "validation")]
)
def test_splits_are_known_by_the_names_that_people_give_them(pack, image, written, split):
    members = {f"{written}/cat/1.png": image(1), "test/dog/1.png": image(2)}
    pattern = labelled_images.SPLIT_CLASSES
    raw = image_archive.read(pack(members), archive="a.zip", members=pattern, mode="L")
    assert dict(zip(raw.manifest.label, raw.manifest.split, strict=True)) == {"cat": split, "dog": "test"}


TABLE = "id,breed,age,split\n{}\n"


@pytest.fixture
def tabled(pack, image, tmp_path):
    """Three pictures of one brightness each, and a table of them beside or in the archive."""

    def reader(lines, beside=True, names=("x/1.png", "x/2.png", "y/1.png"), **options):
        table = TABLE.format("\n".join(lines)).encode()
        members = {name: image(10 * n, size=(8 + n, 6)) for n, name in enumerate(names, 1)}
        if beside:
            (tmp_path / "labels.csv").write_bytes(table)
        folder = pack(members if beside else members | {"labels.csv": table})
        given = {"mode": "L", "shape": [6, 8], "fit": "stretch"} | options
        return image_archive.read(folder, archive="a.zip", table="labels.csv", **given)

    return reader


@pytest.mark.parametrize("beside", [True, False])
@pytest.mark.parametrize(
    "names", [("x/1.png", "x/2.png", "y/1.png"), ("x/1", "x/2", "y/1"), ("x\\1.png", "2", "./y/1.png")]
)
def test_a_table_tells_what_is_on_the_pictures_however_it_writes_their_names(tabled, beside, names):
    first, second, third = names
    lines = [f"{third},hen,3.5,test", f"{first},cat,1,train", f"{second},dog,2,val"]
    raw = tabled(lines, beside)
    assert raw.rejected == ()
    assert raw.inputs[:, 0, 0, 0].tolist() == [10, 20, 30]
    assert raw.manifest.breed.tolist() == ["cat", "dog", "hen"]
    assert raw.manifest.age.tolist() == [1, 2, 3.5]
    assert raw.manifest.split.tolist() == ["train", "validation", "test"]
    assert "id" not in raw.manifest


def test_pictures_without_a_row_and_rows_without_a_picture_are_listed(tabled):
    raw = tabled(["2,dog,2,train", "7,cat,1,train", "2,dog,2,train", "1,hen,1,train"])
    assert raw.manifest.breed.tolist() == ["hen", "dog"]
    assert [name for name, _ in raw.rejected] == ["2", "7", "y/1.png"]
    reasons = dict(raw.rejected)
    assert reasons["2"].startswith("stands twice in labels.csv")
    assert reasons["7"] == "stands in labels.csv, but there is no such image"
    assert reasons["y/1.png"].startswith("has the row of x/1.png in labels.csv")
    ((name, reason),) = tabled(["x/1,dog,2,train", "y/1,cat,1,train"]).rejected
    assert (name, reason.split(";")[0]) == ("x/2.png", "has no row in labels.csv")


def test_a_table_that_does_not_fit_is_told(tabled, read, good):
    line = ["1,cat,1,train"]
    with pytest.raises(EvermodelError, match=r"no column 'file'; set file_column in .*id, breed, age, split"):
        tabled(line, file_column="file")
    with pytest.raises(EvermodelError, match=r"there is no other\.csv beside .*a\.zip or in it"):
        read(good, pattern=None, table="other.csv")
    with pytest.raises(EvermodelError, match="members and table both tell"):
        read(good, table="labels.csv")


def test_a_column_that_is_called_as_a_fact_is_refused(pack, image):
    members = {"1.png": image(1), "labels.csv": b"id,width\n1,8\n"}
    with pytest.raises(EvermodelError, match=r"has a column 'width'.*; rename it"):
        image_archive.read(pack(members), archive="a.zip", table="labels.csv")


def test_to_fit_pictures_needs_their_size(read, good):
    with pytest.raises(EvermodelError, match="fit needs the size"):
        read(good, fit="crop")


@needs_mirror
@pytest.mark.parametrize(
    ("name", "archive", "members", "mode", "shape"),
    [
        ("flowers17", "flowers17_128.zip", r".*/c(?P<label>\d+)/.*\.jpg", "RGB", (1360, 128, 128, 3)),
        ("orl_faces", "att_faces.zip", r".*/(?P<label>s\d+)/\d+\.pgm", "L", (400, 112, 92, 1)),
        ("smile", "SMILEsmileD_4000.zip", r".*/(?P<label>\w+)/\w+/\d+\.jpg", "L", (4000, 64, 64, 1)),
    ],
)
def test_real_labelled_pictures_are_read(mirrored, name, archive, members, mode, shape):
    raw = image_archive.read(mirrored(name), archive=archive, members=members, mode=mode)
    assert (raw.inputs.shape, raw.rejected) == (shape, ())
    assert raw.manifest.label.value_counts().nunique() == 1


@needs_mirror
def test_the_real_faces_tell_age_and_gender(mirrored):
    pattern = r"UTKFace_2000/(?P<age>\d+)_(?P<gender>[01])_.*\.jpg"
    folder = mirrored("utkface")
    raw = image_archive.read(folder, archive="UTKFace_2000.zip", members=pattern, mode="RGB")
    assert raw.inputs.shape == (2000, 200, 200, 3)
    assert raw.manifest.gender.value_counts().to_dict() == {0: 1048, 1: 952}
    assert raw.manifest.age.mean() == pytest.approx(33.1, abs=0.05)


@needs_mirror
def test_the_real_small_photographs_are_read(mirrored):
    pattern = r"(?P<split>train|test)/(?P<label>[a-z]+)/\d+\.jpg"
    folder = mirrored("cifar10")
    raw = image_archive.read(
        folder, archive="cifar10_jpeg_all.zip", members=pattern, mode="RGB", shape=[32, 32]
    )
    assert (raw.inputs.shape, raw.rejected) == ((60_000, 32, 32, 3), ())
    counts = raw.manifest.groupby("split").label.value_counts().unstack()
    assert (counts.loc["train"] == 5000).all()
    assert (counts.loc["test"] == 1000).all()
