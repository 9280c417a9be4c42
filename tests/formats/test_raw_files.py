import hashlib

import pytest

from evermodel.core.errors import EvermodelError
from evermodel.datasets.source import Provenance
from evermodel.formats import raw_files


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "houses" / "raw"
    folder.mkdir(parents=True)
    (folder / "x.data").write_bytes(b"as fetched")
    files = {"x.data": hashlib.sha256(b"as fetched").hexdigest()}
    told = dict.fromkeys(("title", "edition", "note", "licence", "terms", "reader"), "")
    written = Provenance(**told, synthetic=False, options={}, files=files)
    (folder / "source.json").write_text(written.model_dump_json())
    return folder


def test_a_file_is_given_as_it_was_fetched(folder):
    assert raw_files.checked(folder, "x.data") == folder / "x.data"


def test_a_changed_file_is_refused(folder):
    (folder / "x.data").write_bytes(b"as_fetched")
    with pytest.raises(EvermodelError, match=r"x\.data was changed.*houses/dvc\.yaml:fetch`"):
        raw_files.checked(folder, "x.data")


def test_a_missing_file_is_named(folder):
    (folder / "x.data").unlink()
    with pytest.raises(EvermodelError, match=r"x\.data is missing.*houses/dvc\.yaml:fetch`"):
        raw_files.checked(folder, "x.data")


def test_a_file_that_was_not_fetched_is_refused(folder):
    (folder / "y.data").write_bytes(b"")
    with pytest.raises(
        EvermodelError, match=r"source\.json lists no y\.data.*source\.editions in .*houses/params\.yaml"
    ):
        raw_files.checked(folder, "y.data")


def test_a_folder_without_source_json_is_refused(folder):
    (folder / "source.json").unlink()
    with pytest.raises(EvermodelError, match=r"source\.json is missing.*houses/dvc\.yaml:fetch`"):
        raw_files.checked(folder, "x.data")


@pytest.mark.parametrize("content", ["", "{", "{}", '{"files": {"x.data": 1}}'])
def test_a_damaged_source_json_is_refused(folder, content):
    (folder / "source.json").write_text(content)
    with pytest.raises(EvermodelError, match=r"source\.json is damaged.*houses/dvc\.yaml:fetch`"):
        raw_files.checked(folder, "x.data")
