"""What a series of daily prices must be: one row per day, in order of time."""

from typing import Any

import great_expectations as gx
import numpy as np
import pandas as pd
from great_expectations.expectations.expectation import ColumnAggregateExpectation

from evermodel.core import data
from evermodel.datasets.dataset import Dataset
from evermodel.expectations import numbers

E = gx.expectations
DATE = "date"
GAP = 7
CHANGE = 0.5


def suite(dataset: Dataset, manifest: pd.DataFrame) -> gx.ExpectationSuite:
    """Its expectations. manifest: split ("train" or "test"), date, and all other columns are prices."""
    target, fewest = dataset.target, dataset.expect.min_rows
    expectations = [
        E.ExpectTableRowCountToBeBetween(min_value=fewest, description=f"at least {fewest} days"),
        E.ExpectColumnToExist(column=target, description="the target is a column"),
    ]
    if len(manifest):
        expectations += _dates()
        for column in [column for column in manifest if column not in data.OF_SERIES]:
            expectations += [*numbers.expectations(manifest[column], dataset), *_price(manifest[column])]
    return gx.ExpectationSuite(name="series", expectations=expectations)


def days_apart(dates: pd.Series) -> pd.Series:
    """Days since the row before, (n - 1,) float64, by the date on which they end; missing dates left out."""
    known = dates.dropna()
    days = np.diff(known.to_numpy("datetime64[s]")) / np.timedelta64(1, "D")
    return pd.Series(days, known.dt.strftime("%Y-%m-%d")[1:])


def changes(prices: pd.Series, dates: pd.Series) -> pd.Series:
    """How much larger the larger of two neighbouring prices is, (n - 1,) float64, by the second one's date.

    0.5 is a price 50 % above the one before, or one that was 50 % above it: an unadjusted split of shares
    2:1 gives about 1, in whichever direction.
    """
    logarithms = np.log(prices.where(prices > 0).to_numpy(dtype=np.float64))
    return pd.Series(np.expm1(np.abs(np.diff(logarithms))), dates.dt.strftime("%Y-%m-%d")[1:])


class ExpectColumnDaysApartToBeBetween(ColumnAggregateExpectation):  # type: ignore[misc]
    """Expect a date to follow the one before by min_value days at least, and max_value at most."""

    min_value: float
    max_value: float | None = None

    def _validate(self, metrics: Any, runtime_configuration: Any = None, execution_engine: Any = None) -> Any:
        days = days_apart(execution_engine.get_domain_records({})[self.column])
        wrong = days[~days.between(self.min_value, self.max_value or np.inf)]
        found = [f"{count:g} days to {date}" for date, count in wrong.items()]
        return {"success": not found, "result": {"observed_value": _listed(found)}}


class ExpectColumnChangesToBeAtMost(ColumnAggregateExpectation):  # type: ignore[misc]
    """Expect no value to differ from the one before by more than a share of the smaller one."""

    max_value: float

    def _validate(self, metrics: Any, runtime_configuration: Any = None, execution_engine: Any = None) -> Any:
        rows = execution_engine.get_domain_records({})
        found = changes(rows[self.column], rows[DATE])
        wrong = [f"{share:.0%} on {date}" for date, share in found[found > self.max_value].items()]
        return {"success": not wrong, "result": {"observed_value": _listed(wrong)}}


def _listed(found: list[str]) -> str:
    return ", ".join(found[:3]) + (f" and {len(found) - 3} more" if found[3:] else "") or "none"


def _dates() -> list[Any]:
    return [
        E.ExpectColumnValuesToNotBeNull(column=DATE, description="no date is missing"),
        E.ExpectColumnValuesToBeUnique(column=DATE, description="no date is repeated"),
        ExpectColumnDaysApartToBeBetween(column=DATE, min_value=0, description="the dates are in order"),
        ExpectColumnDaysApartToBeBetween(
            column=DATE,
            min_value=0,
            max_value=GAP,
            description=f"no date comes more than {GAP} days after the one before",
            severity="warning",
        ),
    ]


def _price(values: pd.Series) -> list[Any]:
    """Prices are positive and don't jump; of text, which is named already, nobody can say."""
    if not numbers.is_numeric(values):
        return []
    column = str(values.name)
    return [
        E.ExpectColumnValuesToBeBetween(
            column=column, min_value=0, strict_min=True, description="every value is positive"
        ),
        ExpectColumnChangesToBeAtMost(
            column=column,
            max_value=CHANGE,
            description=f"no daily change is above {CHANGE:.0%} of the smaller value",
            severity="warning",
        ),
    ]
