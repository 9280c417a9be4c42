"""A hundred small wrong or odd inputs: each is read rightly, or refused in one sentence that helps."""

import gzip
import hashlib
import io
import json
import pickle
import re
import struct
import tarfile
import warnings
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from PIL import ExifTags, Image

from evermodel import prediction
from evermodel.core.errors import EvermodelError
from evermodel.datasets import dataset
from evermodel.datasets.source import PROVENANCE
from evermodel.formats import idx_format, packed, table_file
from evermodel.readers import anomalies, cifar10, idx, image_archive, image_pairs, sequences, series, table
from evermodel.runs import recipe
from tests.settings import DATASET, EXPERIMENT, MISSING, put
from tests.specs import make_source, make_spec


class Refused:
    """What a sentence has to name: file, place, and whatever else tells what is wrong."""

    def __init__(self, *named):
        self.named = named


def outcome(read, expected):
    """Hold what comes of an input against what should."""
    if not isinstance(expected, Refused):
        assert read() == expected
        return
    with pytest.raises(EvermodelError) as error:
        read()
    sentence = str(error.value)
    assert "\n" not in sentence
    assert not re.search(r"\. [A-Z]", sentence), sentence
    assert re.search(r"; \w|, but | needs ", sentence), f"no advice: {sentence}"
    for name in expected.named:
        assert name in sentence


@pytest.fixture
def folder(tmp_path):
    """A function that writes the files of a raw folder as `fetch` does, and returns the folder."""

    def write(**files):
        raw = tmp_path / "odd/raw"
        raw.mkdir(parents=True)
        for name, content in files.items():
            (raw / name).write_bytes(content if isinstance(content, bytes) else content.encode())
        hashes = {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in raw.iterdir()}
        (raw / PROVENANCE).write_text(make_source(files=hashes).model_dump_json())
        return raw

    return write


def cases(*rows):
    """Parameters of a test, of which the first is the name."""
    return pytest.mark.parametrize("case", [row[1:] for row in rows], ids=[row[0] for row in rows])


# ---------------------------------------------------------------------------------------------- tables
ONE = {"a": [1], "b": [2], "label": ["x"]}
TWO = {"a": [1, 1], "b": [2, 2], "label": ["x", "x"]}
LINE = ("t.csv: line 2", "4 fields", "the first line has 3")
SPACED = {"separator": r"\s+"}
BARE = {"header": False}


