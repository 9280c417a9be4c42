"""What somebody who knows the data should look at, told by the rows of a table."""

import re
from collections.abc import Iterable, Iterator
from itertools import permutations

import pandas as pd

from evermodel.adding.look import Look
from evermodel.adding.questions import CODES, EACH
from evermodel.core import fields
from evermodel.core.data import MOST_CLASSES
from evermodel.core.fields import TEXTS
from evermodel.expectations import leaks
from evermodel.formats.dates import DATES

IDENTIFIER = re.compile(r"(?:.*[\W_])?(?i:id|uuid|guid|key)|.*[a-z]I[dD]")  # a name of one
DIFFERENT = 0.95  # of the rows, from which on values do not recur
OWN_WORDS = 0.5  # of the words of a column, from which on they do not recur either
SHORT = 5  # words of a field, up to which it is a name rather than a text
GROUPS = 20  # values of an identifier that recurs, below which it is a category
COMPARED = 40  # columns that are held against each other
FEW = 500  # rows below which a score is uncertain
RARE = 0.05  # of the most frequent class's rows
EMPTY = 0.5  # of a column's fields
NAMED = 6  # columns that a sentence names


def listed(names: Iterable[str]) -> str:
    """Names in a sentence, the first of them if they are many."""
    first, rest = (found := list(names))[:NAMED], found[NAMED:]
    return ", ".join(first) + (f" and {len(rest)} more" if rest else "")


def constant(look: Look) -> list[str]:
    """Columns that say the same in every row."""
    alike = [name for name in look.names if look.frame[name].nunique() <= 1]
    return [name for name in alike if look.frame[name].isna().nunique() <= 1]


def identifiers(look: Look) -> list[str]:
    """Columns that name their row, and tell nothing about another."""
    return [name for name in look.names if _identifies(name, look.frame[name], look.kind(name))]


def names(look: Look) -> list[str]:
    """Columns of names, which have more words than so many rows can tell anything of."""
    return [name for name in look.names if look.kind(name) == "text" and _names(look.frame[name])]


def groups(look: Look) -> list[str]:
    """Columns that name what several rows are about, such as a patient."""
    return [name for name in look.names if IDENTIFIER.fullmatch(name) and _recurs(look.frame[name])]


def alone(look: Look, y: pd.Series, kind: leaks.Target, target: str) -> dict[str, float]:
    """How far each other column by itself tells the target, whose values are y."""
    others = (name for name in look.names if name != target)
    return {name: leaks.determination(look.frame[name], y, kind) for name in others}


def together(look: Look, target: pd.Series, features: Iterable[str]) -> tuple[str, ...]:
    """Columns of numbers of which the target is the sum or difference, but for little."""
    names = [name for name in features if look.kind(name) in ("number", "whole")]
    return leaks.told_together(look.frame[names], target)


def derived(look: Look, features: Iterable[str]) -> Iterator[str]:
    """Columns that others tell, value by value."""
    few = [name for name in features if 1 < look.frame[name].nunique() <= MOST_CLASSES]
    codes = {
        name: look.frame[name].fillna("" if look.kind(name) in TEXTS else -1)
        for name in few[:COMPARED]
        if look.frame[name].nunique() <= len(look.frame) / leaks.EACH
    }
    counts = {name: values.nunique() for name, values in codes.items()}
    told: set[str] = set()
    for one, other in permutations(codes, 2):
        if counts[one] < counts[other] or other in told or one in told:
            continue
        if pd.DataFrame({"one": codes[one], "other": codes[other]}).drop_duplicates()["one"].is_unique:
            told.add(other)
            same = counts[one] == counts[other]
            yield f"{one} and {other} say the same" if same else f"{other} is told by {one}"


def of_rows(look: Look) -> Iterator[str]:
    """Too few rows, and copies."""
    if look.rows < FEW:
        yield f"{look.rows} rows are few: scores will be uncertain"
    if copies := int(look.raw.duplicated().sum()):
        yield (
            f"{copies} of {len(look.raw)} rows are copies of others; if they are the same thing twice, a "
            "split by method hash keeps them on one side"
        )


def of_columns(look: Look, features: Iterable[str]) -> Iterator[str]:
    """Gaps, and dates that can be read in two ways."""
    shares = {name: look.seen[name].gaps / max(look.looked, 1) for name in features}
    if some := [f"{name} ({share:.1%})" for name, share in shares.items() if share]:
        yield f"empty fields: {listed(some)}"
    if mostly := [name for name, share in shares.items() if share > EMPTY]:
        yield f"mostly empty: {listed(mostly)}; is a gap no answer, or an answer?"
    for name in features:
        others = {form.partition(" ")[0] for form in look.seen[name].formats} & set(DATES)
        if look.kind(name) == "time" and len(others) > 1:
            yield (
                f"dates of {name} can be read in several ways; they are taken for {look.seen[name].format} "
                "(columns says so; change it there)"
            )


def of_classes(target: pd.Series) -> Iterator[str]:
    """Classes that are many, or look like amounts, or that are much rarer than others."""
    counts = target.value_counts()
    if len(target) < EACH * len(counts):
        yield (
            f"{len(counts)} classes with {len(target) / len(counts):.1f} rows each, on average, are many: "
            "most will hardly be learned, and one without training or test rows is refused"
        )
    if len(counts) > CODES and fields.numbers(target).notna().all():
        yield (
            f"the classes are {len(counts)} different numbers, of which none is nearer to one than to "
            "another; if they are amounts, give --task regression"
        )
    if rare := [f"{label} ({count} rows)" for label, count in counts.items() if count < RARE * counts.max()]:
        yield f"rare classes: {listed(rare)}; they will hardly be learned"


def _identifies(name: str, values: pd.Series, kind: str) -> bool:
    known = values.dropna()
    if len(known) < 2 or known.nunique() < DIFFERENT * len(known):
        return False
    if kind == "whole":
        consecutive = known.nunique() == len(known) == known.max() - known.min() + 1
        return bool(consecutive or IDENTIFIER.fullmatch(name))
    if kind not in TEXTS:
        return False
    words = known.str.split().explode()
    return bool(words.nunique() >= OWN_WORDS * len(words))


def _names(values: pd.Series) -> bool:
    known = values.dropna()
    words = known.str.split().explode()
    return bool(len(words) <= SHORT * len(known) and words.nunique() * leaks.EACH > len(known))


def _recurs(values: pd.Series) -> bool:
    different = values.nunique()
    return bool(GROUPS <= different <= values.notna().sum() / 2)
