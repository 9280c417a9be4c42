from collections.abc import Callable
from pathlib import Path

import pytest

from evermodel import data
from evermodel.sources import PROVENANCE, Provenance

Seal = Callable[[], Path]


@pytest.fixture
def seal(tmp_path) -> Seal:
    """Writes source.json for the files that the test has put into tmp_path, as `fetch` does."""

    def write() -> Path:
        files = {file.name: data.file_hash(file) for file in tmp_path.iterdir() if file.name != PROVENANCE}
        facts = dict.fromkeys(("title", "edition", "note", "licence", "terms", "reader"), "")
        written = Provenance(**facts, made=True, options={}, files=files)
        (tmp_path / PROVENANCE).write_text(written.model_dump_json())
        return tmp_path

    return write