@cases(
    ("plain", "a,b,label\n1,2,x\n", ONE),
    ("columns in another order", "label,b,a\nx,2,1\n", ONE),
    ("without a last line end", "a,b,label\n1,2,x", ONE),
    ("Windows", "a,b,label\r\n1,2,x\r\n", ONE),
    ("old Mac", "a,b,label\r1,2,x\r", ONE),
    ("empty lines", "\n\na,b,label\n\n1,2,x\n\n", ONE),
    ("a mark of Excel's", "\ufeffa,b,label\n1,2,x\n", ONE),
    ("a mark before a quote", '\ufeff"a",b,label\n1,2,x\n', ONE),
    ("all quoted", '"a","b","label"\n"1","2","x"\n', ONE),
    ("semicolons", "a;b;label\n1;2;x\n", ONE, {"separator": ";"}),
    ("tabs", "a\tb\tlabel\n1\t2\tx\n", ONE, {"separator": "\t"}),
    ("white space", "  a b   label\n 1\t2 x  \n", ONE, SPACED),
    ("white space and quotes", '"a" "b" "label"\n1 2 "x"\n', ONE, SPACED),
    ("no header", "1,2,x\n", ONE, BARE),
    ("no header, white space", " 1 2 x\n", ONE, SPACED | BARE),
    ("white space around numbers", "a,b,label\n 1 ,\t2,x\n", ONE),
    ("signs and exponents", "a,b,label\n+1e0,.2e+1,x\n", ONE),
    ("booleans", "a,b,label\nTrue,2,x\nfalse,2,x\n", TWO | {"a": [1, 0]}),
    ("a boolean among numbers", "a,b,label\n1,2,x\nTRUE,2,x\n", TWO | {"a": [1, 1]}),
    ("a label of digits", "a,b,label\n1,2,01\n", ONE | {"label": ["01"]}),
    ("a label with a point", "a,b,label\n1,2,1.0\n", ONE | {"label": ["1.0"]}),
    ("a label that is true", "a,b,label\n1,2,True\n", ONE | {"label": ["True"]}),
    ("a label NA", "a,b,label\n1,2,NA\n", ONE | {"label": ["NA"]}),
    ("a label with a separator", 'a,b,label\n1,2,"x, y"\n', ONE | {"label": ["x, y"]}),
    ("a label of two lines", 'a,b,label\n1,2,"x\ny"\n', ONE | {"label": ["x\ny"]}),
    ("a label with quotes", 'a,b,label\n1,2,"""x"""\n', ONE | {"label": ['"x"']}),
    ("a label in Greek", "a,b,label\n1,2,ξ\n", ONE | {"label": ["ξ"]}),
    ("a comma in numbers", 'a,b,label\n"1,5",2,x\n', ONE | {"a": ["1,5"]}),
    ("no number", "a,b,label\n?,2,x\n", ONE | {"a": ["?"]}),
    ("infinite", "a,b,label\ninf,2,x\n", ONE | {"a": ["inf"]}),
    ("beyond all numbers", "a,b,label\n1e999,2,x\n", ONE | {"a": ["1e999"]}),
    ("nan", "a,b,label\nnan,2,x\n", ONE | {"a": ["nan"]}),
    ("Python's own numbers", "a,b,label\n1_000,0x10,x\n", ONE | {"a": ["1_000"], "b": ["0x10"]}),
    ("a number beside none", "a,b,label\n01,2,x\n?,2,x\n", TWO | {"a": ["01", "?"]}),
    ("names of rows that count", "a,b,label\n1,7,8,x\n2,7,8,x\n", Refused(*LINE)),
    ("names of rows", "a,b,label\nfirst,7,8,x\n", Refused(*LINE)),
    ("a separator at the end", "a,b,label\n1,2,x,\n", Refused(*LINE)),
    ("a field more, white space", "a b label\n1 7 8 x\n", Refused(*LINE), SPACED),
    ("a field more behind", "a,b,label\n1,2,x\n1,2,3,x\n", Refused("t.csv: line 3", "4 fields")),
    ("a field fewer", "a,b,label\n1,2\n", Refused("t.csv: line 2", "2 fields")),
    ("a field more, no header", "1,2,x\n1,2,x,y\n", Refused("t.csv: line 2", "4 fields"), BARE),
    ("four columns, no header", "1,2,3,x\n", Refused("t.csv has 4 columns", "params.yaml"), BARE),
    ("another separator", "a;b;label\n1;2;x\n", Refused("t.csv", "a;b;label", "params.yaml")),
    ("a separator of two", "a,b,label\n1,2,x\n", Refused("t.csv", "'||'"), {"separator": "||"}),
    ("no separator", "a,b,label\n1,2,x\n", Refused("t.csv", "''"), {"separator": ""}),
    ("a name twice", "a,b,label,a\n1,2,x,3\n", Refused("t.csv: the first line", "'a' twice")),
    ("columns asked for twice", "a,b\n1,2\n", Refused("params.yaml: columns", "'a'"), {"columns": "aba"}),
    ("a name less", "a,label\n1,x\n", Refused("t.csv", "missing: ['b']")),
    ("a name more", "a,b,c,label\n1,2,3,x\n", Refused("t.csv", "not known: ['c']")),
    ("an unnamed column", ",a,b,label\n0,1,2,x\n", Refused("t.csv", "not known: ['']")),
    ("another case", "A,b,label\n1,2,x\n", Refused("t.csv", "missing: ['a']", "not known: ['A']")),
    ("an open quote", 'a,b,label\n1,2,"x\n1,2,y\n', Refused("t.csv: line 2")),
    ("text behind a quote", 'a,b,label\n1,2,"x"y\n', Refused("t.csv: line 2")),
    ("latin-1", "a,b,label\n1,2,é\n".encode("latin-1"), Refused("t.csv: line 2", "UTF-8")),
    ("UTF-16", "a,b,label\n1,2,x\n".encode("utf-16"), Refused("t.csv: line 1", "UTF-8")),
    ("a byte of nothing", b"a,b,label\n1,\x002,x\n", Refused("t.csv: line 2", "UTF-8")),
    ("a workbook", b"PK\x03\x04\x14\x00\x06\x00", Refused("t.csv: line 1", "UTF-8")),
    ("a web page", "<html>\n<p>Sign in, please</p>\n", Refused("t.csv", "not known: ['<html>']")),
    ("nothing", "", Refused("t.csv is empty")),
    ("nothing but lines", "\n\n\n", Refused("t.csv is empty")),
)  # fmt: skip
def test_a_table(folder, case):
    content, expected, options = (*case, {})[:3]
    given = {"separator": ",", "header": True, "columns": ["a", "b", "label"]} | options

    def read():
        frame = pd.concat(table.read(folder(**{"t.csv": content}), **given).pieces())
        return table_file.typed(frame[["a", "b"]]).assign(label=frame["label"]).to_dict("list")

    outcome(read, expected)


