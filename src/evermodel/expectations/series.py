"""What the steps of one series, or of several, must be: each at its time, with a number in every column."""

from typing import Any

import great_expectations as gx
import numpy as np
import pandas as pd
from great_expectations.expectations.expectation import ColumnAggregateExpectation

from evermodel.core import data
from evermodel.datasets.dataset import Dataset
from evermodel.expectations import numbers
from evermodel.formats import dates as written
from evermodel.formats import steps

E = gx.expectations
DATE, SERIES = "date", "series"
LONG = 7  # steps without a row, where rows come when they like
CHANGE = 0.5
MOMENT = 1e-9  # of a step


def suite(dataset: Dataset, manifest: pd.DataFrame) -> gx.ExpectationSuite:
    """Their expectations. manifest: date and, if there are several, series, each in order of time; split if
    the source declares one; and all other columns, of numbers unless they are dropped.
    """
    target, fewest = dataset.target, dataset.expect.min_rows
    expectations = [
        E.ExpectTableRowCountToBeBetween(min_value=fewest, description=f"at least {fewest} steps"),
        E.ExpectColumnToExist(column=target, description="the target is a column"),
    ]
    if len(manifest):
        expectations += _dates(dataset, manifest)
        for column in [one for one in manifest if one not in (*data.OF_SERIES, *dataset.drop)]:
            expectations += [*_numbers(manifest[column], dataset), *_jumps(manifest[column], dataset)]
    return gx.ExpectationSuite(name="series", expectations=expectations)


def apart(rows: pd.DataFrame, every: str) -> pd.Series:
    """How many steps each row comes after the one before of its series, float64, by its date and series."""
    dated = rows[rows[DATE].notna()]
    series = dated[SERIES] if SERIES in rows else pd.Series("", dated.index)
    places = pd.Series(steps.numbers(dated[DATE].to_numpy(), every), dated.index)
    found: pd.Series = places.groupby(series, sort=False).diff()
    return found.set_axis(_named(dated[DATE], series))[found.notna().to_numpy()]


def changes(rows: pd.DataFrame, column: str) -> pd.Series:
    """How much larger the larger of two neighbouring values is, float64, by the second one's date and series.

    0.5 is a value 50 % above the one before, or one that was 50 % above it: an unadjusted split of shares
    2:1 gives about 1, in whichever direction.
    """
    series = rows[SERIES] if SERIES in rows else pd.Series("", rows.index)
    logarithms = rows[column].astype(np.float64).where(rows[column] > 0).map(np.log)
    found = logarithms.groupby(series, sort=False).diff().abs().map(np.expm1)
    return found.set_axis(_named(rows[DATE], series))


class ExpectColumnStepsApartToBeBetween(ColumnAggregateExpectation):  # type: ignore[misc]
    """Expect a date to follow the one before by min_value steps at least, and max_value at most."""

    every: str
    min_value: float
    max_value: float | None = None

    def _validate(self, metrics: Any, runtime_configuration: Any = None, execution_engine: Any = None) -> Any:
        found = apart(execution_engine.get_domain_records({}), self.every)
        wrong = found[~found.between(self.min_value, self.max_value or np.inf)]
        return _result([f"{count:g} steps of {self.every} to {date}" for date, count in wrong.items()])


class ExpectColumnChangesToBeAtMost(ColumnAggregateExpectation):  # type: ignore[misc]
    """Expect no value to differ from the one before by more than a share of the smaller one."""

    max_value: float

    def _validate(self, metrics: Any, runtime_configuration: Any = None, execution_engine: Any = None) -> Any:
        found = changes(execution_engine.get_domain_records({}), self.column)
        wrong = found[found > self.max_value]
        return _result([f"{share:.0%} on {date}" for date, share in wrong.items()])


def _named(dates: pd.Series, series: pd.Series) -> list[str]:
    """Each row as a finding shows it."""
    keys = series.astype(str).map(lambda key: f" of {key}" if key else "")
    return list(dates.map(written.told, na_action="ignore").astype(str) + keys)


def _result(wrong: list[str]) -> dict[str, Any]:
    shown = ", ".join(wrong[:3]) + (f" and {len(wrong) - 3} more" if wrong[3:] else "")
    return {"success": not wrong, "result": {"observed_value": shown or "none"}}


def _dates(dataset: Dataset, manifest: pd.DataFrame) -> list[Any]:
    present = E.ExpectColumnValuesToNotBeNull(column=DATE, description="no date is missing")
    known = manifest[manifest[DATE].notna()]
    series = known[SERIES] if SERIES in known else pd.Series("", known.index)
    if not (every := steps.step(known[DATE].to_numpy(), series.to_numpy())):
        return [present]
    if dataset.step == "rows":
        low, high, wanted = (
            MOMENT,
            LONG,
            f"no row comes more than {LONG} steps of {every} after the one before",
        )
    else:
        low, high, wanted = 1, 1, f"every row comes {every} after the one before"
    told = "critical" if dataset.step == "time" and dataset.gaps == "refuse" else "warning"
    return [
        present,
        ExpectColumnStepsApartToBeBetween(
            column=DATE, every=every, min_value=MOMENT, description="the dates go on, and none is repeated"
        ),
        ExpectColumnStepsApartToBeBetween(
            column=DATE, every=every, min_value=low, max_value=high, description=wanted, severity=told
        ),
    ]


def _numbers(values: pd.Series, dataset: Dataset) -> list[Any]:
    """As every column of numbers; where gaps are filled, it may have the share that `expect.gaps` allows."""
    remedy = " (drop leaves the column out)"
    every, present = [], E.ExpectColumnValuesToNotBeNull
    for one in numbers.expectations(values, dataset, remedy):
        if isinstance(one, present) and dataset.gaps != "refuse":
            share = dataset.expect.gaps.get(str(values.name))
            every += (
                []
                if share is None
                else [
                    present(
                        column=one.column, mostly=1 - share, description=f"at most {share:.0%} is missing"
                    )
                ]
            )
        else:
            every.append(one)
    return every


def _jumps(values: pd.Series, dataset: Dataset) -> list[Any]:
    """Of what the data set says to be above 0, such as a price; of text nobody can say."""
    column = str(values.name)
    low, _ = dataset.expect.ranges.get(column, (0, 0))
    if low <= 0 or not numbers.is_numeric(values):
        return []
    return [
        ExpectColumnChangesToBeAtMost(
            column=column,
            max_value=CHANGE,
            description=f"no change from one step to the next is above {CHANGE:.0%} of the smaller value",
            severity="warning",
        )
    ]
