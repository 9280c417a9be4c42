"""How a table is parted: by its files alone, in their order, with the numbers that rows have in the whole."""

import gzip

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from evermodel.core import data
from evermodel.core.data import Raw
from evermodel.formats import tables
from evermodel.spark import reading


class Here:
    """What a cluster does, in this process."""

    map = staticmethod(map)


def parts(*files, rows, monkeypatch):
    monkeypatch.setattr(reading, "ROWS", rows)
    table = tables.Table(("n",), data.CSV, tuple(map(tables.Part, files)))
    found = reading.in_parts(Raw("table", pd.DataFrame(), pieces=table.pieces, table=table), Here())
    read = [pd.concat(part.pieces()) for part in found]
    whole = pd.concat(table.pieces())
    pd.testing.assert_frame_equal(pd.concat(read), whole)
    return [len(part) for part in read]


@pytest.mark.parametrize(
    ("rows", "expected"), [(1, [30, 30, 30, 10]), (60, [60, 40]), (70, [60, 40]), (1000, [100])]
)
def test_groups_of_rows_stand_together_up_to_a_number_of_rows(tmp_path, monkeypatch, rows, expected):
    file = tmp_path / "made.parquet"
    pq.write_table(pa.table({"n": np.arange(100)}), file, row_group_size=30)
    assert parts(file, rows=rows, monkeypatch=monkeypatch) == expected


def test_a_file_that_is_no_parquet_or_is_packed_is_read_as_a_whole(tmp_path, monkeypatch):
    text, packed, empty = tmp_path / "a.csv", tmp_path / "b.csv.gz", tmp_path / "c.csv"
    text.write_text("n\n" + "1\n" * 40)
    packed.write_bytes(gzip.compress(b"n\n" + b"2\n" * 30))
    empty.write_text("n\n")
    assert parts(text, packed, empty, rows=50, monkeypatch=monkeypatch) == [40, 30]
    assert parts(empty, rows=50, monkeypatch=monkeypatch) == [0]


def test_files_of_groups_of_rows_go_on_after_each_other(tmp_path, monkeypatch):
    for name in "ab":
        pq.write_table(pa.table({"n": np.arange(50)}), tmp_path / f"{name}.parquet", row_group_size=20)
    files = (tmp_path / "a.parquet", tmp_path / "b.parquet")
    assert parts(*files, rows=60, monkeypatch=monkeypatch) == [50, 50]
    assert parts(*files, rows=30, monkeypatch=monkeypatch) == [20, 30, 20, 30]
