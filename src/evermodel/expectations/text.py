"""What a set of texts must be, seen through its manifest: one row per text with its metadata."""

from collections.abc import Sequence
from typing import Any

import great_expectations as gx
import pandas as pd

from evermodel.datasets.dataset import Dataset
from evermodel.expectations import labels

E = gx.expectations
REPEATED = 0.01
UNKNOWN = 0.1
OUTLIER = 8


def suite(dataset: Dataset, manifest: pd.DataFrame) -> gx.ExpectationSuite:
    """The expectations of texts.

    manifest: split ("train" or "test"), label, words (their number), unknown (the share of words that the
        vocabulary lacks), sha256.
    """
    expectations = [
        E.ExpectTableRowCountToBeBetween(
            min_value=dataset.expect.min_rows, description=f"at least {dataset.expect.min_rows} texts"
        )
    ]
    if len(manifest):
        expectations += _texts([column for column in manifest if column != dataset.target])
        expectations += labels.expectations(manifest, dataset.target, dataset.classes)
    return gx.ExpectationSuite(name="text", expectations=expectations)


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
