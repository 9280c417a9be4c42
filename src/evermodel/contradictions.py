"""What the params.yaml of a data set says twice or against itself, as far as it can be seen without data."""

from collections import Counter
from collections.abc import Iterator
from functools import reduce
from itertools import combinations

from evermodel.core import catalog
from evermodel.core.errors import EvermodelError
from evermodel.core.section import Section
from evermodel.datasets.dataset import Dataset

NUMBERS = ("number", "whole")
TABLES = ("table", "series", "texts")  # readers whose columns have the names of the file's
# The kinds of data that a key is for: with others it would have no effect.
KINDS = {
    **dict.fromkeys(("window", "horizon", "season", "step"), ("series",)),
    **dict.fromkeys(("weight", "columns", "split.key", "split.time", "split.group_features"), ("table",)),
    **dict.fromkeys(("expect.categories", "expect.tells_target"), ("table",)),
    **dict.fromkeys(("drop", "gaps", "expect.gaps"), ("table", "series")),
    "expect.shape": ("images",),
}


def require_none(file: str, dataset: Dataset) -> None:
    """Raise an EvermodelError that names the keys of the first contradiction; file: the params.yaml."""
    if told := next(_contradictions(dataset), None):
        raise EvermodelError(f"{file}: {told}")


def _contradictions(dataset: Dataset) -> Iterator[str]:
    named = dataset.named
    for key, names in named.items():
        if twice := [name for name, count in Counter(names).items() if count > 1]:
            yield f"{key} has {twice[0]} twice; remove one"
    # Each of these says what becomes of a column; the target may also be what rows are grouped by.
    for one, other in combinations(("target", "targets", "weight", "drop", "columns"), 2):
        if both := [name for name in named[one] if name in named[other]]:
            yield f"{other} has {both[0]}, as {one} has; remove it from one of them"
    yield from _of_another_kind(dataset)
    yield from _of_columns(dataset)
    yield from _unknown(dataset)


def _of_another_kind(dataset: Dataset) -> Iterator[str]:
    """What is said of another kind of data than the reader gives."""
    reader = dataset.source.reader
    kind, method, gaps = catalog.kind(reader), dataset.split.method, dataset.gaps
    for key, kinds in KINDS.items():
        *above, last = key.split(".")
        section: Section = reduce(getattr, above, dataset)
        if kind not in kinds and getattr(section, last) != type(section).model_fields[last].default:
            yield f"{key} is for {' or '.join(kinds)}, but the reader {reader} gives {kind}; remove it"
    if kind == "table" and gaps in ("forward", "interpolate"):
        yield f"gaps is {gaps}, which is for series; make it refuse or fill"
    if kind != "table" and method == "hash":
        yield f"split.method is hash, which is for a table, but the reader {reader} gives {kind}; use shuffle"


def _of_columns(dataset: Dataset) -> Iterator[str]:
    """What does not go with the kind that a column is declared to be."""
    for name, declared in dataset.columns.items():
        kind = declared.kind
        if declared.format and kind != "time":
            yield f"columns.{name} has a format, which only times have; add kind: time, or remove it"
        if kind in (*NUMBERS, "time") and declared.gaps == "category":
            yield f"columns.{name}.gaps is category, but a gap in a {kind} can be refused or filled"
        if kind and kind not in NUMBERS and name in dataset.expect.ranges:
            yield f"expect.ranges has {name}, which is no number but of kind {kind}; remove one"
        if kind and kind != "category" and name in dataset.expect.categories:
            yield f"expect.categories has {name}, which is of kind {kind}; remove one"
        if declared.gaps == "refuse" and dataset.expect.gaps.get(name):
            yield f"expect.gaps allows gaps in {name}, but columns.{name}.gaps refuses them; remove one"
    if both := [name for name in dataset.expect.ranges if name in dataset.expect.categories]:
        yield f"expect has {both[0]} in ranges and in categories; remove one"


def _unknown(dataset: Dataset) -> Iterator[str]:
    """Names that none of the columns have, where each edition names its columns."""
    lists = [edition.options.get("columns") for edition in dataset.source.editions]
    if dataset.source.reader not in TABLES or not all(isinstance(one, list) and one for one in lists):
        return
    for number, known in enumerate(lists):
        columns = {str(name) for name in known or ()} | {"split"}
        for key, names in dataset.named.items():
            if missing := [name for name in names if name not in columns]:
                others = ", ".join(map(str, known or ()))
                where = f"source.editions.{number}.options.columns"
                yield f"{key} has {missing[0]}, which is none of {where}: {others}; correct one of them"
