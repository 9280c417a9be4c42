"""What becomes of dvc.lock's text; tests/test_lanes.py has the same with DVC."""

from evermodel import lockfile


def test_a_lock_loses_entries_and_gets_them_back_at_its_end():
    a, b, c = (f"  {name}:\n    cmd: x\n" for name in "abc")
    head, tail = "schema: '2.0'\nstages:\n", "datasets: []\n"
    assert lockfile.without(head + a + b + c + tail, {"a", "c", "d"}) == head + b + tail
    assert lockfile.without(head + a + b, {"a", "b"}) == "", "DVC refuses a file without stages"
    newer = b.replace("x", "y")
    assert lockfile.completed(head + newer + tail, head + a + b + c) == head + newer + a + c + tail
    assert lockfile.completed("", head + a) == head + a


def test_sorting_a_lock_moves_its_entries_and_nothing_else():
    a, b, c = (f"  {name}:\n    cmd: |-\n      x\n\n      y\n    deps:\n    - path: p\n" for name in "abc")
    head, tail = "schema: '2.0'\nstages:\n", "datasets: []\n"
    assert lockfile.sort_entries(head + c + b + a + tail, ["b", "a"]) == head + b + a + c + tail
    assert lockfile.sort_entries("", ["a"]) == ""
