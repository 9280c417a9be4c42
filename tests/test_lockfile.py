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


def test_entries_of_other_lanes_are_put_aside_and_come_back_unless_they_were_made_anew(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    head, a, b = "schema: '2.0'\nstages:\n", "  train@a:\n    cmd: x\n", "  fetch@b:\n    cmd: x\n"
    lockfile.LOCK.write_text(head + a + b)
    aside = lockfile.Aside()
    aside.put_all_but({"b"})
    assert lockfile.LOCK.read_text() == head + b
    lockfile.LOCK.write_text(head + b.replace("x", "y"))
    aside.put_back()
    assert lockfile.LOCK.read_text() == head + b.replace("x", "y") + a