def test_a_header_of_years_is_names(folder):
    raw = table.read(
        folder(**{"t.csv": "2019,2020\n1,2\n"}), separator=",", header=True, columns=["2019", "2020"]
    )
    assert table_file.typed(pd.concat(raw.pieces())).to_dict("list") == {"2019": [1], "2020": [2]}


# --------------------------------------------------------------------------------------------- archives
def picture(colour=0, mode="L", size=(4, 3), form="PNG", **options):
    stream = io.BytesIO()
    Image.new(mode, size, colour).save(stream, form, **options)
    return stream.getvalue()


def turned(orientation):
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    return exif


def zipped(members):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive, warnings.catch_warnings(action="ignore"):
        for name, content in members:
            archive.writestr(name, content)
    return stream.getvalue()


def tarred(*members):
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as archive:
        for member, content in members:
            info = tarfile.TarInfo(member) if isinstance(member, str) else member
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return stream.getvalue()


def link(name, kind=tarfile.SYMTYPE):
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, "cat/1.png"
    return info


def locked(content):
    """A zip file of which the first member is said to be encrypted."""
    start = content.index(b"PK\x01\x02")
    return content[: start + 8] + bytes([content[start + 8] | 1]) + content[start + 9 :]


CAT, DOG = ("cat/1.png", picture(10)), ("dog/1.png", picture(20))
MEMBERS = r"(?P<label>[a-z]+)/\d+\.png"
NONE = "is an image that no pattern takes"
LATER = {"save_all": True, "append_images": [Image.new("L", (4, 3), 90)]}


def labelled(folder, archive, content, **options):
    """The brightness of each label, and why what is not used is not."""
    raw = folder(**{archive: content})
    read = image_archive.read(raw, archive=archive, members=MEMBERS, mode="L", shape=[3, 4], **options)
    told = zip(read.manifest["label"], read.inputs[:, 0, 0, 0].tolist(), strict=True)
    return dict(told), dict(read.rejected)


@cases(
    ("plain", "dog/1.png", picture(20), 20),
    ("a note", "README", b"x", None),
    ("a table", "labels.csv", b"a,b", None),
    ("small pictures of Windows", "cat/Thumbs.db", b"x", None),
    ("a folder's looks in macOS", ".DS_Store", b"x", None),
    ("what macOS knows of a file", "__MACOSX/cat/._1.png", b"x", None),
    ("the same beside the file", "cat/._1.png", b"x", None),
    ("left out on purpose", "old/1.jpg", b"x", None),
    ("left out though the pattern takes it", "dog/666.png", b"x", None),
    ("a class in capitals", "DOG/1.png", picture(20), NONE),
    ("a class of another suffix", "dog/1.jpg", picture(20, form="JPEG"), NONE),
    ("a suffix in capitals", "dog/1.PNG", picture(20), NONE),
    ("a folder more", "new/dog/1.png", picture(20), NONE),
    ("no suffix", "dog/1", picture(20), NONE),
    ("a suffix that lies", "dog/1.dat", picture(20, form="GIF"), NONE),
    ("of a telephone", "dog/1.HEIC", b"ftypheic", NONE),
    ("an absolute name", "/dog/1.png", picture(20), NONE),
    ("a name that leads out", "../dog/1.png", picture(20), NONE),
    ("a name of Windows", "dog\\1.png", picture(20), NONE),
    ("a name twice", "cat/1.png", picture(20), "stands twice in the archive"),
    ("no bytes", "dog/1.png", b"", "is not an image"),
    ("a text", "dog/1.png", b"dog", "is not an image"),
    ("cut off", "dog/1.png", picture(20, form="BMP")[:-2], "cut off"),
    ("another size", "dog/1.png", picture(20, size=(5, 3)), "is 3x5 pixels, not 3x4"),
    ("another size once turned", "dog/1.png", picture(20, exif=turned(6)), "is 4x3 pixels, not 3x4"),
    ("the right size once turned", "dog/1.png", picture(20, size=(3, 4), exif=turned(6)), 20),
    ("of 16 bits", "dog/1.png", picture(300, "I;16"), "8 bits a channel"),
    ("of one bit", "dog/1.png", picture(1, "1"), 255),
    ("of two pages", "dog/1.png", picture(form="TIFF", **LATER), "has 2 pages"),
    ("animated", "dog/1.png", picture(20, form="GIF", **LATER), 20),
    ("transparent", "dog/1.png", picture((0, 0), "LA"), 255),
    ("half transparent", "dog/1.png", picture((0, 0, 0, 51), "RGBA"), 204),
    ("a huge one", "dog/1.png", b"P5 60000 60000 255\n", "smaller image"),
    ("a bomb", "dog/1.png", bytes(5000), "unpacks to 5,000 bytes"),
)
def test_an_archive_with_one_file_more(folder, case, monkeypatch):
    """The file's brightness, why it is rejected, or nothing because it is no image."""
    monkeypatch.setattr(packed, "LIMIT", 4_000)
    name, content, expected = case
    seen, rejected = labelled(folder, "a.zip", zipped([CAT, (name, content)]), ignore=r"old/.*|.*/666\.png")
    assert seen == {"cat": 10} | ({"dog": expected} if isinstance(expected, int) else {})
    assert list(rejected) == ([name] if isinstance(expected, str) else [])
    assert all(expected in reason for reason in rejected.values())


