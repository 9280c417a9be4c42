"""Which rows are for training, for validation and for the test: the one split."""

import hashlib
import textwrap
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from evermodel.core import fields
from evermodel.core.data import SPLITS, Array
from evermodel.core.errors import EvermodelError
from evermodel.datasets.dataset import Split

PLACES = 2**28  # that seven hexadecimal digits of an md5 tell apart


@dataclass(frozen=True)
class Facts:
    """What a split may go by, row by row: arrays of as many as there are rows, None where nobody asks.

    declared: the name of the split by the source. y: labels. group: as `groups` tells. time: seconds. part:
    the place in SPLITS that the md5 of the row's key tells, int8.
    """

    rows: int
    declared: Array | None = None
    y: Array | None = None
    group: Array | None = None
    time: Array | None = None
    part: Array | None = None


def parts(name: str, rule: Split, facts: Facts) -> Array:
    """The place in SPLITS of each row, (n,) int8; raises what `split_rows` raises."""
    if facts.part is not None:
        _require_rows(name, facts, sizes(facts.part))
        return facts.part
    part = np.empty(facts.rows, np.int8)
    for number, rows in enumerate(split_rows(name, rule, facts).values()):
        part[rows] = number
    return part


def sizes(part: Array) -> list[int]:
    """How many rows each split has; np.bincount would hold eight bytes a row. part: (n,) places in SPLITS."""
    return [int(np.count_nonzero(part == number)) for number in range(len(SPLITS))]


def split_rows(name: str, rule: Split, facts: Facts) -> dict[str, Array]:
    """The row numbers of train, validation and test.

    RandomState(seed).shuffle is NumPy's frozen generator: it gives the same order in every version, and
    with seed 113 the split that Keras' data sets are known by. Raises EvermodelError if the source declares
    no split that is asked for, if a class is too rare to be stratified, or if a split would be empty.
    """
    file, group = f"data/{name}/params.yaml", facts.group
    if group is not None:
        cut = _cut(file, rule, np.arange(group.max() + 1), None, group)
        parts = {part: np.flatnonzero(np.isin(group, groups)) for part, groups in cut.items()}
    else:
        order = np.arange(facts.rows) if facts.time is None else np.argsort(facts.time, kind="stable")
        parts = _cut(file, rule, order, facts.declared, facts.y)
    _require_rows(name, facts, [len(parts[part]) for part in SPLITS])
    return parts


def _require_rows(name: str, facts: Facts, counts: Iterable[int]) -> None:
    """Raise EvermodelError if a split has none."""
    if empty := [part for part, count in zip(SPLITS, counts, strict=True) if not count]:
        found = f"{facts.rows} rows" + ("" if facts.group is None else f" in {facts.group.max() + 1} groups")
        raise EvermodelError(
            f"data/{name}/params.yaml: split gives {empty[0]} no row, of {found}; add some, or change the "
            "shares there"
        )


def by_key(rule: Split, keys: pd.DataFrame) -> Array:
    """The place in SPLITS of each row, (n,) int8; the first of PLACES are the test's, then validation's."""
    place, test = places(rule.seed, keys), rule.test or 0
    ends = (test + (1 - test) * rule.validation, test)
    return np.asarray(sum((place < end * PLACES).astype(np.int8) for end in ends))


def places(seed: int, keys: pd.DataFrame) -> Array:
    """Where each row stands among PLACES, (n,) uint32, by the md5 of `seed|value|…` of its key's values.

    Any engine can compute it: the first seven hexadecimal digits. Values are written as in the source's text.
    Of Parquet, Excel or a database whole numbers are digits, other numbers have the fewest digits that read
    back as the same float64 (Python's repr), booleans are True and False, moments are 2024-12-31 23:59:59
    (and .ffffff if there are parts of a second), and nothing is the empty text.
    """
    begun = hashlib.md5(f"{seed}|".encode(), usedforsecurity=False)

    def digest(row: tuple[str, ...]) -> bytes:
        whole = begun.copy()  # which costs less than another beginning
        whole.update("|".join(row).encode())
        return whole.digest()[:4]

    digests = map(digest, zip(*(_written(keys[name]) for name in keys), strict=True))
    return np.frombuffer(b"".join(digests), ">u4").astype(np.uint32) >> 4


