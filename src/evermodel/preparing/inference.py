"""Of which kind the columns of a table are, told by their fields."""

from collections import Counter
from collections.abc import Iterable

import pandas as pd

from evermodel.core import fields
from evermodel.core.columns import Kind
from evermodel.formats import dates

MOST_DIFFERENT = 1000  # values of a column that are counted; a text that has more is no category


class Seen:
    """What the fields of one column have shown so far; None stands for more than are counted."""

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
        known = values[~gaps]
        if known.empty:
            return
        numbers = fields.numbers(known, self.decimal, self.thousands)
        if known.dtype.kind != "b" and fields.booleans(known, fields.TRUTH).isna().any():
            self.kinds.discard("boolean")
        if known.dtype.kind == "b" or numbers.isna().any():
            self.kinds -= {"whole", "number"}
        if (numbers % 1 != 0).any():
            self.kinds.discard("whole")
        # A number is none of a date, whatever pandas reads into it.
        self.formats = dates.fitting(known, self.formats)
        self._count(known)

    @property
    def kind(self) -> Kind:
        """The narrowest kind that all fields are of."""
        narrow: tuple[Kind, ...] = ("boolean", "whole", "number")
        for kind in narrow:
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

    def _count(self, known: pd.Series) -> None:
        texts = fields.texts(known).str.strip()
        self.words += int(texts.str.count(r"\S+").sum())
        if self.values is None:
            return
        self.values.update(map(str, texts))
        if len(self.values) > MOST_DIFFERENT:
            self.values = None


def infer(pieces: Iterable[pd.DataFrame], *, decimal: str = ".", thousands: str = "") -> dict[str, Seen]:
    """What the columns of a table have shown, by their names, after all its pieces."""
    seen: dict[str, Seen] = {}
    for piece in pieces:
        for name in piece:
            seen.setdefault(str(name), Seen(decimal, thousands)).add(piece[name])
    return seen
