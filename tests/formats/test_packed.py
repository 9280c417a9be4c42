import io
import tarfile
import zipfile

import pytest

from evermodel.core.errors import EvermodelError, UnusableError
from evermodel.formats import packed


def names(file):
    with packed.opened(file) as files:
        return [name for name, _ in files]


def contents(file):
    with packed.opened(file) as files:
        return [(name, read()) for name, read in files]


def test_names_sort_as_people_sort_them():
    wanted = ["a/2.png", "a/10.png", "a/10b.png", "b1", "b1c", "b02", "c"]
    assert sorted(set(wanted), key=packed.natural) == wanted


def test_a_zip_file_gives_its_files_without_its_folders(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.mkdir("b")
        archive.writestr("b/2", b"two")
        archive.writestr("1", b"one")
    assert contents(tmp_path / "a.zip") == [("1", b"one"), ("b/2", b"two")]


@pytest.mark.parametrize("mode", ["w:gz", "w"])
def test_a_tar_file_gives_its_files_without_folders_and_tells_of_links(tmp_path, mode):
    with tarfile.open(tmp_path / "a.tgz", mode) as archive:
        for name, kind in (("./b", tarfile.DIRTYPE), ("link", tarfile.SYMTYPE), ("hard", tarfile.LNKTYPE)):
            member = tarfile.TarInfo(name)
            member.type, member.linkname = kind, "../../secret"
            archive.addfile(member)
        member = tarfile.TarInfo("./b/2")
        member.size = 3
        archive.addfile(member, io.BytesIO(b"two"))
    with packed.opened(tmp_path / "a.tgz") as files:
        assert [name for name, _ in files] == ["b/2", "hard", "link"]
        assert files[0][1]() == b"two"
        for _, read in files[1:]:
            with pytest.raises(UnusableError, match="is a link"):
                read()


@pytest.mark.parametrize("name", ["a.zip", "a.tgz"])
def test_files_come_in_the_natural_order_of_names_and_are_read_in_any(tmp_path, name):
    for number in (10, 2, 1):
        (tmp_path / f"{number}.txt").write_text(str(number))
    if name == "a.zip":
        with zipfile.ZipFile(tmp_path / name, "w") as archive:
            for number in (10, 2, 1):
                archive.write(tmp_path / f"{number}.txt", f"{number}.txt")
    else:
        with tarfile.open(tmp_path / name, "w:gz") as packer:
            for number in (10, 2, 1):
                packer.add(tmp_path / f"{number}.txt", f"{number}.txt")
    with packed.opened(tmp_path / name) as files:
        assert [one for one, _ in files] == ["1.txt", "2.txt", "10.txt"]
        assert [read() for _, read in reversed(files)] == [b"10", b"2", b"1"]


def test_what_goes_wrong_while_an_archive_is_read_is_not_blamed_on_it(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("1", b"one")
    with pytest.raises(ZeroDivisionError), packed.opened(tmp_path / "a.zip") as files:
        len(files) / 0


def test_a_name_that_leads_elsewhere_writes_nothing(tmp_path):
    (tmp_path / "here").mkdir()
    with zipfile.ZipFile(tmp_path / "here/a.zip", "w") as archive:
        archive.writestr("../escaped", b"content")
    assert contents(tmp_path / "here/a.zip") == [("../escaped", b"content")]
    assert sorted(file.name for file in tmp_path.iterdir()) == ["here"]


def test_a_zip_bomb_is_refused_by_the_size_that_it_declares(tmp_path, monkeypatch):
    monkeypatch.setattr(packed, "LIMIT", 999)
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("large", bytes(1000))
        archive.writestr("small", bytes(999))
    with packed.opened(tmp_path / "a.zip") as files:
        assert len(files[1][1]()) == 999
        with pytest.raises(UnusableError, match="unpacks to 1,000 bytes; give at most 999"):
            files[0][1]()


def test_another_kind_of_archive_is_refused(tmp_path):
    with tarfile.open(tmp_path / "a.tar.xz", "w:xz"):
        pass
    with pytest.raises(EvermodelError, match=r"a\.tar\.xz is no zip, tar or tar\.gz archive.*fetch it again"):
        names(tmp_path / "a.tar.xz")
