import hashlib
import io
import tarfile

import numpy as np
import pandas as pd
import pytest

from evermodel.core.errors import EvermodelError
from evermodel.readers import texts

TABLE = 'id,review,stars,part\n1,"Good, very\ngood",5,train\n2,Bad.,1,test\n3,,3,train\n'
FILES = {"pos/1.txt": b"good", "pos/10.txt": b"very good", "pos/2.txt": b"fine", "neg/1.txt": b"bad"}


@pytest.fixture
def read(tmp_path, seal):
    def reader(content=TABLE, **options):
        (tmp_path / "t.csv").write_text(content, encoding=options.get("encoding", "utf-8"))
        return texts.read(seal(), **{"text": "review"} | options)

    return reader


def test_a_column_of_texts_comes_with_what_the_others_tell(read):
    raw = read()
    assert raw.kind == "text"
    assert raw.inputs.tolist() == ["Good, very\ngood", "Bad.", ""]
    assert list(raw.manifest) == ["id", "stars", "part", "words", "unknown", "sha256"]
    assert raw.manifest["stars"].tolist() == ["5", "1", "3"]
    assert raw.manifest["words"].tolist() == [3, 1, 0]
    assert raw.manifest["unknown"].tolist() == [0, 0, 0]
    assert raw.manifest["sha256"].iloc[1] == hashlib.sha256(b"Bad.").hexdigest()


def test_a_column_that_declares_the_split_becomes_it(read):
    assert read(split="part").manifest["split"].tolist() == ["train", "test", "train"]


def test_texts_of_any_encoding_and_form_are_read(read, tmp_path, seal):
    assert read("review;y\nGrün;1\n", encoding="latin-1").inputs.tolist() == ["Grün"]
    (tmp_path / "t.csv").unlink()
    pd.DataFrame({"review": ["a b", None], "y": [0.5, 1]}).to_parquet(tmp_path / "t.parquet")
    raw = texts.read(seal(), text="review")
    assert raw.inputs.tolist() == ["a b", ""]
    assert raw.manifest["y"].tolist() == [0.5, 1]


def test_many_texts_stand_in_the_order_of_the_table(read):
    lines = "".join(f"{number} words,{number % 2}\n" for number in range(70_000))
    raw = read(f"review,y\n{lines}")
    assert np.array_equal(raw.inputs, [f"{number} words" for number in range(70_000)])
    assert raw.manifest.index.equals(pd.RangeIndex(70_000))


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (
            {"text": "words"},
            r"has no column 'words'; its columns are id, review, stars, part; correct .*yaml",
        ),
        ({"split": "fold"}, r"has no column 'fold'; its columns are"),
        ({"text": None}, r"needs either `text`, .*or `archive`"),
        ({"archive": "a.zip"}, r"needs either `text`, .*or `archive`"),
        (
            {"members": r"(?P<label>.*)\.txt"},
            "members is for an archive, but the texts are in a table; remove",
        ),
        ({"ignore": ".*"}, "ignore is for an archive"),
        ({"text": None, "archive": "a.zip", "split": "part"}, "split is for a table, but .* in an archive"),
        ({"text": None, "archive": "a.zip", "separator": ";"}, "separator is for a table"),
    ],
)
def test_what_does_not_fit_the_table_is_told(read, options, told):
    with pytest.raises(EvermodelError, match=told):
        read(**options)


@pytest.mark.parametrize(("name", "options"), [("words", {}), ("sha256", {}), ("split", {"split": "part"})])
def test_a_column_called_as_one_of_the_manifest_is_refused(read, name, options):
    with pytest.raises(EvermodelError, match=rf"has a column '{name}', .*; rename it"):
        read(TABLE.replace("stars", name), **options)


@pytest.mark.parametrize("archive", ["a.zip", "a.tar.gz"])
def test_files_in_the_folders_of_their_classes_are_read_in_natural_order(pack, archive):
    raw = texts.read(pack(FILES, archive), archive=archive)
    assert raw.inputs.tolist() == ["bad", "good", "fine", "very good"]
    assert raw.manifest["label"].tolist() == ["neg", "pos", "pos", "pos"]
    assert list(raw.manifest) == ["label", "words", "unknown", "sha256"]
    assert raw.rejected == ()


def test_folders_of_splits_above_those_of_classes_declare_them(pack):
    files = {f"reviews/{split}/{label}/1.txt": b"x" for split in ("Train", "val", "test") for label in "ab"}
    manifest = texts.read(pack(files), archive="a.zip").manifest
    assert manifest["label"].tolist() == ["a", "b"] * 3
    assert manifest["split"].tolist() == ["train", "train", "test", "test", "validation", "validation"]


def test_files_that_are_no_texts_are_rejected_and_litter_is_passed_over(pack):
    odd = {
        "pos/3.txt": b"\xff\xfe",
        "pos/4.pdf": b"%PDF",
        "5.txt": b"no class",
        "pos/.DS_Store": b"x",
        "__MACOSX/pos/._1.txt": b"x",
        "readme.md": b"x",
    }
    raw = texts.read(pack(FILES | odd), archive="a.zip", ignore=r".*\.md")
    assert len(raw.inputs) == 4
    assert dict(raw.rejected) == {
        "5.txt": "has a name, or a folder, that `members` does not know",
        "pos/3.txt": "is no text in utf-8 (byte 1); save it as that",
        "pos/4.pdf": "has a name, or a folder, that `members` does not know",
    }


def test_names_may_tell_more_than_a_class(pack):
    files = {"a_7.txt": b"x", "b_8.txt": b"y"}
    manifest = texts.read(pack(files), archive="a.zip", members=r"(?P<label>\w)_(?P<author>\d)\.txt").manifest
    assert manifest["label"].tolist() == ["a", "b"]
    assert manifest["author"].tolist() == ["7", "8"]


def test_an_archive_without_a_text_is_refused_with_what_it_holds(pack):
    with pytest.raises(EvermodelError, match=r"a\.zip holds no text .*: 1\.txt has a name, or a folder"):
        texts.read(pack({"1.txt": b"x"}), archive="a.zip")


def test_a_mark_at_the_beginning_of_a_file_is_none_of_its_text(pack):
    raw = texts.read(pack({"a/1.txt": "\ufeffgood".encode()}), archive="a.zip")
    assert raw.inputs.tolist() == ["good"]
    latin = texts.read(pack({"a/1.txt": "grün".encode("latin-1")}), archive="a.zip", encoding="latin-1")
    assert latin.inputs.tolist() == ["grün"]


def test_a_link_in_an_archive_is_rejected(tmp_path, seal):
    with tarfile.open(tmp_path / "a.tar.gz", "w:gz") as packed:
        for name in ("a/1.txt", "a/2.txt"):
            member = tarfile.TarInfo(name)
            member.size = 1
            packed.addfile(member, io.BytesIO(b"x"))
        link = tarfile.TarInfo("a/3.txt")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        packed.addfile(link)
    raw = texts.read(seal(), archive="a.tar.gz")
    assert len(raw.inputs) == 2
    assert raw.rejected[0][0] == "a/3.txt"
