"""What every label must be, whatever carries it: the suites of tables, images and texts share this."""

from collections.abc import Sequence
from typing import Any

import great_expectations as gx
import pandas as pd
from great_expectations.expectations.row_conditions import Column

from evermodel.expectations import numbers
from evermodel.formats import table_file

E = gx.expectations
RARE = 1 / 20
MOST = 1 / 2
FEW = 20  # different numbers, which may well be classes
EACH = 5  # rows of a class, on average


def expectations(
    manifest: pd.DataFrame,
    column: str,
    classes: Sequence[str],
    grouped: bool = False,
    novel: Sequence[str] = (),
    counts: "pd.Series[int] | None" = None,
) -> list[Any]:
    """The expectations of a label column: text names a class; numbers without `classes` may be either.

    manifest: one row per example; if it has a column `split`, every class must stand in train and in test.
    classes: the names that the data set gives; where it gives none, the classes are the labels that occur.
    grouped: whether the split keeps groups together; then classes, such as people, may be rare and new.
    novel: the classes that no training row has. counts: how often each label occurs, if the manifest does not
    hold all rows.
    """
    if column not in manifest:
        return [E.ExpectColumnToExist(column=column, description="the target is a column")]
    labels = manifest[column]
    present = E.ExpectColumnValuesToNotBeNull(column=column, description="no value is missing")
    if numbers.is_numeric(labels):
        # A class or a number: the task says which, and asks for enough rows of each class before it trains.
        return [present, numbers.finite(column), *(_balanced(labels)[1:] if may_be_classes(labels) else ())]
    if not classes and meant_as_numbers(labels):
        return [numbers.no_text(labels)]
    known = list(classes) or sorted(labels.dropna().unique().tolist())
    seen = [label for label in known if label not in novel]
    splits = {"train": seen, "test": known} if "split" in manifest and not grouped else {}
    return [
        present,
        _written(column),
        *(_named(column, known) if classes else ()),
        *(_everywhere(column, labels, split) for split, labels in splits.items()),
        E.ExpectColumnUniqueValueCountToBeBetween(
            column=column, min_value=2, description="there are two classes or more"
        ),
        *(() if grouped else _balanced(labels, counts)),
    ]


def recur(values: pd.Series) -> bool:
    """Whether values are frequent enough to be those of classes."""
    return bool(values.nunique() <= len(values) / EACH)


def may_be_classes(values: pd.Series) -> bool:
    """Whether numbers are few enough, and frequent enough, to be the codes of classes."""
    return values.nunique() <= FEW and recur(values)


def meant_as_numbers(labels: pd.Series) -> bool:
    """Whether text is mostly numbers, too many of them for classes: then the rest is a fault."""
    return not recur(labels) and bool(table_file.numbers(labels).notna().mean() > MOST)


def _written(column: str) -> Any:
    """A missing label of a text column is an empty text, which would pass as a class of its own."""
    return E.ExpectColumnValuesToNotMatchRegex(column=column, regex=r"^\s*$", description="no label is empty")


def _named(column: str, known: list[Any]) -> list[Any]:
    names = ", ".join(map(str, known))
    return [
        E.ExpectColumnValuesToBeInSet(
            column=column, value_set=known, description=f"every label is one of {names}"
        ),
        E.ExpectColumnDistinctValuesToContainSet(
            column=column, value_set=known, description="every class occurs"
        ),
    ]


def _everywhere(column: str, known: list[Any], split: str) -> Any:
    return E.ExpectColumnDistinctValuesToContainSet(
        column=column,
        value_set=known,
        row_condition=Column("split") == split,
        description=f"every class occurs in {split}",
    )


def _balanced(labels: pd.Series, counts: "pd.Series[int] | None" = None) -> list[Any]:
    """Sets of labels that are frequent enough, so that a report names the rows of those that are not."""
    counts = labels.value_counts() if counts is None else counts
    return [
        E.ExpectColumnValuesToBeInSet(
            column=str(labels.name),
            value_set=counts.index[counts >= 2].tolist(),
            description="every class occurs at least twice",
        ),
        E.ExpectColumnValuesToBeInSet(
            column=str(labels.name),
            value_set=counts.index[counts >= RARE * counts.max()].tolist(),
            description=f"every class has at least {RARE:.0%} of the rows of the most frequent one",
            severity="warning",
        ),
    ]
