"""Rows of columns of several kinds, in memory and mapped from disk."""

import hashlib

import numpy as np
import pandas as pd
import pytest

from evermodel.core import parts, rows
from evermodel.core.columns import Column
from evermodel.core.parts import Parts, StoredRows

COLUMNS = [
    Column(name="colour", kind="category"),
    Column(name="age"),
    Column(name="told", kind="text"),
    Column(name="sold", kind="boolean"),
]


def frame(count=10):
    numbers = np.arange(count, dtype=float)
    colour = pd.Series(["red", None, "grün 🎉"] * count, dtype=object)[:count]
    return pd.DataFrame(
        {
            "colour": colour,
            "age": np.where(numbers % 4 == 3, np.nan, numbers / 7),
            "told": pd.Series([f"row {n}" if n % 5 else None for n in range(count)], dtype=object),
            "sold": numbers % 2,
        }
    )


def written(folder, *pieces):
    writer = rows.Writer(folder, COLUMNS, sum(map(len, pieces)))
    for piece in pieces:
        writer.write(piece)
    return rows.load(folder, COLUMNS)


@pytest.fixture(params=["memory", "disk", "parquet"])
def ten(request, tmp_path, monkeypatch):
    """Ten rows in memory, or written in unequal pieces and mapped or read from Parquet."""
    all_rows = rows.of(frame(), COLUMNS)
    pieces = all_rows[:4], all_rows[4:4], all_rows[np.arange(4, 10)]
    if request.param == "memory":
        return all_rows
    if request.param == "disk":
        return written(tmp_path / "x", *pieces)
    monkeypatch.setattr(parts, "GROUP", 3)
    with parts.Writer(tmp_path / "rows", COLUMNS, {}) as writer:
        for piece in pieces:
            writer.write(piece, {})
    return StoredRows(Parts(tmp_path / "rows", COLUMNS))


def test_a_table_comes_back_as_it_was(ten):
    assert len(ten) == 10
    pd.testing.assert_frame_equal(ten.frame(), frame())
    assert ten.frame()["colour"].iloc[1] is None


@pytest.mark.parametrize(
    "chosen",
    [
        slice(2, 7),
        slice(None),
        slice(8, 99),
        slice(5, 2),
        slice(-3, None),
        slice(0, 10, 3),
        np.array([7, 0, 7]),
    ],
)
def test_rows_are_chosen_by_slice_and_by_number(ten, chosen):
    pd.testing.assert_frame_equal(ten[chosen].frame(), frame().iloc[chosen].reset_index(drop=True))


def test_rows_are_chosen_where_an_array_is_true(ten):
    even = np.arange(10) % 2 == 0
    assert ten[even].frame()["sold"].tolist() == [0] * 5
    assert len(ten[~even][1:3]) == 2


def test_the_same_rows_have_the_same_bytes_in_whatever_pieces(tmp_path):
    every = rows.of(frame(), COLUMNS)
    written(tmp_path / "once", every)
    written(tmp_path / "twice", every[:3], every[3:])
    files = sorted(file.name for file in (tmp_path / "once").iterdir())
    assert len(files) == 5
    for file in files:
        assert (tmp_path / "once" / file).read_bytes() == (tmp_path / "twice" / file).read_bytes()


def test_equal_rows_and_only_they_have_equal_bytes(ten, monkeypatch):
    hashes = [hashlib.sha256(row).hexdigest() for row in ten.encoded()]
    assert len(set(hashes)) == 10
    assert [hashlib.sha256(row).hexdigest() for row in ten[[3, 3, 1]].encoded()] == [
        hashes[3],
        hashes[3],
        hashes[1],
    ]
    monkeypatch.setattr(rows, "PIECE", 3)
    assert [hashlib.sha256(row).hexdigest() for row in ten.encoded()] == hashes


def test_the_bytes_of_a_row_are_its_numbers_and_then_its_texts():
    first = next(rows.of(frame(), COLUMNS)[1:2].encoded())
    assert first == np.array([1 / 7, 1.0]).tobytes() + b"\0\0row 1"
    plain = rows.of(frame()[["age"]], [Column(name="age")])
    assert list(plain[1:3].encoded()) == [np.float64(1 / 7).tobytes(), np.float64(2 / 7).tobytes()]


def test_columns_of_texts_alone_are_rows_too(tmp_path):
    columns = [Column(name="colour", kind="category")]
    writer = rows.Writer(tmp_path / "x", columns, 10)
    writer.write(rows.of(frame(), columns))
    loaded = rows.load(tmp_path / "x", columns)
    assert loaded.frame()["colour"].tolist() == frame()["colour"].tolist()
    assert next(loaded.encoded()) == b"\0red"


def test_no_rows_are_rows(tmp_path):
    empty = written(tmp_path / "x")
    assert len(empty) == 0
    assert list(empty.frame()) == ["colour", "age", "told", "sold"]
