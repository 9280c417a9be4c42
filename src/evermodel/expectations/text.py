"""What a set of texts must be, seen through its manifest: one row per text with its metadata."""

from collections.abc import Sequence
from typing import Any

import great_expectations as gx
import pandas as pd

from evermodel.core import fields
from evermodel.datasets.dataset import Dataset
from evermodel.expectations import labels, numbers

E = gx.expectations
FACTS = ("words", "unknown", "sha256")
REPEATED = 0.01
UNKNOWN = 0.1
OUTLIER = 8


def suite(dataset: Dataset, manifest: pd.DataFrame) -> gx.ExpectationSuite:
    """The expectations of texts.

    manifest: split, if the source declares one, a label or number, words (their number), unknown (the share
    of words that the vocabulary lacks) and sha256; what other columns hold is of no use to anybody.
    """
    expectations = [
        E.ExpectTableRowCountToBeBetween(
            min_value=dataset.expect.min_rows, description=f"at least {dataset.expect.min_rows} texts"
        )
    ]
    if len(manifest):
        used = {*FACTS, "split", *dataset.split.groups} - {dataset.target}
        expectations += _texts([column for column in manifest if column in used])
        expectations += _target(dataset, manifest)
    return gx.ExpectationSuite(name="text", expectations=expectations)


def _target(dataset: Dataset, manifest: pd.DataFrame) -> list[Any]:
    """A label; or a number in its range, also as text, of which all that can be asked is a set of values."""
    column, grouped = dataset.target, bool(dataset.split.groups)
    if column not in manifest or not dataset.is_number:
        return labels.expectations(manifest, column, dataset.classes, grouped, dataset.novel)
    if numbers.is_numeric(manifest[column]):
        return numbers.expectations(manifest[column], dataset)
    low, high = dataset.expect.ranges[column]
    inside = fields.numbers(manifest[column]).between(low, high)
    return [
        E.ExpectColumnValuesToBeInSet(
            column=column,
            value_set=manifest.loc[inside, column].unique().tolist(),
            description=f"every value is a number from {low:g} to {high:g}",
        )
    ]


def _texts(columns: Sequence[Any]) -> list[Any]:
    return [
        *(E.ExpectColumnValuesToNotBeNull(column=one, description="no value is missing") for one in columns),
        E.ExpectColumnValuesToBeBetween(column="words", min_value=1, description="no text is empty"),
        E.ExpectColumnValuesToBeUnique(
            column="sha256",
            mostly=1 - REPEATED,
            description=f"no text is the copy of another (up to {REPEATED:.0%} may be)",
            severity="warning",
        ),
        E.ExpectColumnMeanToBeBetween(
            column="unknown",
            max_value=UNKNOWN,
            description=f"the vocabulary lacks at most {UNKNOWN:.0%} of a text's words on average",
            severity="warning",
        ),
        E.ExpectColumnValueZScoresToBeLessThan(
            column="words",
            threshold=OUTLIER,
            double_sided=True,
            description=f"no text is longer or shorter than the mean by {OUTLIER} standard deviations",
            severity="warning",
        ),
    ]
