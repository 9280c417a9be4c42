"""The order of the rows in an epoch, of arrays and of blocks that are read from Parquet."""

import numpy as np
import pandas as pd
import pytest

from evermodel.core import rows
from evermodel.core.columns import Column
from evermodel.core.data import Split, StoredSplit
from evermodel.core.parts import Parts
from evermodel.training import order
from tests.stored import GROUP, stored

COLUMNS = (Column(name="size"), Column(name="of", kind="category"))
ROWS = 101
TOGETHER = 3  # row groups of a block


@pytest.fixture
def in_blocks(tmp_path, monkeypatch):
    """101 rows in row groups of eight, of which a block has three; the answer of each is its number."""
    number = np.arange(ROWS)
    of = pd.Series([f"row {one}" for one in number], dtype=object)
    x = rows.of(pd.DataFrame({"size": number / 2, "of": of}), COLUMNS)
    found = stored(tmp_path, COLUMNS, Split(x, number, weight=number * 3.0))
    monkeypatch.setattr(order, "BLOCK", TOGETHER * found.parts.bytes)
    return found


@pytest.fixture(params=["arrays", "parquet"])
def split(request, in_blocks):
    return in_blocks if request.param == "parquet" else in_blocks[:]


def epoch(split, seed, number, size=7):
    """The numbers of the rows of an epoch, taken a few at a time."""
    ordered = order.shuffled(split, seed, number)
    return [ordered[start : start + size].y.tolist() for start in range(0, ROWS, size)]


def test_each_row_comes_once_in_an_epoch(split):
    batches = epoch(split, 1, 1)
    assert [len(batch) for batch in batches] == [7] * 14 + [3]
    assert sorted(np.concatenate(batches)) == list(range(ROWS))


def test_the_order_depends_on_seed_and_epoch_alone(split):
    assert epoch(split, 1, 2) == epoch(split, 1, 2)
    assert np.concatenate(epoch(split, 1, 2)).tolist() == np.concatenate(epoch(split, 1, 2, 40)).tolist()
    others = [np.concatenate(epoch(split, *of)).tolist() for of in [(1, 2), (1, 3), (2, 2)]]
    assert len({tuple(one) for one in others}) == 3


def test_rows_keep_what_is_theirs(split):
    taken = order.shuffled(split, 1, 0)[20:60]  # of several blocks
    assert len(taken) == 40
    assert np.array_equal(taken.x.frame()["size"], taken.y / 2)
    assert taken.x.frame()["of"].tolist() == [f"row {one}" for one in taken.y]
    assert np.array_equal(taken.weight, taken.y * 3.0)


def test_a_block_holds_rows_of_some_row_groups_from_all_over_the_table_in_any_order(in_blocks):
    first = np.array(order.shuffled(in_blocks, 5, 0)[: 2 * GROUP].y)
    assert len(set(first // GROUP)) == TOGETHER
    assert (np.diff(np.sort(np.unique(first // GROUP))) > 1).any(), "not neighbours alone"
    assert (np.diff(first) < 0).any()


def test_an_epoch_reads_each_row_group_once_and_a_few_at_a_time(in_blocks, monkeypatch):
    read, of_one = [], Parts._read
    monkeypatch.setattr(Parts, "_read", lambda self, number: read.append(number) or of_one(self, number))
    again = StoredSplit(Parts(in_blocks.parts.files[0].parent, COLUMNS), "class")
    ordered = order.shuffled(again, 1, 0)
    ordered[:7]
    assert len(read) == TOGETHER
    for start in range(7, ROWS, 7):
        ordered[start : start + 7]
    assert sorted(read) == list(range(13))


def test_rows_of_an_earlier_place_can_be_had_again(split):
    ordered = order.shuffled(split, 3, 1)
    first = ordered[:7].y.tolist()
    ordered[90:]
    assert ordered[:7].y.tolist() == first


def test_rows_in_memory_have_the_order_that_they_always_had(in_blocks):
    ordered = order.shuffled(Split(in_blocks[:].x, np.arange(ROWS)), 4, 2)
    assert np.array_equal(ordered[:ROWS].y, np.random.default_rng([4, 2]).permutation(ROWS))


def windows(texts, epochs=3):
    """What is learned from texts in each of so many epochs, in the order of the texts."""
    split = Split(np.array(texts, dtype=object), np.arange(len(texts)))
    taken = [order.windows(4, epochs)(split, 1, epoch)[:] for epoch in range(epochs)]
    return [rows.x[np.argsort(rows.y)].tolist() for rows in taken]


def test_epochs_learn_from_one_window_of_a_text_after_the_other_and_from_its_beginning_last():
    assert windows(["abcdefghijkl"]) == [["ijkl"], ["efgh"], ["abcd"]]


def test_the_last_window_of_a_text_is_a_full_one():
    assert windows(["abcdef"]) == [["abcd"], ["cdef"], ["abcd"]]


def test_a_text_that_is_shorter_than_a_window_is_learned_from_whole():
    assert windows(["abc", ""]) == [["abc", ""]] * 3


def test_windows_come_in_the_order_of_the_epoch():
    split = Split(np.array([f"{row:03}" for row in range(50)], dtype=object), np.arange(50))
    rows, plain = order.windows(3, 2)(split, 1, 0)[:], order.shuffled(split, 1, 0)[:]
    assert rows.y.tolist() == plain.y.tolist() == [int(text) for text in rows.x]
