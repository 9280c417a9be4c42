import hashlib
import os
import zipfile

import pytest

from evermodel.core.errors import EvermodelError
from evermodel.datasets.source import RemoteFile
from evermodel.origins import local


@pytest.fixture
def folder(tmp_path):
    """Two files of classes, and what systems leave."""
    made = tmp_path / "Photos of Ä"
    for name in ("dogs/2.jpg", "cats/1.jpg", "cats/.DS_Store", "__MACOSX/x", "Thumbs.db", ".git/config"):
        (made / name).parent.mkdir(parents=True, exist_ok=True)
        (made / name).write_text(name)
    return made


def test_a_file_is_described_and_stays_where_it_lies(tmp_path, monkeypatch):
    (tmp_path / "my table.csv").write_text("a,b\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    found = local.entry(tmp_path / "my table.csv")
    digest = hashlib.sha256(b"a,b\n").hexdigest()
    assert found == RemoteFile(name="my_table.csv", bytes=4, sha256=digest, path="~/my table.csv")
    assert local.fault(tmp_path / "my table.csv", found) == ""
    assert [file.name for file in tmp_path.iterdir()] == ["my table.csv"]


def test_a_folder_is_described_by_the_archive_that_it_becomes(folder, tmp_path):
    found = local.entry(folder)
    assert (found.name, found.path) == ("Photos_of_.zip", str(folder))
    assert local.fault(folder, found) == ""
    local.copy(folder, tmp_path / "a.zip")
    content = (tmp_path / "a.zip").read_bytes()
    assert (len(content), hashlib.sha256(content).hexdigest()) == (found.bytes, found.sha256)
    with zipfile.ZipFile(tmp_path / "a.zip") as archive:
        assert archive.testzip() is None
        assert archive.namelist() == ["cats/1.jpg", "dogs/2.jpg"]
        assert archive.read("cats/1.jpg") == b"cats/1.jpg"


def test_the_archive_depends_on_names_and_contents_alone(folder, tmp_path):
    local.copy(folder, tmp_path / "a.zip")
    os.utime(folder / "cats/1.jpg", (1, 1))
    (folder / "cats/1.jpg").chmod(0o600)
    (folder / "cats/.hidden").write_text("x")
    (folder / "dogs").rename(tmp_path / "dogs")
    (tmp_path / "dogs").rename(folder / "dogs")
    local.copy(folder, tmp_path / "b.zip")
    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()
    (folder / "cats/1.jpg").write_text("other")
    assert "makes an archive of" in local.fault(folder, local.entry(tmp_path / "a.zip"))


def test_its_bytes_are_the_same_for_ever(tmp_path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "é.txt").write_text("some words")
    assert (
        local.entry(tmp_path / "folder").sha256
        == "97efbbe9ed911fe486a3cb44f666ccb11db578464448b4ef686cd2876642c5aa"
    )


def test_what_can_not_be_described_is_told(tmp_path):
    with pytest.raises(EvermodelError, match="nowhere does not exist"):
        local.entry(tmp_path / "nowhere")
    with pytest.raises(EvermodelError, match="holds no files"):
        local.entry(tmp_path)
    (tmp_path / "link").symlink_to("nowhere")
    with pytest.raises(EvermodelError, match=r"link'?\)? can't stand in an archive"):
        local.entry(tmp_path)


def test_a_name_that_is_no_text_is_told(tmp_path):
    (tmp_path / os.fsdecode(b"\xff.jpg")).touch()
    with pytest.raises(EvermodelError, match="can't stand in an archive"):
        local.entry(tmp_path)
