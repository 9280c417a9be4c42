"""How a table is written, and what it shows."""

import gzip
import zipfile

import pytest

from evermodel.adding import finding, look
from evermodel.core.errors import EvermodelError

PLAIN = "name,amount\nJörg,1.5\nÄnne,2.5\n"


def options(lying, content, name="table.csv"):
    (lying / name).write_bytes(content)
    with finding.find(str(lying / name)).raw() as folder:
        return look.look(folder, {}).options


@pytest.mark.parametrize(
    ("encoding", "expected"),
    [
        ("utf-8", {}),
        ("utf-8-sig", {}),
        ("cp1252", {"encoding": "cp1252"}),
        ("utf-16", {"encoding": "utf-16"}),
    ],
)
def test_the_encoding_is_seen(lying, encoding, expected):
    assert options(lying, PLAIN.encode(encoding)) == expected


def test_the_encoding_of_a_packed_file_is_seen(lying):
    old = PLAIN.encode("cp1252")
    assert options(lying, gzip.compress(old), "table.csv.gz") == {"encoding": "cp1252"}
    with zipfile.ZipFile(lying / "packed.zip", "w") as archive:
        archive.writestr("table.csv", old)
    assert options(lying, (lying / "packed.zip").read_bytes(), "table.zip") == {"encoding": "cp1252"}


def test_what_systems_leave_in_an_archive_tells_no_encoding(lying):
    with zipfile.ZipFile(lying / "packed.zip", "w") as archive:
        archive.writestr("__MACOSX/._table.csv", b"\x00\x05\x16\xff")
        archive.writestr("table.csv", PLAIN)
    assert options(lying, (lying / "packed.zip").read_bytes(), "table.zip") == {}


def test_nothing_to_look_at_is_told(lying):
    with pytest.raises(EvermodelError, match=r"table\.csv is empty"):
        options(lying, b"")
    zipfile.ZipFile(lying / "packed.zip", "w").close()
    with pytest.raises(EvermodelError, match=r"table\.zip"):
        options(lying, (lying / "packed.zip").read_bytes(), "table.zip")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a;b\n1,5;2,5\n3,5;4,5\n", {"decimal": ","}),
        ("a;b\n1.234,5;2,5\n3,5;4.321,5\n", {"decimal": ",", "thousands": "."}),
        ('a,b\n"1,234",2\n"5,678",3\n', {"thousands": ","}),
        ("a;b\n1.5;2\n2.5;3\n", {}),
        ("a,b\nx 1,2.5\ny 2,3.5\n", {}),
        ("1,2.5\n3,4.5\n", {"header": False}),
    ],
)
def test_numbers_are_read_as_most_of_them_are_written(lying, text, expected):
    assert options(lying, text.encode()) == expected


def test_a_line_that_is_wrong_is_named_by_the_file_as_the_user_knows_it(lying):
    (lying / "table.csv").write_text("a,b\n1,2\n3\n")
    with (
        pytest.raises(Exception, match=r"^table\.csv: line 3 "),
        finding.find(str(lying / "table.csv")).raw() as folder,
    ):
        look.look(folder, {})
