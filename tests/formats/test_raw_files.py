import hashlib

import pytest

from evermodel.core.errors import EvermodelError
from evermodel.formats import raw_files
from evermodel.sources import Provenance


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "x.data").write_bytes(b"as fetched")
    files = {"x.data": hashlib.sha256(b"as fetched").hexdigest()}
    metadata = dict.fromkeys(("title", "edition", "note", "licence", "terms", "reader"), "")
    written = Provenance(**metadata, synthetic=False, options={}, files=files)
    (tmp_path / "source.json").write_text(written.model_dump_json())
    return tmp_path


def test_a_file_is_given_as_it_was_fetched(folder):
    assert raw_files.checked(folder, "x.data") == folder / "x.data"


def test_a_changed_file_is_refused(folder):
    (folder / "x.data").write_bytes(b"as_fetched")
    with pytest.raises(EvermodelError, match=r"x\.data was changed since it was fetched; run `dvc repro"):
        raw_files.checked(folder, "x.data")


def test_a_missing_file_is_named(folder):
    (folder / "x.data").unlink()
    with pytest.raises(EvermodelError, match=r"x\.data is missing; run `dvc repro"):
        raw_files.checked(folder, "x.data")


def test_a_file_that_was_not_fetched_is_refused(folder):
    (folder / "y.data").write_bytes(b"")
    with pytest.raises(EvermodelError, match=r"source\.json lists no y\.data"):
        raw_files.checked(folder, "y.data")


def test_a_folder_without_source_json_is_refused(folder):
    (folder / "source.json").unlink()
    with pytest.raises(EvermodelError, match=r"source\.json is missing; run `dvc repro fetch@"):
        raw_files.checked(folder, "x.data")


@pytest.mark.parametrize("content", ["", "{", "{}", '{"files": {"x.data": 1}}'])
def test_a_damaged_source_json_is_refused(folder, content):
    (folder / "source.json").write_text(content)
    with pytest.raises(EvermodelError, match=r"source\.json is damaged; run `dvc repro --force"):
        raw_files.checked(folder, "x.data")
