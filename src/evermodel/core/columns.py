"""The columns of a table or a series: of which kind they are, and what the training rows tell of them."""

from typing import Literal

from pydantic import BaseModel, ConfigDict

Kind = Literal["number", "whole", "boolean", "category", "time", "text"]
Gaps = Literal["refuse", "fill", "category"]

MOST_CATEGORIES = 255  # that a model tells apart, the most frequent; what trees of scikit-learn take
RARE = 2  # training rows without which a category is one of those that were never seen
MOST_WORDS = 1000  # of the texts of a column
VOCABULARY = 20_000  # words of the training rows, the most frequent, that a spec of texts keeps


class Column(BaseModel):
    """One column.

    format: of dates and times that are text, as strptime has it; ISO 8601 if empty. All else is told by the
    training rows: missing: the share of gaps; low, high, mean, variance, median: of what is a number, or
    seconds of a time; span_mean, span_variance: of the seconds since the time in the column of times before
    it; categories: values that recur, and vocabulary: words of a text, both most frequent first.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    kind: Kind = "number"
    gaps: Gaps = "refuse"
    format: str = ""
    missing: float = 0.0
    low: float = 0.0
    high: float = 0.0
    mean: float = 0.0
    variance: float = 0.0
    median: float = 0.0
    span_mean: float = 0.0
    span_variance: float = 0.0
    categories: tuple[str, ...] = ()
    vocabulary: tuple[str, ...] = ()


def gaps_of(kind: Kind, declared: Gaps | None, missing: int, table: Gaps) -> Gaps:
    """What a gap means in a column.

    As declared, or else refused where no training row has one, unless the whole table's are filled; what is
    no number has a category of its own for them. missing: the training rows that have a gap.
    """
    if declared is not None:
        return declared
    if missing == 0 and table == "refuse":
        return "refuse"
    return "category" if kind in ("category", "text", "boolean") else "fill"
