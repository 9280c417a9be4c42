import json
import subprocess
import sys
from collections import Counter

import numpy as np
import pytest

from evermodel.core import folders
from evermodel.core.errors import EvermodelError
from evermodel.publishing import ledger, promotion
from evermodel.publishing.ledger import Entry


def line(version=1, before=None, after=1, action="promote", **other):
    metadata = {
        "number": 0,
        "time": "2026-01-02T03:04:05+00:00",
        "who": "ann@here",
        "action": action,
        "version": version,
        "before": before,
        "after": after,
        "reason": "mae 2 beats it – größer",
        "commit": "c0ffee",
        "sha256": f"file {version}",
        "test_hash": "rows",
        "compared": before is not None,
        "policy": "p",
        "numbers": {"mae": 2.5},
        "previous": "",
    }
    return Entry.model_validate(metadata | other)


@pytest.fixture
def file(workspace):
    """A ledger of three lines."""
    with ledger.held("it") as book:
        for entry in (line(), line(2, 1, 1, "keep"), line(3, 1, 3)):
            book.append(entry)
    return folders.ledger("it")


def test_lines_are_numbered_and_each_knows_the_one_before(file):
    lines = ledger.read(file)
    assert [entry.number for entry in lines] == [1, 2, 3]
    assert [entry.previous for entry in lines] == [ledger.GENESIS, lines[0].hash, lines[1].hash]


EDITS = {
    "another bit": lambda byte: bytes([byte[0] ^ 1]),
    "no byte any more": lambda byte: b"",
    "a space before": lambda byte: b" " + byte,
    "an end of line after": lambda byte: byte + b"\n",
}


@pytest.mark.parametrize("edit", EDITS.values(), ids=EDITS)
def test_the_edit_of_any_single_byte_is_found(file, edit):
    content = file.read_bytes()
    for place in range(len(content) - 1):
        file.write_bytes(content[:place] + edit(content[place : place + 1]) + content[place + 1 :])
        with pytest.raises(EvermodelError, match=r"line [1234] .*not as it was written"):
            ledger.read(file)
    file.write_bytes(content)
    assert len(ledger.read(file)) == 3


@pytest.mark.parametrize("gone", [0, 1])
def test_a_line_that_was_taken_away_or_moved_is_found(file, gone):
    lines = file.read_bytes().splitlines(keepends=True)
    file.write_bytes(b"".join(lines[:gone] + lines[gone + 1 :]))
    with pytest.raises(EvermodelError, match="does not follow"):
        ledger.read(file)
    file.write_bytes(b"".join([*lines[:gone], lines[gone + 1], lines[gone], *lines[gone + 2 :]]))
    with pytest.raises(EvermodelError, match="does not follow"):
        ledger.read(file)


def test_what_a_killed_writer_left_of_a_line_is_taken_away_by_the_next(file):
    whole = file.read_bytes()
    file.write_bytes(whole + b'{"action":"pro')
    with ledger.held("it") as book:
        assert len(book.entries) == 3
    assert file.read_bytes() == whole


