import io
import tarfile
import zipfile

import pytest

from evermodel.core.errors import EvermodelError, UnusableError
from evermodel.formats import packed


def names(file):
    return [name for name, _ in packed.files(file)]


def test_names_sort_as_people_sort_them():
    wanted = ["a/2.png", "a/10.png", "a/10b.png", "b1", "b1c", "b02", "c"]
    assert sorted(set(wanted), key=packed.natural) == wanted


def test_a_zip_file_gives_its_files_without_its_folders(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.mkdir("b")
        archive.writestr("b/2", b"two")
        archive.writestr("1", b"one")
    assert [(name, read()) for name, read in packed.files(tmp_path / "a.zip")] == [
        ("b/2", b"two"),
        ("1", b"one"),
    ]


def test_a_tar_file_gives_its_files_without_folders_and_tells_of_links(tmp_path):
    with tarfile.open(tmp_path / "a.tgz", "w:gz") as archive:
        for name, kind in (("./b", tarfile.DIRTYPE), ("link", tarfile.SYMTYPE), ("hard", tarfile.LNKTYPE)):
            member = tarfile.TarInfo(name)
            member.type, member.linkname = kind, "../../secret"
            archive.addfile(member)
        member = tarfile.TarInfo("./b/2")
        member.size = 3
        archive.addfile(member, io.BytesIO(b"two"))
    found = []
    for name, read in packed.files(tmp_path / "a.tgz"):
        found.append(name)
        if name == "b/2":
            assert read() == b"two"
        else:
            with pytest.raises(UnusableError, match="is a link"):
                read()
    assert found == ["link", "hard", "b/2"]


def test_a_name_that_leads_elsewhere_writes_nothing(tmp_path):
    (tmp_path / "here").mkdir()
    with zipfile.ZipFile(tmp_path / "here/a.zip", "w") as archive:
        archive.writestr("../escaped", b"content")
    assert [read() for _, read in packed.files(tmp_path / "here/a.zip")] == [b"content"]
    assert sorted(file.name for file in tmp_path.iterdir()) == ["here"]


def test_a_zip_bomb_is_refused_by_the_size_that_it_declares(tmp_path, monkeypatch):
    monkeypatch.setattr(packed, "LIMIT", 999)
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("large", bytes(1000))
        archive.writestr("small", bytes(999))
    contents = [read for _, read in packed.files(tmp_path / "a.zip")]
    with pytest.raises(UnusableError, match="unpacks to 1,000 bytes; give at most 999"):
        contents[0]()


def test_another_kind_of_archive_is_refused(tmp_path):
    with tarfile.open(tmp_path / "a.tar.xz", "w:xz"):
        pass
    with pytest.raises(EvermodelError, match=r"a\.tar\.xz is no zip or tar\.gz archive.*fetch it again"):
        names(tmp_path / "a.tar.xz")
