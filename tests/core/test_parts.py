"""Rows in Parquet: what is in the files, and what is read of them."""

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from evermodel.core import parts, rows
from evermodel.core.columns import Column
from evermodel.core.parts import Parts
from tests.settings import refusal

COLUMNS = (Column(name="class"), Column(name="of", kind="category"), Column(name="y0", kind="time"))
ROWS = 23
ANSWERS = {
    "class": np.arange(ROWS) % 3,
    "y": np.arange(2.0 * ROWS).reshape(ROWS, 2),
    "weight": np.arange(ROWS) / 4,
}
SHAPES = {"class": (), "y": (2,), "weight": ()}


def frame():
    numbers = np.arange(ROWS, dtype=float)
    of = pd.Series([None, "tin", "Ünïcødé"] * ROWS, dtype=object)[:ROWS]
    return pd.DataFrame({"class": numbers, "of": of, "y0": np.where(numbers == 5, np.nan, -numbers)})


def write(folder, *ends):
    """Write all rows in pieces that end there."""
    x = rows.of(frame(), COLUMNS)
    with parts.Writer(folder, COLUMNS, SHAPES) as writer:
        for start, end in zip((0, *ends), (*ends, ROWS), strict=True):
            writer.write(x[start:end], {name: values[start:end] for name, values in ANSWERS.items()})
    return folder


@pytest.fixture(autouse=True)
def small(monkeypatch):
    monkeypatch.setattr(parts, "GROUP", 4)
    monkeypatch.setattr(parts, "GROUPS", 2)


def contents(folder):
    return {file.name: file.read_bytes() for file in folder.iterdir()}


def test_the_same_rows_give_the_same_bytes_in_whatever_pieces(tmp_path):
    once = contents(write(tmp_path / "once"))
    assert once == contents(write(tmp_path / "twice", 1, 1, 11, 12))
    assert sorted(once) == ["part-00000.parquet", "part-00001.parquet", "part-00002.parquet"]


def test_a_file_holds_full_row_groups_and_nothing_of_who_wrote_it(tmp_path):
    first = pq.ParquetFile(write(tmp_path / "rows", 9) / "part-00000.parquet")
    assert [first.metadata.row_group(number).num_rows for number in range(2)] == [4, 4]
    assert first.metadata.metadata is None
    assert first.schema.names == ["x_class", "x_of", "x_y0", "class", "y0", "y1", "weight"]
    assert all(first.schema.column(n).max_definition_level == 0 for n in range(7))  # none is null


@pytest.mark.parametrize(
    "chosen",
    [slice(None), slice(3, 9), slice(20, 3), np.array([22, 0, 7, 8, 7]), np.arange(ROWS) % 5 == 0],
)
def test_rows_come_with_their_answers(tmp_path, chosen):
    taken = Parts(write(tmp_path / "rows"), COLUMNS).take(chosen)
    pd.testing.assert_frame_equal(taken.x.frame(), frame().iloc[chosen].reset_index(drop=True))
    for name, values in ANSWERS.items():
        assert np.array_equal(taken.answers[name], values[chosen])
        assert taken.answers[name].dtype == values.dtype


def test_an_answer_is_read_alone(tmp_path):
    found = Parts(write(tmp_path / "rows"), COLUMNS)
    assert all(np.array_equal(found.answer(name), values) for name, values in ANSWERS.items())
    assert found.answer("number") is None


def test_a_split_may_have_no_rows(tmp_path):
    with parts.Writer(tmp_path / "rows", COLUMNS, SHAPES):
        pass
    found = Parts(tmp_path / "rows", COLUMNS)
    assert (len(found), len(found.take(slice(None)).x), len(found.answer("class"))) == (0, 0, 0)


def test_a_file_that_is_damaged_is_named(tmp_path):
    file = write(tmp_path / "rows") / "part-00001.parquet"
    file.write_bytes(file.read_bytes()[:-20])
    assert refusal(Parts, tmp_path / "rows", COLUMNS).startswith(f"{file} ")
