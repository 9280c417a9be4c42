import errno

import numpy as np
import pytest

from evermodel.core.errors import EvermodelError
from evermodel.formats.scratch import Scratch

ROWS = np.arange(24, dtype=np.uint8).reshape(4, 3, 2)


@pytest.fixture
def scratch(tmp_path, monkeypatch):
    """One whose file lies in tmp_path."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    return Scratch()


def test_rows_come_back_as_they_were_added_and_can_not_be_changed(scratch):
    scratch.extend(ROWS[:3])
    scratch.extend([ROWS[3]])
    found = scratch.array()
    assert np.array_equal(found, ROWS)
    with pytest.raises(ValueError, match="read-only"):
        found[0] = 0


def test_the_file_has_no_name_and_its_room_is_free_once_nobody_maps_it(scratch, tmp_path):
    scratch.extend(ROWS)
    found = scratch.array()
    assert list(tmp_path.iterdir()) == []
    part = found[1:]
    del found, scratch
    assert np.array_equal(part, ROWS[1:])  # a view keeps it


@pytest.mark.parametrize("row", [np.zeros((2, 3), np.uint8), np.zeros((3, 2), np.float32)])
def test_a_row_of_another_kind_is_refused(scratch, row):
    scratch.extend(ROWS)
    with pytest.raises(ValueError, match=r"among rows of uint8 \(3, 2\)"):
        scratch.extend([row])


def test_a_full_disk_is_told_with_what_to_do(scratch, tmp_path, monkeypatch):
    class Full:
        def write(self, content):
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(scratch, "_file", Full())
    with pytest.raises(EvermodelError, match=f"no room .* in {tmp_path} .*No space left.* TMPDIR"):
        scratch.extend(ROWS)
