"""What every column of numbers must be, whatever it stands beside: `expect.ranges` is its contract."""

from typing import Any

import great_expectations as gx
import numpy as np
import pandas as pd

from evermodel.datasets.dataset import Dataset
from evermodel.formats import table_file

E = gx.expectations
LARGEST = 1.7976931348623157e308
OUTLIER = 8


def is_numeric(values: pd.Series) -> bool:
    """Whether a column is stored as numbers."""
    return pd.api.types.is_numeric_dtype(values)


def expectations(values: pd.Series, dataset: Dataset, remedy: str = "") -> list[Any]:
    """A column of numbers; where text stands among them its rows are named, and nothing else is examined.

    remedy: what can be done about text but to mend it.
    """
    column = str(values.name)
    present = E.ExpectColumnValuesToNotBeNull(column=column, description="no value is missing")
    if not is_numeric(values):
        return [no_text(values, remedy), present]
    return [present, in_range(column, dataset), *_spread(values)]


def not_all_different(column: str) -> Any:
    """The values do not count or name the rows, which would tell nothing about a new one."""
    return E.ExpectColumnProportionOfUniqueValuesToBeBetween(
        column=column,
        max_value=1,
        strict_max=True,
        description="the values are not all different, as an identifier's are (drop leaves it out)",
        severity="warning",
    )


def no_text(values: pd.Series, remedy: str = "") -> Any:
    """Every value of a column can be read as a number."""
    readable = values[table_file.numbers(values).notna()]
    return E.ExpectColumnValuesToBeInSet(
        column=str(values.name),
        value_set=readable.unique().tolist(),
        description=f"every value is a number{remedy}",
    )


def finite(column: str) -> Any:
    """No value of a numeric column is infinite."""
    return E.ExpectColumnValuesToBeBetween(
        column=column, min_value=-LARGEST, max_value=LARGEST, description="every value is finite"
    )


def in_range(column: str, dataset: Dataset) -> Any:
    """Every value lies where the data set says; without a range, anywhere."""
    if column not in dataset.expect.ranges:
        return finite(column)
    low, high = dataset.expect.ranges[column]
    return E.ExpectColumnValuesToBeBetween(
        column=column, min_value=low, max_value=high, description=f"every value lies in {low:g} to {high:g}"
    )


def no_outlier(values: pd.Series) -> Any:
    """No value is so far from the others that it may be a fault."""
    return E.ExpectColumnValueZScoresToBeLessThan(
        column=str(values.name),
        threshold=OUTLIER,
        double_sided=True,
        description=f"no value lies further than {OUTLIER} standard deviations from the mean",
        severity="warning",
    )


def _spread(values: pd.Series) -> list[Any]:
    """How the values scatter; of infinite ones, which are named already, nobody can say."""
    column = str(values.name)
    if np.isinf(values).any():
        return []
    return [
        E.ExpectColumnUniqueValueCountToBeBetween(
            column=column, min_value=2, description="the values are not all the same", severity="warning"
        ),
        no_outlier(values),
    ]
