import json
import subprocess
import sys

import pytest

from evermodel.core import folders
from evermodel.core.errors import EvermodelError
from evermodel.publishing import ledger
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
    for place in range(len(content)):
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


def test_test_set_uses_are_the_decisions_between_two_models_on_the_same_rows(file):
    with ledger.held("it") as book:
        assert book.test_set_uses("rows") == 2
        assert book.test_set_uses("other rows") == 0


def test_what_was_decided_holds_until_the_policy_or_the_rows_or_the_champion_are_others(file):
    with ledger.held("it") as book:
        assert book.decided("file 3", "p", "rows").action == "promote"
        assert book.decided("file 3", "other", "rows") is None
        assert book.decided("file 3", "p", "other") is None
        assert book.decided("file 2", "p", "rows") is None, "the champion that it lost to has gone"
        book.append(line(1, 3, 1, "rollback", sha256=""))
        assert book.decided("file 2", "p", "rows").action == "keep"
        assert book.decided("file 3", "p", "rows").action == "promote", "or a rerun would undo a rollback"


def test_who_is_champion_is_known_without_importing_what_takes_seconds():
    slow = "{'mlflow', 'pandas', 'numpy', 'tensorflow'}"
    look = f"import sys; from evermodel.publishing import ledger, receipt; print({slow} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", look], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