@cases(
    ("a link", link("dog/1.png"), ["dog/1.png"]),
    ("a hard link", link("dog/1.png", tarfile.LNKTYPE), ["dog/1.png"]),
    ("a pipe", link("dog/1.png", tarfile.FIFOTYPE), ["dog/1.png"]),
    ("a folder", link("dog", tarfile.DIRTYPE), []),
)
def test_a_tar_archive_with_one_thing_more(folder, case):
    member, told = case
    seen, rejected = labelled(folder, "a.tgz", tarred(("./cat/1.png", picture(10)), (member, b"")))
    assert seen == {"cat": 10}
    assert list(rejected) == told


@cases(
    ("nothing in it", zipped([]), MEMBERS, Refused("a.zip", "it holds nothing", "members in", "params.yaml")),
    (
        "nothing but a text",
        zipped([("a.txt", b"x")]),
        MEMBERS,
        Refused("a.zip", "it holds a.txt", "members in"),
    ),
    (
        "nothing that matches",
        zipped([CAT]),
        r"(?P<label>\d+)",
        Refused("a.zip", "it holds cat/1.png", "members in"),
    ),
    ("nothing that can be used", zipped([("cat/1.png", b"x")]), MEMBERS, Refused("a.zip", "cat/1.png")),
    ("no pattern", zipped([CAT]), "(", Refused("a.zip", "'('", "members in")),
    ("no archive", b"<html>not found</html>", MEMBERS, Refused("a.zip", "no zip, tar or tar.gz")),
    ("no bytes", b"", MEMBERS, Refused("a.zip", "no zip, tar or tar.gz")),
    ("cut off", zipped([CAT, DOG])[:-30], MEMBERS, Refused("a.zip", "cut off")),
    ("encrypted", locked(zipped([CAT])), MEMBERS, Refused("a.zip is encrypted")),
    (
        "a label that is not named",
        zipped([CAT]),
        MEMBERS,
        Refused("a.zip", "'cat'"),
        {"labels": {"c": "cat"}},
    ),
)
def test_an_archive_that_can_not_be_used(folder, case):
    content, members, expected, options = (*case, {})[:4]
    raw = folder(**{"a.zip": content})
    outcome(lambda: image_archive.read(raw, archive="a.zip", members=members, mode="L", **options), expected)


IMAGE, MASK = r"image/(?P<id>\w+)\.png", r"mask/(?P<id>\w+)\.png"
IMAGE_2 = ("image/2.png", picture())
PAIR = [("image/1.png", picture(7)), ("mask/1.png", picture(255))]


@cases(
    ("plain", PAIR, [7]),
    ("ids with zeros", [("image/01.png", picture(7)), ("mask/1.png", picture(255))], [7]),
    ("a mask as JPEG", [PAIR[0], ("mask/1.png", picture(250, form="JPEG"))], [7]),
    ("an image alone", [*PAIR, IMAGE_2], [7], ["image/2.png"]),
    ("a mask alone", [*PAIR, ("mask/2.png", picture())], [7], ["mask/2.png"]),
    ("two of one id", [*PAIR, ("image/01.png", picture(9))], [7], ["image/01.png"]),
    ("an id of letters", [*PAIR, ("image/x.png", picture())], [7], ["image/x.png"]),
    ("another suffix", [*PAIR, IMAGE_2, ("mask/2.gif", picture())], [7], ["image/2.png", "mask/2.gif"]),
    ("masks of 1", [PAIR[0], ("mask/1.png", picture(1))], Refused("a.zip", "128", "255")),
    ("no masks", [PAIR[0]], Refused("a.zip", "it holds image/1.png", "masks in")),
    ("another size", [PAIR[0], ("mask/1.png", picture(size=(9, 9)))], Refused("a.zip", "image/1.png", "9x9")),
)  # fmt: skip
def test_images_with_masks(folder, case):
    members, expected, told = (*case, [])[:3]

    def read():
        raw = image_pairs.read(
            folder(**{"a.zip": zipped(members)}), archive="a.zip", images=IMAGE, masks=MASK
        )
        assert [name for name, _ in raw.rejected] == told
        return raw.inputs[:, 0, 0, 0].tolist()

    outcome(read, expected)