def test_a_last_line_without_an_end_is_no_decision_yet_and_locks_nobody_out(file):
    whole, lines = file.read_bytes(), ledger.read(file)
    for length in (1, len(whole) // 4):
        file.write_bytes(whole + whole[:length])
        assert ledger.read(file) == lines
    file.write_bytes(whole[:-1])
    assert ledger.read(file) == lines[:2]


# A limit of the file's size stands for the end of the disk: the kernel writes what fits.
FULL = """
import resource, sys
from evermodel.core.errors import EvermodelError
from evermodel.publishing import ledger
with ledger.held("it") as book:
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]), resource.RLIM_INFINITY))
    try:
        book.append(book.entries[0])
    except EvermodelError as error:
        print(error)
        print(len(book.entries))
"""


@pytest.mark.parametrize("room", [0, 1, 100])
def test_a_line_for_which_there_is_no_room_is_not_written_at_all(file, room):
    whole = file.read_bytes()
    command = [sys.executable, "-c", FULL, str(len(whole) + room)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    told, count = done.stdout.splitlines()
    assert "it.jsonl can't be written" in told
    assert "nothing was decided; free space" in told
    assert count == "3"
    assert file.read_bytes() == whole
    with ledger.held("it") as book:
        assert book.append(line(4, 3, 4)).number == 4


def test_a_ledger_from_before_a_field_was_added_is_read_and_goes_on(workspace):
    old = {name: value for name, value in line().written.items() if name not in ("scores", "rows", "trusted")}
    old |= {"number": 1, "previous": ledger.GENESIS, "hash": ""}
    text = json.dumps(old | {"hash": Entry.model_validate(old).digest}, sort_keys=True, ensure_ascii=False)
    file = folders.ledger("it")
    file.parent.mkdir(parents=True)
    file.write_text(text.replace(": ", ":").replace(", ", ",") + "\n")
    with ledger.held("it") as book:
        book.append(line(2, 1, 2, rows=("a",)))
    assert [entry.rows for entry in ledger.read(file)] == [(), ("a",)]


def test_no_file_is_an_empty_ledger(workspace):
    assert ledger.read(folders.ledger("nobody")) == []
    with ledger.held("nobody") as book:
        assert (book.champion, book.head) == (None, ledger.GENESIS)


def test_it_stands_where_the_variable_says(workspace, monkeypatch, tmp_path):
    monkeypatch.setenv(folders.LEDGER, str(tmp_path / "shared"))
    with ledger.held("it") as book:
        book.append(line())
    assert len(json.loads((tmp_path / "shared/it.jsonl").read_text())["hash"]) == 64


def test_only_one_process_holds_it(file):
    other = "from evermodel.publishing import ledger; ledger.PATIENCE = 0.2; ledger.held('it').__enter__()"
    command = [sys.executable, "-c", other]
    with ledger.held("it"):
        waiting = subprocess.run(command, capture_output=True, text=True, check=False)
    assert waiting.returncode != 0
    assert "it.lock" in waiting.stderr
    assert subprocess.run(command, check=False).returncode == 0


def test_the_champion_is_that_of_the_last_line(file):
    with ledger.held("it") as book:
        assert book.champion == 3
        book.append(line(1, 3, 1, "rollback"))
        assert book.champion == 1


def sketch(*numbers):
    """Of rows with these numbers."""
    return tuple(f"{number:016x}" for number in numbers)


def test_uses_of_test_rows_are_counted_by_the_row_that_was_used_most(workspace):
    with ledger.held("it") as book:
        assert book.test_set_uses(sketch(1, 2), "b") == 0
        book.append(line(1, None, 1, rows=sketch(1, 2, 3), compared=True))
        book.append(line(2, 1, 1, "keep", rows=sketch(2, 3, 4)))
        book.append(line(3, 1, 1, "keep", rows=sketch(5, 6, 7)))
        book.append(line(4, 1, 1, "await", rows=sketch(2, 3), compared=False))
        assert book.test_set_uses(sketch(1, 2, 3), "b") == 2
        assert book.test_set_uses(sketch(1, 8, 9), "b") == 1
        assert book.test_set_uses(sketch(8, 9), "b") == 0, "all rows are others"
        assert book.test_set_uses((), "b") == 0


def test_the_chances_of_error_of_all_decisions_that_a_row_was_in_stay_below_the_policys(workspace):
    """Whoever exchanges rows between decisions spends for each row what decisions with it cost."""
    luck, spent = np.random.default_rng(5), Counter()
    with ledger.held("it") as book:
        for _ in range(60):
            rows = sketch(*luck.choice(40, luck.integers(1, 20), replace=False))
            chance = 1 - promotion.spent(0.95, book.test_set_uses(rows, ""))
            spent.update(dict.fromkeys(rows, chance))
            book.append(line(2, 1, 1, "keep", rows=rows))
    assert max(spent.values()) < 0.05


def test_a_line_without_a_sketch_tells_by_its_hash_of_which_rows_it_was(file):
    with ledger.held("it") as book:
        assert book.test_set_uses(sketch(1), "rows") == 2
        assert book.test_set_uses(sketch(1), "other rows") == 0
        book.append(line(4, 3, 3, "keep", rows=sketch(1)))
        assert book.test_set_uses(sketch(1), "rows") == 3
        assert book.test_set_uses(sketch(2), "rows") == 2


def test_what_was_decided_holds_until_the_policy_or_the_rows_or_the_champion_are_others(file):
    with ledger.held("it") as book:
        assert book.decided("file 3", "p", "rows").action == "promote"
        assert book.decided("file 3", "other", "rows") is None
        assert book.decided("file 3", "p", "other") is None
        assert book.decided("file 2", "p", "rows") is None, "the champion that it lost to has gone"
        book.append(line(1, 3, 1, "rollback", sha256=""))
        assert book.decided("file 2", "p", "rows").action == "keep"
        assert book.decided("file 3", "p", "rows").action == "promote", "or a rerun would undo a rollback"


@pytest.mark.parametrize(
    ("action", "again"),
    [("keep", True), ("await", True), ("report", True), ("promote", False), ("reject", False)],
)
def test_what_was_said_beside_a_champion_holds_no_longer_than_that_champion(file, action, again):
    with ledger.held("it") as book:
        book.append(line(4, 3, 4 if action == "promote" else 3, action))
        assert book.decided("file 4", "p", "rows").action == action
        book.append(line(1, book.champion, 1, "rollback", sha256=""))
        assert (book.decided("file 4", "p", "rows") is None) == again


def test_what_was_withdrawn_is_not_judged_again_by_whatever_policy_until_somebody_names_it(file):
    with ledger.held("it") as book:
        book.append(line(3, 3, None, "withdraw"))
        assert (book.champion, book.withdrawn) == (None, {3})
        for policy, rows in (("p", "rows"), ("other", "rows"), ("p", "other")):
            assert book.decided("file 3", policy, rows).action == "withdraw"
        assert book.decided("file 2", "p", "rows") is None, "it lost to what is gone"
        book.append(line(3, None, 3, "rollback", sha256=""))
        assert book.withdrawn == set()
        assert book.decided("file 3", "other", "rows") is None


def test_what_was_judged_of_a_version_is_told_by_the_last_line_that_knows_it(file):
    with ledger.held("it") as book:
        book.append(line(3, 3, 3, "keep", scores="new"))
        book.append(line(3, 3, 3, "rollback", sha256=""))
        assert book.judged(3).scores == "new"
        assert book.judged(9) is None


def test_who_is_champion_is_known_without_importing_what_takes_seconds():
    slow = "{'mlflow', 'pandas', 'numpy', 'tensorflow'}"
    look = f"import sys; from evermodel.publishing import ledger, receipt; print({slow} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", look], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_a_place_where_no_ledger_can_be_is_told_in_a_sentence(workspace, monkeypatch):
    (workspace / "file").touch()
    monkeypatch.setenv(folders.LEDGER, "file/ledger")
    with pytest.raises(EvermodelError, match=r"file/ledger/it\.jsonl can't be written"), ledger.held("it"):
        pass
