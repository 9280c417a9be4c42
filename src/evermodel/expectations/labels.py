"""What every label must be, whatever carries it: the suites of tables, images and texts share this."""

from collections.abc import Sequence
from typing import Any

import great_expectations as gx
import pandas as pd
from great_expectations.expectations.row_conditions import Column

from evermodel.expectations import numbers

E = gx.expectations
RARE = 1 / 20


def expectations(
    manifest: pd.DataFrame,
    column: str,
    classes: Sequence[str],
    grouped: bool = False,
    novel: Sequence[str] = (),
) -> list[Any]:
    """The expectations of a label column: floats are numbers to predict, anything else names a class.

    manifest: one row per example; if it has a column `split`, every class must stand in train and in test.
    classes: the names that the data set gives, for labels that are those names or their numbers 0..k-1;
        where it gives none, the classes are the labels that occur.
    grouped: whether the split keeps groups together; then classes, such as people, may be rare and new.
    novel: the classes that no training row has.
    """
    if column not in manifest:
        return [E.ExpectColumnToExist(column=column, description="the target is a column")]
    labels = manifest[column]
    present = E.ExpectColumnValuesToNotBeNull(column=column, description="no value is missing")
    if labels.dtype.kind == "f" and not classes:
        return [present, numbers.finite(column)]
    known = _known(labels, classes)
    seen = [label for label in known if label not in novel]
    splits = {"train": seen, "test": known} if "split" in manifest and not grouped else {}
    return [
        present,
        *_written(labels),
        *(_named(column, known) if classes else ()),
        *(_everywhere(column, labels, split) for split, labels in splits.items()),
        E.ExpectColumnUniqueValueCountToBeBetween(
            column=column, min_value=2, description="there are two classes or more"
        ),
        *(() if grouped else _balanced(labels)),
    ]


def _written(labels: pd.Series) -> list[Any]:
    """A missing label of a text column is an empty text, which would pass as a class of its own."""
    if pd.api.types.is_numeric_dtype(labels):
        return []
    return [
        E.ExpectColumnValuesToNotMatchRegex(
            column=str(labels.name), regex=r"^\s*$", description="no label is empty"
        )
    ]


def _known(labels: pd.Series, classes: Sequence[str]) -> list[Any]:
    if not classes:
        return sorted(labels.dropna().unique().tolist())
    return list(range(len(classes)) if pd.api.types.is_numeric_dtype(labels) else classes)


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


def _balanced(labels: pd.Series) -> list[Any]:
    """Sets of labels that are frequent enough, so that a report names the rows of those that are not."""
    counts = labels.value_counts()
    return [
        E.ExpectColumnValuesToBeInSet(
            column=str(labels.name),
            value_set=counts.index[counts >= 2].tolist(),
            description="every class occurs at least twice (give a number to predict its expect.ranges)",
        ),
        E.ExpectColumnValuesToBeInSet(
            column=str(labels.name),
            value_set=counts.index[counts >= RARE * counts.max()].tolist(),
            description=f"every class has at least {RARE:.0%} of the rows of the most frequent one",
            severity="warning",
        ),
    ]
