"""What a table must be before anything is learned from it: `expect` in params.yaml is its contract.

An expectation without a severity is critical, as it is in Great Expectations.
"""

from collections.abc import Mapping
from typing import Any

import great_expectations as gx
import pandas as pd
from great_expectations.expectations.expectation import ColumnAggregateExpectation

from evermodel.core import fields
from evermodel.core.columns import Column
from evermodel.datasets.dataset import Dataset, Declared
from evermodel.expectations import labels, numbers
from evermodel.expectations.leaks import DOUBT, LEAK, Target, determination
from evermodel.expectations.sample import Sample

E = gx.expectations
REPEATED = 0.01
DROP = " (drop leaves it out)"
KINDS = {
    "number": "finite number",
    "whole": "whole number",
    "boolean": "boolean",
    "time": "date or time",
}


def suite(
    dataset: Dataset,
    columns: Mapping[str, Column],
    manifest: pd.DataFrame,
    sample: Sample,
) -> gx.ExpectationSuite:
    """The expectations of a table, one row per example.

    columns: what is examined, by name. manifest: the sample's rows with those columns typed, and text where a
    field is none of its column's kind; the target as labels if it is a class. An absent column is named once
    and not examined further, nor is one with fields of another kind.
    """
    every = [*_structure(dataset), *_values(dataset, columns, manifest, sample)]
    return gx.ExpectationSuite(name="table", expectations=every)


def examined(dataset: Dataset, names: list[str]) -> list[str]:
    """The columns that are examined, features first, each once."""
    features = dataset.features(pd.DataFrame(columns=names))
    others = [*dataset.expect.ranges, *dataset.expect.categories, *dataset.expect.gaps]
    asked = [*(dataset.targets or [dataset.target]), *([dataset.weight] if dataset.weight else [])]
    return [name for name in dict.fromkeys([*features, *sorted(others), *asked]) if name in names]


class ExpectColumnNotToDetermineTarget(ColumnAggregateExpectation):  # type: ignore[misc]
    """Expect that no feature alone tells the target: it would be the answer among the questions."""

    target: str
    kind: Target
    limit: float

    def _validate(self, metrics: Any, runtime_configuration: Any = None, execution_engine: Any = None) -> Any:
        rows = execution_engine.get_domain_records({})
        score = determination(rows[self.column], rows[self.target], self.kind)
        return {"success": score < self.limit, "result": {"observed_value": round(score, 4)}}


def _structure(dataset: Dataset) -> list[Any]:
    """Which columns there must be, and how many rows."""
    return [
        E.ExpectTableColumnsToMatchSet(
            column_set=sorted(set().union(*dataset.named.values())),
            exact_match=False,
            description="the target and every column that params.yaml names is there",
        ),
        E.ExpectTableRowCountToBeBetween(
            min_value=dataset.expect.min_rows, description=f"at least {dataset.expect.min_rows} rows"
        ),
    ]


def _values(
    dataset: Dataset,
    columns: Mapping[str, Column],
    manifest: pd.DataFrame,
    sample: Sample,
) -> list[Any]:
    targets = list(dataset.targets) or [dataset.target]
    if manifest.empty or set(targets) - set(manifest) or len(manifest.columns) == 1:
        return []  # of a target alone, preparing says that there is nothing to learn from
    expectations: list[Any] = [
        E.ExpectCompoundColumnsToBeUnique(
            column_list=list(manifest),
            mostly=1 - REPEATED,
            description=f"no row is the copy of another (up to {REPEATED:.0%} may be)",
            severity="warning",
        )
    ]
    features = dataset.features(manifest)
    for name, column in columns.items():
        if name in targets:
            continue
        values, is_feature = manifest[name], name in features
        expectations += _column(values, column, dataset, sample, DROP if is_feature else "")
        if is_feature and not _is_odd(values, column):
            expectations += _no_identifier(values, column)
            if column.kind != "text" and name not in dataset.expect.tells_target:
                expectations += [
                    one for target in targets for one in _leak(values, manifest[target], dataset)
                ]
    if dataset.targets:
        return expectations + [
            one for name in targets for one in _column(manifest[name], columns[name], dataset, sample)
        ]
    return expectations + _target(manifest, columns[dataset.target], dataset, sample)


def _target(manifest: pd.DataFrame, column: Column, dataset: Dataset, sample: Sample) -> list[Any]:
    target = manifest[column.name]
    if column.kind not in fields.TEXTS and _is_odd(target, column):
        return _column(target, column, dataset, sample)
    expectations = []
    if numbers.is_numeric(target):
        expectations.append(
            E.ExpectColumnUniqueValueCountToBeBetween(
                column=column.name, min_value=2, description="the target takes two values or more"
            )
        )
    if dataset.is_number:
        return expectations + _column(target, column, dataset, sample)
    # What declares no split may be a feature of that name.
    seen = manifest if dataset.split.test is None else manifest[[column.name]]
    return expectations + labels.expectations(seen, column.name, dataset.classes, counts=sample.labels)


