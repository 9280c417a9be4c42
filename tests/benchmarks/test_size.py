import gc
import os

import pandas as pd
import pytest

from benchmarks import size
from evermodel.core import data


def test_made_tables_are_the_same_each_time_and_have_columns_of_all_kinds(tmp_path):
    first, again = (size.table(tmp_path / name, 100) for name in ("once", "twice"))
    assert data.file_hash(first) == data.file_hash(again)
    frame = pd.read_parquet(first)
    assert frame.shape == (100, 22)
    assert frame["size_1"].isna().any()
    assert {values.dtype.kind for _, values in frame.items()} == {"i", "f", "b", "M", "O"}


def test_made_pictures_are_the_same_each_time(tmp_path):
    first, again = (size.images(tmp_path / name, 4) for name in ("once", "twice"))
    assert data.file_hash(first) == data.file_hash(again)


def test_the_private_memory_of_a_process_counts_what_it_fills():
    gc.collect()  # what goes meanwhile would count, too
    before = size.private(os.getpid())
    filled = bytearray(b"x" * 2**28)
    assert size.private(os.getpid()) - before == pytest.approx(len(filled) / 2**20, rel=0.1)
    assert size.private(2**22 + 1) == 0


def test_a_command_that_fails_says_what_it_said(tmp_path):
    with pytest.raises(RuntimeError, match="sh -c echo why; exit 3: why"):
        size.run(tmp_path, tmp_path, "sh", "-c", "echo why; exit 3")


@pytest.mark.all
@pytest.mark.parametrize(("name", "make"), [("made_table", size.table), ("made_pictures", size.images)])
def test_every_stage_is_measured(tmp_path, capsys, monkeypatch, name, make):
    monkeypatch.setattr(size, "BATCH", 16)  # so that few rows are enough to beat the baseline
    size.measure(tmp_path, name, 2000, make)
    lines = capsys.readouterr().out.splitlines()
    told = [line.split()[0] for line in lines[2:]]
    stages = ["fetch", "validate", "prepare", "train", "evaluate", "promote"]
    assert told == stages + ["predict"] * (name == "made_table")
    assert all(float(line.split()[-1].replace(",", "")) > 1 for line in lines[2:])
