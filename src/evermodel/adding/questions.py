"""What can be asked about a column: which task predicts it."""

import pandas as pd

from evermodel.adding.look import Look
from evermodel.core import fields
from evermodel.core.data import MOST_CLASSES
from evermodel.core.errors import EvermodelError

CODES = 10  # different whole numbers, of which a column may be the codes of classes
EACH = 5  # rows of a class, on average
TABLES = ("binary", "classification", "regression", "forecasting")
LABELLED = ("binary", "classification")


def require(task: str | None, tasks: tuple[str, ...], what: str) -> None:
    """Raise EvermodelError if a task is asked for that is none of them."""
    if task and task not in tasks:
        raise EvermodelError(
            f"--task is {task!r}, which `add` does not write for {what}; give one of {', '.join(tasks)}, and "
            "edit what it wrote (docs/data.md)"
        )


def task_of(look: Look, target: str, wanted: str | None) -> str:
    """The task that predicts a column of a table; wanted: if somebody says so.

    Raises EvermodelError if the column has gaps, or can't be predicted, also not as is wanted.
    """
    require(wanted, TABLES, "a table")
    require_filled(look, target)
    kind, different = look.kind(target), look.frame[target].nunique()
    if different < 2:
        raise EvermodelError(f"the target {target} says the same in every row; give another --target")
    numeric = kind in ("number", "whole")
    if wanted in ("regression", "forecasting") and not numeric:
        raise EvermodelError(f"the target {target} is no number (kind {kind}), as --task {wanted} needs")
    if wanted == "binary" and different != 2:
        raise EvermodelError(
            f"the target {target} has {different} values, not two; give --task classification"
        )
    if wanted in LABELLED:
        _require_classes(target, labels(look, target))
    if wanted:
        return wanted
    if numeric and (kind == "number" or different > CODES or different > look.looked / EACH):
        return "regression"
    if kind == "time" or (not numeric and different > min(MOST_CLASSES, look.looked / EACH)):
        raise EvermodelError(
            f"the target {target} (kind {kind}) has {different} values in {look.looked} rows, which are no "
            f"classes; give another --target of {', '.join(name for name in look.names if name != target)}"
        )
    return "binary" if different == 2 else "classification"


def _require_classes(target: str, labels: pd.Series) -> None:
    different = labels.nunique()
    if different > min(MOST_CLASSES, len(labels) / 2):  # then most could not be learned and tested
        raise EvermodelError(
            f"the target {target} has {different} different values in {len(labels)} rows, which are no "
            "classes; leave --task out, or give another --target"
        )


def require_filled(look: Look, target: str) -> None:
    """Raise EvermodelError if a target has gaps."""
    if gaps := look.seen[target].gaps:
        rows = look.raw.index[fields.is_gap(look.raw[target])]
        first = f" (first row {rows[0] + 1})" if len(rows) else ""
        raise EvermodelError(
            f"the target {target} is empty in {gaps} of {look.looked} rows{first}; leave these rows out of "
            "the file, since nothing can be learned from them"
        )


def labels(look: Look, target: str) -> pd.Series:
    """The values of a target as classes are named."""
    return fields.texts(look.raw[target])