@cases(
    (
        "no split",
        {"archive": "a.zip", "members": r"(?P<label>cat|dog)/1\.png"},
        Refused("split", "normal.members"),
    ),
    (
        "no id",
        {"archive": "a.zip", "members": r"(?P<split>bird)/1\.png"},
        Refused("a.zip", "it holds cat/1.png"),
    ),
    (
        "no archive",
        {"archive": "b.zip", "members": r"(?P<split>cat)/1\.png"},
        Refused("b.zip", "params.yaml"),
    ),
)
def test_what_is_normal_and_what_is_not(folder, case):
    normal, expected = case
    raw = folder(**{"a.zip": zipped([CAT, DOG])})
    odd = {"archive": "a.zip", "members": r"(?P<label>cat|dog)/1\.png", "mode": "L"}
    outcome(lambda: anomalies.read(raw, normal=normal | {"mode": "L"}, odd=odd), expected)


def test_a_cifar_archive_without_batches(folder):
    raw = folder(**{"a.tgz": tarred(CAT)})
    outcome(lambda: cifar10.read(raw, archive="a.tgz"), Refused("a.tgz", "batches.meta.txt"))


# ------------------------------------------------------------------------------------------ idx files
def idx_file(shape, content, magic=0x800):
    return gzip.compress(struct.pack(f">{1 + len(shape)}I", magic | len(shape), *shape) + content)


IMAGES, LABELS = idx_file((2, 2, 2), bytes(range(8))), idx_file((2,), bytes([0, 1]))


@cases(
    ("plain", IMAGES, LABELS, [0, 1, 0, 1]),
    ("not zipped", gzip.decompress(IMAGES), LABELS, Refused("train-images")),
    ("cut off", IMAGES[:-9], LABELS, Refused("train-images")),
    ("no bytes", b"", LABELS, Refused("train-images")),
    ("labels for images", LABELS, LABELS, Refused("train-images")),
    ("floats", idx_file((2, 2, 2), bytes(32), 0xD00), LABELS, Refused("train-images")),
    ("a shape too large", idx_file((9, 2, 2), bytes(8)), LABELS, Refused("train-images", "(9, 2, 2)")),
    ("a shape too small", idx_file((1, 2, 2), bytes(8)), LABELS, Refused("train-images", "(1, 2, 2)")),
    ("a claim without bounds", idx_file((2**31, 2**31, 2), b""), LABELS, Refused("train-images", "at most")),
    (
        "a label less",
        IMAGES,
        idx_file((1,), bytes(1)),
        Refused("train-images", "train-labels", "2 images", "1 labels"),
    ),
    ("other sizes", idx_file((2, 3, 3), bytes(18)), LABELS, Refused("odd/raw", "(3, 3)", "(2, 2)")),
)
def test_idx_files(folder, case):
    images, labels, expected = case
    (train, test) = idx_format.FILES.values()
    raw = folder(**dict(zip((*train, *test), (images, labels, IMAGES, LABELS), strict=True)))
    outcome(lambda: idx.read(raw).manifest["label"].tolist(), expected)


# ---------------------------------------------------------------------------------------------- texts
def npz(**changed):
    ragged = np.empty(2, dtype=object)
    ragged[:] = [[1, 2], [2]]
    arrays = {
        "x_train": ragged,
        "y_train": np.array([0, 1]),
        "x_test": ragged,
        "y_test": np.array([0, 1]),
    } | changed
    stream = io.BytesIO()
    np.savez(stream, **{name: array for name, array in arrays.items() if array is not None})
    return stream.getvalue()


def objects(*values):
    array = np.empty(len(values), dtype=object)
    array[:] = values
    return array


WORDS = json.dumps({"good": 1, "film": 2})
FILM = ["good film", "film"] * 2


