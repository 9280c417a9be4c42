"""The heads of ledgers in commit messages: a witness, should somebody rewrite a ledger and MLflow's tags.

A run's commit says by a trailer of Git, one for each of its models, up to which line the ledger went:

    Evermodel-Ledger: NAME FIRST NUMBER HASH

FIRST: the beginning of the hash of line 1, by which a ledger is told from that of another registry; NUMBER
and HASH: of its last line. What that proves, and what not: docs/decisions/0031.
"""

import subprocess
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from evermodel.core import folders
from evermodel.core.errors import EvermodelError
from evermodel.publishing import ledger
from evermodel.publishing.ledger import Entry

KEY = "Evermodel-Ledger"
FIRST = 8  # digits


class Anchor(NamedTuple):
    """What a commit says of a ledger."""

    commit: str
    first: str
    number: int
    hash: str


def trailers(names: Sequence[str]) -> list[str]:
    """A line for the commit message of each ledger that says anything; EvermodelError if one was edited."""
    heads = {name: ledger.read(folders.ledger(name)) for name in names}
    return [
        f"{KEY}: {name} {lines[0].hash[:FIRST]} {lines[-1].number} {lines[-1].hash}"
        for name, lines in heads.items()
        if lines
    ]


def require(name: str, lines: Sequence[Entry], shared: bool) -> str:
    """Hold a ledger against what the commits here say of it; returns how far they vouch for it, in words.

    shared: whether it is that of a team's registry, which published commits have to name if they name any.
    Raises EvermodelError if a line is not as a commit names it.
    """
    found = list(_anchors(name))
    own = [one for one in found if lines and one.first == lines[0].hash[:FIRST]]
    for one in own:
        if [line.hash for line in lines[one.number - 1 : one.number]] != [one.hash]:
            raise EvermodelError(
                f"line {one.number} of the ledger of {name} is not the one that commit {one.commit} names; "
                "lines were rewritten or are missing: restore it from a copy"
            )
    if shared and found and not own:
        raise EvermodelError(
            f"commit {found[0].commit} names another ledger of {name} than this one; let EVERMODEL_LEDGER "
            "name the folder of that one, or, if registry and ledger were begun anew, publish a run that "
            "names this one"
        )
    most = max((one.number for one in own), default=0)
    return f"named by a commit up to line {most}" if most else "none of them named by a commit"


def _anchors(name: str) -> Iterator[Anchor]:
    """What all commits that are here say of the ledgers of an experiment, the newest first."""
    form = f"%h %(trailers:key={KEY},valueonly,separator=%x09)"
    command = ["git", "log", "--all", f"--grep=^{KEY}: {name} ", f"--format={form}"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    for line in done.stdout.splitlines():  # none outside of Git
        commit, _, values = line.partition(" ")
        for value in values.split("\t"):
            match value.split():
                case [said, first, number, head] if said == name and number.isdecimal():
                    yield Anchor(commit, first, int(number), head)
