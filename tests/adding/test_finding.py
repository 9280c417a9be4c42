"""What lies at a path."""

import sqlite3
import tarfile
import zipfile

import pytest

from evermodel.adding import finding, look
from tests.server import serving, whole
from tests.settings import refusal


def put(folder, *names, content="a,b\n1,2\n"):
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content)


def test_a_file_is_a_table_by_its_own_name(lying):
    put(lying, "My Orders 2024.csv.gz")
    found = finding.find(str(lying / "My Orders 2024.csv.gz"))
    assert (found.kind, found.title, len(found.files)) == ("table", "My Orders 2024", 1)
    assert found.files[0].path == str(lying / "My Orders 2024.csv.gz")


@pytest.mark.parametrize(
    ("names", "kind"),
    [
        (["cats/1.jpg", "dogs/2.PNG", "labels.csv"], "images"),
        (["pos/1.txt", "neg/2.txt", "README.txt"], "texts"),
        (["one.csv", "two.csv"], "table"),
        (["notes.txt"], "table"),
    ],
)
def test_a_folder_or_archive_is_what_most_of_its_files_are(lying, names, kind):
    put(lying, *names)
    put(lying, ".DS_Store", "__MACOSX/._1.jpg", "cats/Thumbs.db")
    assert finding.find(str(lying)).kind == kind
    if kind != "table":
        with zipfile.ZipFile(lying.parent / "packed.zip", "w") as archive:
            for name in names:
                archive.write(lying / name, name)
        with tarfile.open(lying.parent / "packed.tar.gz", "w:gz") as archive:
            archive.add(lying, ".")
        for name in ("packed.zip", "packed.tar.gz"):
            found = finding.find(str(lying.parent / name))
            assert (found.kind, sorted(found.names)) == (kind, sorted(names))
            assert found.options == {"archive": name}


def test_contents_come_out_of_folder_and_archive_alike(lying):
    put(lying, "a/1.txt", "a/2.txt", "b/3.txt", content="text")
    with tarfile.open(lying.parent / "packed.tar.gz", "w:gz") as archive:
        archive.add(lying, ".")
    for place in (lying, lying.parent / "packed.tar.gz"):
        assert list(finding.find(str(place)).contents(["a/2.txt", "b/3.txt"])) == [b"text"] * 2


def test_files_that_are_split_already_are_known_by_their_names(lying):
    put(lying, "shop_train.csv", "shop_test.csv", "shop-val.csv")
    found = finding.find(str(lying))
    assert found.options == {
        "splits": {"train": "shop_train.csv", "test": "shop_test.csv", "validation": "shop-val.csv"}
    }
    put(lying, "contest.csv")  # which is no test
    assert finding.find(str(lying)).options == {}


def test_parts_are_taken_by_a_pattern_in_natural_order(lying):
    put(lying, "part-1.csv", "part-2.csv", "part-10.csv", "other.csv")
    found = finding.find(str(lying / "part-*.csv"))
    assert [file.name for file in found.files] == ["part-1.csv", "part-2.csv", "part-10.csv"]
    assert found.title == "part"
    with found.raw() as folder:
        assert look.look(folder, {}).rows == 3


def test_what_is_not_there_or_empty_is_refused(lying):
    assert "is not here" in refusal(finding.find, str(lying / "nothing.csv"))
    assert "is not here" in refusal(finding.find, str(lying / "*.csv"))
    assert "holds no file" in refusal(finding.find, str(lying))
    put(lying, "broken.tar.gz")
    assert "pack it anew" in refusal(finding.find, str(lying / "broken.tar.gz"))


def test_a_database_is_asked_and_its_answer_looked_at(lying, monkeypatch):
    with sqlite3.connect(lying / "shop.db") as connection:
        connection.execute("create table orders (price real, colour text)")
        connection.executemany("insert into orders values (?, ?)", [(1.5, "red"), (None, "blue")])
    monkeypatch.setenv("SHOP", f"sqlite:///{lying}/shop.db")
    found = finding.query("SHOP", "SELECT * FROM orders ORDER BY price")
    assert found.title == "orders"
    with found.raw() as folder:
        seen = look.look(folder, {})
    assert {name: (seen.kind(name), seen.seen[name].gaps) for name in seen.names} == {
        "price": ("number", 1),
        "colour": ("category", 0),
    }
    assert "SHOP_DB" in refusal(lambda: finding.query("SHOP_DB", "select 1").raw().__enter__())


def test_what_a_url_gives_is_looked_at_like_a_file(lying):
    with serving(whole(b"a,b\n1,2\n")) as server:
        found = finding.find(f"{server.url}/shop/orders.csv")
    assert (found.kind, found.title) == ("table", "orders")
    (file,) = found.files
    assert (file.name, file.bytes, file.path) == ("orders.csv", 8, None)
    assert file.urls[0].endswith("/shop/orders.csv")
    with found.raw() as folder:
        assert look.look(folder, {}).names == ["a", "b"]