@cases(
    ("plain", npz(), WORDS, FILM),
    ("a mark of an editor's", npz(), "\ufeff" + WORDS, FILM),
    ("labels as booleans", npz(y_train=np.array([False, True])), WORDS, FILM),
    ("labels as bytes", npz(y_train=np.array([0, 1], np.uint8)), WORDS, FILM),
    ("an unknown rank", npz(x_test=objects([9], [2])), WORDS, ["good film", "film", "?", "film"]),
    ("an empty text", npz(x_test=objects([], [2])), WORDS, ["good film", "film", "", "film"]),
    ("words in other alphabets", npz(), json.dumps({"добре": 1, "film": 2}), ["добре film", "film"] * 2),
    ("labels as fractions", npz(y_train=np.array([0.5, 1])), WORDS, Refused("t.npz", "y_train")),
    ("a label less", npz(y_test=np.array([1])), WORDS, Refused("t.npz", "y_test")),
    ("a rank as text", npz(x_train=objects(["1"], [2])), WORDS, Refused("t.npz", "x_train[0]")),
    ("a rank as fraction", npz(x_train=objects([1], [2.5])), WORDS, Refused("t.npz", "x_train[1]")),
    ("a text as words", npz(x_train=objects("good film", "film")), WORDS, Refused("t.npz", "x_train[0]")),
    ("a table of ranks", npz(x_train=np.array([[1, 2], [2, 2]])), WORDS, Refused("t.npz", "x_train")),
    ("no test", npz(x_test=None), WORDS, Refused("t.npz", "x_test")),
    ("a call in a pickle", npz(x_train=objects(print, [1])), WORDS, Refused("t.npz", "x_train", "print")),
    ("a pickle alone", pickle.dumps([[1], [2]]), WORDS, Refused("t.npz", "x_train")),
    ("cut off", npz()[:200], WORDS, Refused("t.npz", "x_train")),
    ("a rank of two words", npz(), '{"good": 1, "film": 1}', Refused("w.json", "one rank to several words")),
    ("a word of two ranks", npz(), '{"good": 1, "good": 2}', Refused("w.json", "twice")),
    ("a fraction of a rank", npz(), '{"good": 1.5}', Refused("w.json", "'good'", "1.5")),
    ("a true rank", npz(), '{"good": true}', Refused("w.json", "'good'", "True")),
    ("a list of words", npz(), '["good", "film"]', Refused("w.json")),
    ("no JSON", npz(), "good: 1", Refused("w.json")),
    ("latin-1", npz(), '{"caf\xe9": 1}'.encode("latin-1"), Refused("w.json")),
)
def test_texts_as_ranks(folder, case):
    texts, words, expected = case
    raw = folder(**{"t.npz": texts, "w.json": words})
    outcome(lambda: sequences.read(raw, sequences="t.npz", words="w.json").inputs.tolist(), expected)


# --------------------------------------------------------------------------------------------- series
@cases(
    ("plain", "1/3/2012,1.5", [1.5, 9]),
    ("thousands", '1/3/2012,"1,234,567.5"', [1234567.5, 9]),
    ("white space", "1/3/2012, 1.5 ", [1.5, 9]),
    ("exponents", "1/3/2012,1.5E+3", [1500, 9]),
    ("Windows", "1/3/2012,1.5\r\n1/4/2012,2\r", [1.5, 2, 9]),
    ("days of two digits", "01/03/2012,1.5", [1.5, 9]),
    ("below zero", "1/3/2012,-1.5", [-1.5, 9]),
    ("an empty field", "1/3/2012,\n1/4/2012,2", [None, 2, 9]),
    ("a decimal comma", '1/3/2012,"1,5"', ["1,5", "9"]),
    ("an infinite price", "1/3/2012,inf", ["inf", "9"]),
    ("a price beyond all numbers", "1/3/2012,1e999", ["1e999", "9"]),
    ("a currency", "1/3/2012,$1.50", ["$1.50", "9"]),
    ("a boolean", "1/3/2012,1\n1/4/2012,True", ["1", "True", "9"]),
    ("days that go back", "1/4/2012,1\n1/3/2012,2", [2, 1, 9]),
    ("day before month", "31/1/2012,1", [1, 9]),
    ("an ISO date", "2012-01-03,1", Refused("row 2, column Date", "'1/3/2013'")),
    ("a date that is none", "2/30/2012,1", Refused("row 1, column Date", "'2/30/2012'")),
    ("a year of two digits", "1/3/12,1", Refused("row 1, column Date", "'1/3/12'")),
    ("no date", ",1", Refused("row 1, column Date", "''")),
    ("a day twice", "1/3/2012,1\n1/3/2012,2", Refused("two rows of 2012-01-03")),
    ("names of rows that count", "1,1/3/2012,1\n2,1/4/2012,2", Refused("train.csv: line 2", "3 fields")),
    ("days after those of the test", "2/1/2014,1", Refused("test begins on 2013-01-03", "2014-02-01")),
)
def test_a_series(folder, case):
    lines, expected = case
    raw = folder(**{"train.csv": f"Date,Open\n{lines}\n", "test.csv": "Date,Open\n1/3/2013,9\n"})
    options = {"splits": {"train": "train.csv", "test": "test.csv"}, "date": "Date", "thousands": ","}
    outcome(lambda: _values(series.read(raw, **options).manifest["Open"]), expected)


def _values(column):
    return column.astype(object).where(column.notna(), None).tolist()


