"""What params.yaml says twice, or against itself or another, as far as it can be seen without data."""

from collections import Counter
from collections.abc import Iterator
from itertools import combinations

from evermodel.core import catalog
from evermodel.core.errors import EvermodelError
from evermodel.datasets.dataset import Dataset

NUMBERS = ("number", "whole")
TABLES = ("table", "series", "texts")  # readers whose columns have the names of the file's


def require_none(file: str, dataset: Dataset) -> None:
    """Raise an EvermodelError that names the keys of the first contradiction; file: the params.yaml."""
    if told := next(_contradictions(dataset), None):
        raise EvermodelError(f"{file}: {told}")


def require_predictable(where: str, task: str, dataset: Dataset) -> None:
    """Raise an EvermodelError if a data set is declared to have what the task does not predict.

    where: the file of the experiment.
    """
    target, file = catalog.target(task), f"data/{dataset.name}/params.yaml"
    if target == "class" and dataset.is_number:
        wrong = (
            f"needs classes, but expect.ranges in {file} makes {dataset.target} a number; remove its range"
        )
    elif target == "number" and dataset.classes:
        wrong = f"predicts a number, but {file} names classes; remove classes there"
    elif target in ("class", "number") and dataset.targets:
        wrong = f"predicts one target, but {file} has several targets; remove targets there"
    elif target in ("labels", "numbers") and not dataset.targets:
        wrong = f"predicts several {target}, but {file} has no targets; add them there"
    elif target == "labels" and (other := [n for n, ends in dataset.targets.items() if ends != (0, 1)]):
        wrong = f"predicts labels, but the range of {other[0]} in {file} is not [0, 1]; make it so"
    else:
        return
    raise EvermodelError(f"{where}: task {task} {wrong}, or choose another task")


def _contradictions(dataset: Dataset) -> Iterator[str]:
    named = _named(dataset)
    for key, names in named.items():
        if twice := [name for name, count in Counter(names).items() if count > 1]:
            yield f"{key} has {twice[0]} twice; remove one"
    # Each of these says what becomes of a column; the target may also be what rows are grouped by.
    for one, other in combinations(("target", "targets", "weight", "drop", "columns"), 2):
        if both := [name for name in named[one] if name in named[other]]:
            yield f"{other} has {both[0]}, as {one} has; remove it from one of them"
    yield from _of_columns(dataset)
    yield from _unknown(dataset, named)


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


def _unknown(dataset: Dataset, named: dict[str, tuple[str, ...]]) -> Iterator[str]:
    """Names that none of the columns have, where each edition names its columns."""
    lists = [edition.options.get("columns") for edition in dataset.source.editions]
    if dataset.source.reader not in TABLES or not all(lists):
        return
    for number, known in enumerate(lists):
        columns = {str(name) for name in known or ()} | {"split"}
        for key, names in named.items():
            if missing := [name for name in names if name not in columns]:
                others = ", ".join(map(str, known or ()))
                where = f"source.editions.{number}.options.columns"
                yield f"{key} has {missing[0]}, which is none of {where}: {others}; correct one of them"


def _named(dataset: Dataset) -> dict[str, tuple[str, ...]]:
    """The columns that each key names."""
    rule, expect = dataset.split, dataset.expect
    return {
        "target": () if dataset.targets else (dataset.target,),
        "targets": tuple(dataset.targets),
        "drop": dataset.drop,
        "columns": tuple(dataset.columns),
        "weight": (dataset.weight,) if dataset.weight else (),
        "split.groups": rule.groups,
        "split.key": rule.key,
        "split.time": (rule.time,) if rule.time else (),
        "expect.ranges": tuple(expect.ranges),
        "expect.categories": tuple(expect.categories),
        "expect.gaps": tuple(expect.gaps),
        "expect.tells_target": expect.tells_target,
    }
