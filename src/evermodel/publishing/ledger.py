"""What was decided about the models of an experiment: a line of JSON each, with the hash of the line before.

MLflow keeps no history of its aliases, and the last of two writers wins. So the alias moves by what stands
here, and only while its lock is held; an edit of any byte breaks the chain (Haber & Stornetta 1991).
"""

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from filelock import FileLock, Timeout
from pydantic import BaseModel, ConfigDict, ValidationError

from evermodel.core import folders
from evermodel.core.errors import EvermodelError

GENESIS = "0" * 64  # what stands for the line before the first
PATIENCE = 60.0  # seconds to wait for whoever writes
Action = Literal["promote", "keep", "await", "reject", "report", "rollback", "found"]


class Entry(BaseModel):
    """One decision. action: what became of it.

    promote: the alias went from version `before` to `after`; rollback: the same, to an older one; keep: it
    stayed; await: somebody has to approve `version`; reject: somebody did not; report: the policy never
    promotes; found: somebody had moved the alias without this ledger. version: the model that was judged,
    with the sha256 of its file. test_hash and compared: of the test rows, and whether model and champion
    were compared on them. policy: sha256 of what it was judged by. numbers: what the decision was made from.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    number: int = 0
    time: str
    who: str
    action: Action
    version: int
    before: int | None
    after: int | None
    reason: str
    commit: str
    sha256: str = ""
    test_hash: str = ""
    compared: bool = False
    policy: str = ""
    numbers: Mapping[str, float] = {}
    previous: str = ""
    hash: str = ""

    @property
    def digest(self) -> str:
        """The sha256 of all other fields."""
        return hashlib.sha256(_text(self.model_dump(exclude={"hash"})).encode()).hexdigest()


class Ledger:
    """The decisions about one experiment, oldest first, while nobody else can add one."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.entries = read(file)

    @property
    def head(self) -> str:
        """The hash of the last line."""
        return self.entries[-1].hash if self.entries else GENESIS

    @property
    def champion(self) -> int | None:
        """The version that the alias has to point at."""
        return self.entries[-1].after if self.entries else None

    def decided(self, sha256: str, policy: str, test_hash: str) -> Entry | None:
        """What was decided last about a model file by that policy and on these test rows, if it still holds.

        What lost to a champion that has gone since is judged again. What won is not, or the next run would
        undo a rollback.
        """
        mine = (sha256, policy, test_hash)
        same = [line for line in self.entries if (line.sha256, line.policy, line.test_hash) == mine]
        if not same or (same[-1].action == "keep" and same[-1].after != self.champion):
            return None
        return same[-1]

    def test_set_uses(self, test_hash: str) -> int:
        """How many decisions between model and champion these test rows were used for."""
        return sum(entry.compared and entry.test_hash == test_hash for entry in self.entries)

    def append(self, entry: Entry) -> Entry:
        """Write a line and return it with number, `previous` and hash; on disk before this returns."""
        chained = entry.model_copy(update={"number": len(self.entries) + 1, "previous": self.head})
        signed = chained.model_copy(update={"hash": chained.digest})
        with self.file.open("ab", buffering=0) as stream:
            stream.write(f"{_text(signed.model_dump())}\n".encode())
            os.fsync(stream)
        self.entries.append(signed)
        return signed


@contextmanager
def held(name: str) -> Iterator[Ledger]:
    """The ledger of an experiment, locked. Raises EvermodelError if it was edited, or held for too long."""
    file = folders.ledger(name)
    file.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(file.with_suffix(".lock"))
    try:
        ours = lock.acquire(timeout=PATIENCE)
    except Timeout:
        raise EvermodelError(
            f"somebody else promotes it for {PATIENCE:g} s already ({lock.lock_file} is locked); try again"
        ) from None
    with ours:
        _drop_torn_line(file)
        yield Ledger(file)


def read(file: Path) -> list[Entry]:
    """The decisions in a file; EvermodelError that names the first line that is not as it was written."""
    if not file.exists():
        return []
    *lines, rest = file.read_bytes().split(b"\n")
    entries: list[Entry] = []
    for number, line in enumerate([*lines, rest] if rest else lines, start=1):
        entries.append(_checked(file, number, line, entries[-1].hash if entries else GENESIS))
    if rest:
        raise _edited(file, len(lines) + 1, "has no end")
    return entries


def _checked(file: Path, number: int, line: bytes, previous: str) -> Entry:
    try:
        entry = Entry.model_validate_json(line)
    except ValidationError:
        raise _edited(file, number, "is no entry") from None
    if _text(entry.model_dump()).encode() != line or entry.hash != entry.digest:
        raise _edited(file, number, "was edited")
    if (entry.number, entry.previous) != (number, previous):
        raise _edited(file, number, "does not follow the line before it")
    return entry


def _edited(file: Path, number: int, what: str) -> EvermodelError:
    return EvermodelError(
        f"{file}: line {number} {what}; the ledger is not as it was written: restore it from a copy"
    )


def _drop_torn_line(file: Path) -> None:
    """Take away what a writer that was killed left of a line: nothing has been done by it yet."""
    if file.exists() and (content := file.read_bytes()) and not content.endswith(b"\n"):
        os.truncate(file, content.rfind(b"\n") + 1)


def _text(values: Mapping[str, object]) -> str:
    return json.dumps(values, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