# --------------------------------------------------------------------------------- files to predict
BOOLEANS = make_spec("table", columns=[{"name": name, "kind": "boolean"} for name in "ab"])
TABLE, GREY, TEXT = make_spec("table"), make_spec("images", input_shape=(3, 4, 1)), make_spec("text")
SERIES = make_spec("series", input_shape=(2, 1), columns=({"name": "Open"},))


@cases(
    ("a table", "t.csv", TABLE, "b,other,a\n2,x,1\n", [[1, 2]]),
    ("a table of booleans", "t.csv", BOOLEANS, "a,b\nTrue,0\n", [[1, 0]]),
    ("a word where a number belongs", "t.csv", TABLE, "a,b\nTrue,0\n", Refused("row 1", "column a")),
    ("a table with a mark", "t.csv", TABLE, "\ufeffa,b\n1,2\n", [[1, 2]]),
    ("a table with names of rows", "t.csv", TABLE, "a,b\n1,7,8\n", Refused("t.csv: line 2", "3 fields")),
    (
        "a table with an infinite number",
        "t.csv",
        TABLE,
        "a,b\n1,inf\n",
        Refused("t.csv: row 1, column b", "'inf'"),
    ),
    ("a table with an empty field", "t.csv", TABLE, "a,b\n1,\n", Refused("t.csv: row 1, column b", "''")),
    ("a table without a column", "t.csv", TABLE, "a,c\n1,2\n", Refused("t.csv has no column 'b'")),
    ("a table without rows", "t.csv", TABLE, "a,b\n", Refused("t.csv has no rows")),
    ("a text called Parquet", "t.parquet", TABLE, "a,b\n1,2\n", Refused("t.parquet")),
    ("steps", "s.csv", SERIES, "Day,Open\n1,5\n2,6\n3,7\n", [[[6], [7]]]),
    ("too few steps", "s.csv", SERIES, "Open\n5\n", Refused("s.csv has 1 rows", "2 last steps")),
    ("a picture", "p.png", GREY, picture(7), [[[[7]] * 4] * 3]),
    ("a picture of another size", "p.png", GREY, picture(7, size=(40, 40)), [[[[7]] * 4] * 3]),
    ("a transparent picture", "p.png", GREY, picture((0, 0), "LA"), [[[[255]] * 4] * 3]),
    ("a picture without a suffix", "p", GREY, picture(7), [[[[7]] * 4] * 3]),
    ("a text called a picture", "p.png", GREY, b"x", Refused("p.png is not an image")),
    ("a picture of 16 bits", "p.png", GREY, picture(7, "I;16"), Refused("p.png", "8 bits a channel")),
    ("a text", "t.txt", TEXT, "Größe\n", ["Größe\n"]),
    ("a text in latin-1", "t.txt", TEXT, "Größe".encode("latin-1"), Refused("t.txt", "UTF-8")),
)
def test_a_file_to_predict(tmp_path, case):
    name, spec, content, expected = case
    (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    outcome(lambda: np.asarray(prediction.inputs([tmp_path / name], spec)[1]).tolist(), expected)


# ------------------------------------------------------------------------------------- params.yaml
DATA = "data/houses/params.yaml"


@cases(
    ("a range of whole numbers", {"expect.ranges": {"MEDV": [5, 50]}}, {"MEDV": (5.0, 50.0)}),
    (
        "a range for each profile",
        {"expect.ranges": {"MEDV": {"full": [5, 50], "sample": [1, 2]}}},
        {"MEDV": (1, 2)},
    ),
    ("an unknown key", {"splitt": {}}, Refused(DATA, "splitt")),
    ("an unknown key inside", {"split.tets": 0.2}, Refused(DATA, "split.tets")),
    ("no split", {"split": MISSING}, Refused(DATA, "split")),
    ("all rows are test rows", {"split.test": 1}, Refused(DATA, "split.test")),
    ("no share of test rows", {"split.test": MISSING}, Refused(DATA, "split", "'test'")),
    ("a share and a split of the source's", {"split.method": "predefined"}, Refused(DATA, "split", "'test'")),
    ("a share in per cent", {"split.validation": 10}, Refused(DATA, "split.validation", "10")),
    ("an unknown method", {"split.method": "random"}, Refused(DATA, "split.method", "random")),
    ("a negative seed", {"split.seed": -1}, Refused(DATA, "split.seed", "-1")),
    ("no rows expected", {"expect.min_rows": 0}, Refused(DATA, "expect.min_rows")),
    ("a range of one end", {"expect.ranges": {"MEDV": [5]}}, Refused(DATA, "expect.ranges.MEDV")),
    ("a range in words", {"expect.ranges": {"MEDV": "5 to 50"}}, Refused(DATA, "expect.ranges.MEDV")),
    ("a size of one side", {"expect.shape": [28]}, Refused(DATA, "expect.shape")),
    ("a window of one step", {"window": 1}, Refused(DATA, "window")),
    ("no editions", {"source.editions": []}, Refused(DATA, "source.editions")),
    ("another name", {"name": "homes"}, Refused(DATA, "homes", "houses")),
    (
        "a range the wrong way round",
        {"expect.ranges": {"MEDV": [50, 5]}},
        Refused(DATA, "expect.ranges.MEDV"),
    ),
    ("a range without end", {"expect.ranges": {"MEDV": [5, float("nan")]}}, Refused(DATA, "MEDV.1", "nan")),
    ("half a seed", {"split.seed": 1.5}, Refused(DATA, "split.seed", "1.5")),
    ("an unknown reader", {"source.reader": "tabel"}, Refused(DATA, "source.reader", "tabel")),
    ("an unknown generator", {"source.sample.generator": "homes"}, Refused(DATA, "source.sample.generator")),
)
def test_the_params_of_a_data_set(tmp_path, monkeypatch, case):
    monkeypatch.chdir(tmp_path)
    changes, expected = case
    put("data/houses", DATASET, changes)
    outcome(lambda: dataset.load("houses", "sample").expect.ranges, expected)


WRITTEN = yaml.safe_dump(DATASET, sort_keys=False)


@cases(
    ("a mark of an editor's", "\ufeff" + WRITTEN, "MEDV"),
    ("Windows", WRITTEN.replace("\n", "\r\n"), "MEDV"),
    ("a target no", WRITTEN.replace("target: MEDV", "target: no"), "no"),
    ("a target with zeros", WRITTEN.replace("target: MEDV", "target: 007"), "007"),
    ("a target of a day", WRITTEN.replace("target: MEDV", 'target: "2020-01-01"'), "2020-01-01"),
    ("a day without quotes", WRITTEN.replace("target: MEDV", "target: 2020-01-01"), Refused("2020-01-01")),
    ("a tab", WRITTEN.replace("  title", "\ttitle"), Refused(DATA, "line 3", "tabs")),
    ("a colon in a text", WRITTEN.replace("title: Houses", "title: Houses: all"), Refused(DATA, "line 3")),
    ("a key twice", WRITTEN + "target: RM\n", Refused(DATA, "target", "twice")),
    ("two documents", WRITTEN + "---\na: 1\n", Refused(DATA, "another document")),
    ("UTF-16", WRITTEN.encode("utf-16"), Refused(DATA, "UTF-8")),
    ("a byte of nothing", WRITTEN + "\0", Refused(DATA)),
)
def test_the_text_of_a_params_file(tmp_path, monkeypatch, case):
    monkeypatch.chdir(tmp_path)
    content, expected = case
    put("data/houses", DATASET, {})
    Path(DATA).write_bytes(content if isinstance(content, bytes) else content.encode())
    outcome(lambda: dataset.load("houses", "sample").target, expected)


MINE = "experiments/mine/params.yaml"


@cases(
    ("plain", {}, 2),
    ("a rate of nothing", {"train.learning_rate": 0}, Refused(MINE, "train.learning_rate", "0")),
    ("an infinite rate", {"train.learning_rate": float("inf")}, Refused(MINE, "train.learning_rate", "inf")),
    ("epochs in words", {"train.epochs": "ten"}, Refused(MINE, "train.epochs", "ten")),
    ("no epochs", {"train.epochs": 0}, Refused(MINE, "train.epochs", "0")),
    ("half a row", {"train.batch_size": 2.5}, Refused(MINE, "train.batch_size", "2.5")),
    ("an optimizer in capitals", {"train.optimizer": "Adam"}, Refused(MINE, "train.optimizer", "Adam")),
    ("an unknown option", {"options.unitz": [8]}, Refused(MINE, "options.unitz")),
    ("no option", {"options": {}}, Refused(MINE, "options.units")),
    ("an unknown model", {"model": "mlpp"}, Refused(MINE, "model", "mlpp")),
    ("an unknown task", {"task": "regress"}, Refused(MINE, "task", "regress")),
    ("an unknown data set", {"dataset": "homes"}, Refused(MINE, "dataset", "homes")),
    ("a network as baseline", {"baseline": "mlp"}, Refused(MINE, "baseline", "mlp")),
    ("nothing about training", {"train": {}}, Refused(MINE, "train")),
)
def test_the_params_of_an_experiment(tmp_path, monkeypatch, case):
    monkeypatch.chdir(tmp_path)
    changes, expected = case
    put("data/houses", DATASET, {})
    put("experiments/mine", EXPERIMENT, changes)
    outcome(lambda: recipe.load("mine", "sample").train.epochs, expected)