def hashes(frame: pd.DataFrame) -> Array:
    """A number for each row, (n,) uint64: equal rows have equal ones, and others only by a rare chance."""
    return np.asarray(pd.util.hash_pandas_object(frame, index=False), np.uint64)


def _written(values: pd.Series) -> "pd.Series[str]":
    return fields.texts(values).where(values.notna(), "")


def _cut(file: str, rule: Split, order: Array, declared: Array | None, y: Array | None) -> dict[str, Array]:
    """The numbers of what is cut, rows or groups of them, in each split."""
    generator = np.random.RandomState(rule.seed)
    if rule.test is None:
        rest, test = _declared(file, rule, order, declared)
        if declared is not None and (own := order[declared[order] == "validation"]).size:
            return {"train": rest, "validation": own, "test": test}
    elif rule.stratify:
        rest, test = _stratified(file, order, y, len(order) - int(len(order) * (1 - rule.test)), rule.seed)
    else:
        if rule.method == "shuffle":
            generator.shuffle(order)
        cut = int(len(order) * (1 - rule.test))
        rest, test = order[:cut], order[cut:]
    held_out = max(1, round(len(rest) * rule.validation))
    if rule.stratify:
        train, validation = _stratified(file, rest, y, held_out, rule.seed)
        return {"train": train, "validation": validation, "test": test}
    if rule.method in ("predefined", "order"):
        generator.shuffle(rest)
    return {"train": rest[:-held_out], "validation": rest[-held_out:], "test": test}


def _declared(file: str, rule: Split, order: Array, declared: Array | None) -> tuple[Array, Array]:
    """The rows to learn from, and those of the test, as the source says."""
    if declared is None:
        raise EvermodelError(
            f"{file}: split.method is {rule.method}, but the source declares no split; "
            + ("add split.test" if rule.method == "time" else "use shuffle")
        )
    if other := sorted(set(declared) - set(SPLITS)):
        raise EvermodelError(f"{file}: the source declares the split {other[0]!r}; name it train or test")
    return order[declared[order] == "train"], order[declared[order] == "test"]


def _stratified(file: str, rows: Array, y: Array | None, held_out: int, seed: int) -> list[Array]:
    """The rows without, and with, so many held out, each with its share of every class."""
    from sklearn.model_selection import train_test_split

    try:
        if y is None:
            raise ValueError("the target is no class")
        parts: list[Array] = train_test_split(rows, test_size=held_out, stratify=y[rows], random_state=seed)
    except ValueError as error:
        reason = textwrap.shorten(str(error), 120, placeholder=" …")
        raise EvermodelError(
            f"{file}: split.stratify can't give every split its share of every class ({reason}); remove it, "
            "as for a target that is a number, enlarge split.test or split.validation, or add rows"
        ) from None
    return parts


def groups(name: str, rule: Split, manifest: pd.DataFrame) -> Array | None:
    """The number of each row's group, in order of appearance; None if rows are not grouped."""
    if not rule.groups:
        return None
    if missing := [column for column in rule.groups if column not in manifest]:
        raise EvermodelError(
            f"data/{name}/params.yaml: split.groups names {missing[0]!r}; the columns are "
            f"{', '.join(map(str, manifest))}"
        )
    return numbered([members(rule, manifest)])


def members(rule: Split, rows: pd.DataFrame) -> Array:
    """By which the group of each row is known, (n,) uint64."""
    return hashes(rows[list(rule.groups)].apply(_written))


def numbered(known: list[Array]) -> Array:
    """The number of each row's group, in order of appearance, (n,) int64."""
    return np.asarray(pd.factorize(np.concatenate(known))[0], np.int64)
