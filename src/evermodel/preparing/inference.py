"""Of which kind the columns of a table are, told by their fields."""

from collections import Counter
from collections.abc import Iterable, Mapping

import pandas as pd

from evermodel.core import fields
from evermodel.core.columns import Kind
from evermodel.formats import dates

MOST_DIFFERENT = 1000  # values of a column that are counted; a text that has more is no category


class Seen:
    """What the fields of one column have shown so far.

    rows, gaps, words: how many. values: how often each different one occurs, as text; None if there are more
    than are counted.
    """

    def __init__(self, decimal: str = ".", thousands: str = "") -> None:
        self.decimal, self.thousands = decimal, thousands
        self.rows = self.gaps = self.words = 0
        self.kinds = {"boolean", "whole", "number"}
        self.formats = list(dates.FORMATS)
        self.values: Counter[str] | None = Counter()

    def add(self, values: pd.Series) -> None:
        """Take notice of some more fields."""
        gaps = fields.is_gap(values)
        self.rows, self.gaps = self.rows + len(values), self.gaps + int(gaps.sum())
        known = values[~gaps] if gaps.any() else values
        if known.empty:
            return
        self.words += _words(known)
        for some in (known.iloc[:100], known):  # the first ones leave few kinds to be tried on all
            if self.kinds or self.formats:
                self._narrow(some)
        if self.formats:
            self.formats = dates.fitting(known, self.formats)
        if self.values is not None:
            self._count(known)

    def merge(self, other: "Seen") -> None:
        """Take notice of what other fields of the column have shown."""
        self.rows, self.gaps, self.words = (
            mine + others
            for mine, others in zip(
                (self.rows, self.gaps, self.words), (other.rows, other.gaps, other.words), strict=True
            )
        )
        self.kinds &= other.kinds
        self.formats = [form for form in self.formats if form in other.formats]
        if self.values is not None and other.values is not None:
            self.values = _few(self.values + other.values)
        else:
            self.values = None

    @property
    def kind(self) -> Kind:
        """The narrowest kind that all fields are of."""
        for kind in ("boolean", "whole", "number"):
            if kind in self.kinds and self.gaps < self.rows:
                return kind
        if self.formats and self.gaps < self.rows:
            return "time"
        filled = self.rows - self.gaps
        recurs = self.values is not None and (len(self.values) <= filled / 2 or len(self.values) <= 20)
        # Many words are somebody's sentence, also where it recurs.
        return "category" if recurs and self.words <= 5 * max(filled, 1) else "text"

    @property
    def format(self) -> str:
        """How dates and times are written; empty for ISO 8601, and for all other kinds."""
        return self.formats[0] if self.kind == "time" else ""

    def _narrow(self, known: pd.Series) -> None:
        if known.dtype.kind == "M":
            self.kinds = set()
            return
        numbers = fields.numbers(known, self.decimal, self.thousands)
        if known.dtype.kind != "b" and fields.booleans(known, fields.TRUTH).isna().any():
            self.kinds.discard("boolean")
        # An infinite value is a fault of a number's, but text is none.
        if known.dtype.kind == "b" or (known.dtype.kind != "f" and numbers.isna().any()):
            self.kinds -= {"whole", "number"}
        if (numbers % 1 != 0).any():
            self.kinds.discard("whole")
        if numbers.notna().any():  # is none of a date, whatever pandas reads into it, wherever it stands
            self.formats = []

    def _count(self, known: pd.Series) -> None:
        assert self.values is not None, "as long as they are counted"
        counts = known.value_counts(sort=False)
        if len(counts) <= MOST_DIFFERENT:
            texts = fields.texts(counts.index.to_series())
            for text, count in zip(texts, counts, strict=True):
                self.values[text.strip()] += count
        self.values = _few(self.values) if len(counts) <= MOST_DIFFERENT else None


def _few(values: Counter[str]) -> Counter[str] | None:
    return values if len(values) <= MOST_DIFFERENT else None


def _words(known: pd.Series) -> int:
    """How many words the fields have; of texts each different one is read once."""
    if known.dtype.kind in "biufM":
        return len(known)
    counts = known.value_counts(sort=False)
    texts = fields.texts(counts.index.to_series())
    return sum(count * len(text.split()) for text, count in zip(texts, counts.tolist(), strict=True))


def infer(pieces: Iterable[pd.DataFrame], *, decimal: str = ".", thousands: str = "") -> dict[str, Seen]:
    """What the columns of a table have shown, by their names, after all its pieces."""
    seen: dict[str, Seen] = {}
    for piece in pieces:
        for name in piece:
            seen.setdefault(str(name), Seen(decimal, thousands)).add(piece[name])
    return seen


def merge(seen: dict[str, Seen], others: Mapping[str, Seen]) -> None:
    """Take notice of what the columns have shown elsewhere in the table."""
    for name, one in others.items():
        if name in seen:
            seen[name].merge(one)
        else:
            seen[name] = one
