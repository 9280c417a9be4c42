"""What was decided about the models of an experiment: a line of JSON each, with the hash of the line before.

MLflow keeps no history of its aliases, and the last of two writers wins. So the alias moves by what stands
here, and only while its lock is held; an edit of any byte breaks the chain (Haber & Stornetta 1991).
"""

import errno
import hashlib
import json
import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from filelock import FileLock, Timeout
from pydantic import BaseModel, ConfigDict, ValidationError

from evermodel.core import folders
from evermodel.core.errors import EvermodelError

GENESIS = "0" * 64  # what stands for the line before the first
PATIENCE = 60.0  # seconds to wait for whoever writes
STALE = ("keep", "await", "report")  # what is only said of the champion of then
Action = Literal["promote", "keep", "await", "reject", "report", "rollback", "withdraw", "found"]


class Entry(BaseModel):
    """One decision. action: what became of it.

    promote: the alias went from version `before` to `after`; rollback: the same, to an older one; keep: it
    stayed; await: somebody has to approve `version`; reject: somebody did not; report: whoever won, nobody
    was to be promoted; withdraw: somebody took the alias away; found: somebody had moved it without this
    ledger. version: the model that was judged, with the sha256 of its file, and as `scores` of its
    scores.parquet. trusted: whether visitors may be answered by it on trial. test_hash and compared: of the
    test rows, and whether the model was compared on them; rows: their sketch (`data.sketch`), if it was.
    policy: sha256 of what it was judged by. numbers: what the decision was made from.
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
    scores: str = ""
    trusted: bool = False
    test_hash: str = ""
    rows: tuple[str, ...] = ()
    compared: bool = False
    policy: str = ""
    numbers: Mapping[str, float] = {}
    previous: str = ""
    hash: str = ""

    @property
    def written(self) -> dict[str, object]:
        """What its line holds: a field that a line does not know was added after it was written."""
        return self.model_dump(exclude_unset=True)

    @property
    def digest(self) -> str:
        """The sha256 of all other fields."""
        others = {name: value for name, value in self.written.items() if name != "hash"}
        return hashlib.sha256(_text(others).encode()).hexdigest()


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

    @property
    def withdrawn(self) -> set[int]:
        """The versions that somebody withdrew, and nobody has made champion again."""
        last = {line.version: line for line in self.entries if line.before != line.after}
        return {version for version, line in last.items() if line.action == "withdraw"}

    def decided(self, sha256: str, policy: str, test_hash: str) -> Entry | None:
        """What was decided last about a model file by that policy and on these test rows, if it still holds.

        What lost to a champion that has gone since, or waits for a word about it, is judged again. What won
        is not, or the next run would undo a rollback. What was withdrawn stays so, whatever it is judged by.
        """
        same = [line for line in self.entries if line.sha256 == sha256]
        if same and same[-1].version in self.withdrawn:
            return same[-1]
        same = [line for line in same if (line.policy, line.test_hash) == (policy, test_hash)]
        if not same or (same[-1].action in STALE and same[-1].after != self.champion):
            return None
        return same[-1]

    def judged(self, version: int) -> Entry | None:
        """The last line that tells of a version which file and which scores were judged."""
        lines = (line for line in reversed(self.entries) if line.version == version and line.sha256)
        return next(lines, None)

    def test_set_uses(self, rows: Sequence[str], test_hash: str) -> int:
        """How many comparisons test rows were used for: the row that was in most of them counts.

        rows: their sketch. So the chances of error of all comparisons that any one row takes part in sum to
        no more than the policy's, however the rows are mixed anew (docs/decisions/0031). A line without a
        sketch tells by its test_hash whether it was of the same rows.
        """
        compared = [line for line in self.entries if line.compared]
        before = (line.rows or (rows if line.test_hash == test_hash else ()) for line in compared)
        used = Counter(row for sketch in before for row in sketch)
        return max((used[row] for row in rows), default=0)

    def append(self, entry: Entry) -> Entry:
        """Write a line and return it with number, `previous` and hash; on disk before this returns.

        Raises EvermodelError if there is no room for all of it, and leaves none of it behind.
        """
        chained = entry.model_copy(update={"number": len(self.entries) + 1, "previous": self.head})
        signed = chained.model_copy(update={"hash": chained.digest})
        try:
            _write_whole(self.file, f"{_text(signed.written)}\n".encode())
        except OSError as error:
            raise _unwritable(self.file, error) from None
        self.entries.append(signed)
        return signed


@contextmanager
def held(name: str) -> Iterator[Ledger]:
    """The ledger of an experiment, locked.

    Raises EvermodelError if it was edited, can't be written, or is held for too long.
    """
    file = folders.ledger(name)
    lock = FileLock(file.with_suffix(".lock"))
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        ours = lock.acquire(timeout=PATIENCE)
    except Timeout:
        raise EvermodelError(
            f"somebody else promotes it for {PATIENCE:g} s already ({lock.lock_file} is locked); try again"
        ) from None
    except OSError as error:
        raise _unwritable(file, error) from None
    with ours:
        _drop_torn_line(file)
        yield Ledger(file)


def read(file: Path) -> list[Entry]:
    """The decisions in a file; EvermodelError that names the first line that is not as it was written.

    A last line without an end is left out: somebody writes it right now, or died of it.
    """
    if not file.exists():
        return []
    *lines, _ = file.read_bytes().split(b"\n")
    entries: list[Entry] = []
    for number, line in enumerate(lines, start=1):
        entries.append(_checked(file, number, line, entries[-1].hash if entries else GENESIS))
    return entries


def _checked(file: Path, number: int, line: bytes, previous: str) -> Entry:
    try:
        entry = Entry.model_validate_json(line)
    except ValidationError:
        raise _edited(file, number, "is no entry") from None
    if _text(entry.written).encode() != line or entry.hash != entry.digest:
        raise _edited(file, number, "was edited")
    if (entry.number, entry.previous) != (number, previous):
        raise _edited(file, number, "does not follow the line before it")
    return entry


def _edited(file: Path, number: int, what: str) -> EvermodelError:
    return EvermodelError(
        f"{file}: line {number} {what}; the ledger is not as it was written: restore it from a copy"
    )


def _unwritable(file: Path, error: OSError) -> EvermodelError:
    return EvermodelError(
        f"{file} can't be written ({error.strerror}), and nothing was decided; free space or mend the "
        "permission, then run the same again"
    )


def _write_whole(file: Path, line: bytes) -> None:
    """Add a line to a file and to the disk; an OSError leaves the file as it was."""
    with file.open("ab", buffering=0) as stream:
        end = stream.tell()
        try:
            if stream.write(line) < len(line):  # a raw write says so, and raises nothing
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            os.fsync(stream)
        except OSError:
            stream.truncate(end)
            raise


def _drop_torn_line(file: Path) -> None:
    """Take away what a writer that was killed left of a line: nothing has been done by it yet."""
    if file.exists() and (content := file.read_bytes()) and not content.endswith(b"\n"):
        os.truncate(file, content.rfind(b"\n") + 1)


def _text(values: Mapping[str, object]) -> str:
    return json.dumps(values, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
