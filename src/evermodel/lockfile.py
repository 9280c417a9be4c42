"""dvc.lock, while several processes of DVC write it."""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from evermodel import lanes
from evermodel.core.params import Params

LOCK = Path("dvc.lock")
ENTRY = re.compile(r"^  (\S+):\n(?:    .*\n|\n)+", re.MULTILINE)  # of one stage, in dvc.lock


@contextmanager
def in_serial_order(pipeline: Mapping[str, Any], values: Params) -> Iterator[None]:
    """Afterwards the entries of dvc.lock stand as one `dvc repro` would have put them.

    pipeline: the stages of dvc.yaml.
    """
    order = dict.fromkeys([*entries(_read()), *lanes.serial_order(pipeline, values)])
    try:
        yield
    finally:
        _write(sort_entries(_read(), order))


class Aside:
    """Entries of dvc.lock that DVC need not see while it works for others.

    After each stage it reads and writes the whole file in pure Python, which takes one and a half seconds
    where 150 stages stand in it.
    """

    def __init__(self) -> None:
        self.former = _read()

    def put(self, stages: Collection[str]) -> None:
        """Take the entries of these stages out of dvc.lock, when no DVC process is about to write it."""
        text = _read()
        self.former = completed(text, self.former)
        _write(without(text, stages))

    def put_all_but(self, names: Collection[str]) -> None:
        """Take out the entries of all lanes but these."""
        self.put([stage for stage in entries(_read()) if stage.partition("@")[2] not in names])

    def put_back(self) -> None:
        """Give back to dvc.lock what was taken out and not made anew."""
        _write(completed(_read(), self.former))


def entries(lock: str) -> list[str]:
    """The stages in the text of a dvc.lock."""
    return [entry[1] for entry in ENTRY.finditer(lock)]


def sort_entries(lock: str, order: Iterable[str]) -> str:
    """The text of a dvc.lock with its entries in that order; those that are not in it come last."""
    place = {stage: number for number, stage in enumerate(order)}
    found = sorted(ENTRY.finditer(lock), key=lambda entry: place.get(entry[1], len(place)))
    texts = iter([entry[0] for entry in found])
    return ENTRY.sub(lambda _: next(texts), lock)


def without(lock: str, stages: Collection[str]) -> str:
    """The text of a dvc.lock without the entries of those stages; no text if none is left."""
    if set(entries(lock)) <= set(stages):
        return ""
    return ENTRY.sub(lambda entry: "" if entry[1] in stages else entry[0], lock)


def completed(lock: str, former: str) -> str:
    """The text of a dvc.lock with the entries that only a former one has, at their end."""
    found = list(ENTRY.finditer(lock))
    if not found:
        return former
    there, end = {entry[1] for entry in found}, found[-1].end()
    lost = [entry[0] for entry in ENTRY.finditer(former) if entry[1] not in there]
    return lock[:end] + "".join(lost) + lock[end:]


def _read() -> str:
    return LOCK.read_text(encoding="utf-8") if LOCK.exists() else ""


def _write(text: str) -> None:
    if text == _read():
        return
    if not text:  # DVC refuses a file without entries
        LOCK.unlink()
        return
    partial = LOCK.with_name("dvc.lock.partial")
    partial.write_text(text, encoding="utf-8")
    partial.replace(LOCK)