def _is_odd(values: pd.Series, column: Column) -> bool:
    """Whether there is text where there should be something else."""
    return column.kind not in fields.TEXTS and not numbers.is_numeric(values)


def _column(
    values: pd.Series, column: Column, dataset: Dataset, sample: Sample, remedy: str = ""
) -> list[Any]:
    """A column of its kind; where some fields are of another their rows are named, and no more is said."""
    of_kind = [_kind(column, dataset, sample, remedy)] if column.kind in KINDS else []
    if _is_odd(values, column):
        return of_kind
    return [*of_kind, *_gaps(values, column, dataset), *_range(column, dataset), *_spread(values, column)]


def _kind(column: Column, dataset: Dataset, sample: Sample, remedy: str) -> Any:
    """A warning where only almost all fields are of the kind, which params.yaml does not name."""
    meant = column.name in (*dataset.columns, *dataset.expect.ranges, dataset.target, *dataset.targets)
    is_doubt = not meant and sample.seen[column.name].kind in fields.TEXTS
    if is_doubt:
        remedy = f" (columns: {{{column.name}: {{kind: category}}}} says that it need not be)"
    return E.ExpectColumnValuesToBeOfType(
        column=column.name,
        type_="float",
        description=f"every value is a {KINDS[column.kind]}{remedy}",
        severity="warning" if is_doubt else "critical",
    )


def _gaps(values: pd.Series, column: Column, dataset: Dataset) -> list[Any]:
    name, share = column.name, dataset.expect.gaps.get(column.name)
    of = E.ExpectColumnValuesToNotBeNull
    if share:
        told = f"at most {share:.0%} of the values are missing"
        return [of(column=name, mostly=1 - share, description=told)]
    features = dataset.features(values.to_frame())
    declared = dataset.columns.get(name, Declared()).gaps
    if share is None and features and (declared or dataset.gaps) != "refuse":
        return []
    remedy = " (gaps: fill allows it)" if features and share is None and not declared else ""
    return [of(column=name, description=f"no value is missing{remedy}")]


def _range(column: Column, dataset: Dataset) -> list[Any]:
    if column.name in dataset.expect.categories:
        known = dataset.expect.categories[column.name]
        told = f"every value is one of {', '.join(known)}"
        return [E.ExpectColumnValuesToBeInSet(column=column.name, value_set=list(known), description=told)]
    if column.name == dataset.weight:
        told = "every value is 0 or more"
        return [E.ExpectColumnValuesToBeBetween(column=column.name, min_value=0, description=told)]
    return [numbers.in_range(column.name, dataset)] if column.name in dataset.expect.ranges else []


def _spread(values: pd.Series, column: Column) -> list[Any]:
    """How the values scatter, warnings all; a gap is a value too."""
    varied = E.ExpectColumnUniqueValueCountToBeBetween(
        column=column.name,
        min_value=1 if values.isna().any() and values.notna().any() else 2,
        description="the values are not all the same",
        severity="warning",
    )
    return [varied, *([numbers.no_outlier(values)] if column.kind in ("number", "whole") else [])]


def _no_identifier(values: pd.Series, column: Column) -> list[Any]:
    """Whole numbers, or words, that are all different count or name the rows."""
    if column.kind == "whole" or (column.kind == "text" and not values.str.contains(r"\s", na=False).any()):
        return [numbers.not_all_different(column.name)]
    return []


def _leak(values: pd.Series, target: pd.Series, dataset: Dataset) -> list[Any]:
    """Of few different numbers, which may be classes, what tells one of them; else what goes with them."""
    is_number = (
        dataset.is_number
        or bool(dataset.targets)
        or (numbers.is_numeric(target) and not labels.may_be_classes(target))
    )
    if is_number and not numbers.is_numeric(target):
        return []
    if not is_number and not labels.recur(target):
        return []  # a tree of as many leaves learns the rows by heart
    kind: Target = "number" if is_number else "class"
    doubtful = DOUBT <= determination(values, target, kind) < LEAK
    return [
        ExpectColumnNotToDetermineTarget(
            column=str(values.name),
            target=str(target.name),
            kind=kind,
            limit=DOUBT if doubtful else LEAK,
            description=f"alone it does not tell {target.name} (expect.tells_target allows it)",
            severity="warning" if doubtful else "critical",
        )
    ]
