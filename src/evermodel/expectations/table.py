"""What a table must be before anything is learned from it: `expect.ranges` is its contract.

An expectation without a severity is critical, as it is in Great Expectations.
"""

from typing import Any, Literal

import great_expectations as gx
import numpy as np
import pandas as pd
from great_expectations.expectations.expectation import ColumnAggregateExpectation
from sklearn.tree import DecisionTreeClassifier

from evermodel.core import data
from evermodel.datasets.dataset import Dataset
from evermodel.expectations import labels, numbers

E = gx.expectations
REPEATED = 0.01
LEAK = 0.99
DROP = " (drop leaves it out)"

Target = Literal["number", "class"]


def suite(dataset: Dataset, manifest: pd.DataFrame) -> gx.ExpectationSuite:
    """The expectations of a table, one row per example.

    manifest: columns of numbers as numbers, labels that are classes as text. Every column that is asked for
    an answer is a numeric feature. An absent column is named once and not examined further.
    """
    return gx.ExpectationSuite(
        name="table", expectations=[*_structure(dataset, manifest), *_values(dataset, manifest)]
    )


def determination(feature: pd.Series, target: pd.Series, kind: Target) -> float:
    """How far one feature alone tells the target, from 0 to 1; rows with a missing value are left out.

    Of a number the absolute rank correlation (Spearman 1904). Of k classes the balanced accuracy of a
    decision tree with k leaves: enough for a copy of the label in any order of its values, too few to
    learn the rows by heart.
    """
    rows = np.isfinite(feature) & target.notna()
    feature, target = feature[rows], target[rows]
    if feature.nunique() < 2 or target.nunique() < 2:
        return 0.0
    if kind == "number":
        return float(abs(feature.corr(target, method="spearman")))
    if (classes := target.nunique()) > data.MOST_CLASSES:
        return 0.0
    x = feature.to_frame()
    target = pd.Series(pd.factorize(target)[0], target.index)  # also numbers are names here
    tree = DecisionTreeClassifier(max_leaf_nodes=classes, class_weight="balanced", random_state=0)
    hits = tree.fit(x, target).predict(x) == target
    return float(hits.groupby(target).mean().mean())


class ExpectColumnNotToDetermineTarget(ColumnAggregateExpectation):  # type: ignore[misc]
    """Expect that no feature alone tells the target: it would be the answer among the questions."""

    target: str
    kind: Target

    def _validate(self, metrics: Any, runtime_configuration: Any = None, execution_engine: Any = None) -> Any:
        rows = execution_engine.get_domain_records({})
        score = determination(rows[self.column], rows[self.target], self.kind)
        return {"success": score < LEAK, "result": {"observed_value": round(score, 4)}}


def _structure(dataset: Dataset, manifest: pd.DataFrame) -> list[Any]:
    """Which columns there must be, and how many rows."""
    return [
        E.ExpectTableColumnsToMatchSet(
            column_set=sorted(
                {
                    dataset.target,
                    *dataset.drop,
                    *dataset.split.groups,
                    *dataset.expect.ranges,
                    *dataset.expect.tells_target,
                }
            ),
            exact_match=False,
            description="the target and every column that params.yaml names is there",
        ),
        E.ExpectTableRowCountToBeBetween(
            min_value=dataset.expect.min_rows, description=f"at least {dataset.expect.min_rows} rows"
        ),
    ]


def _values(dataset: Dataset, manifest: pd.DataFrame) -> list[Any]:
    if manifest.empty or dataset.target not in manifest:
        return []
    target, features = manifest[dataset.target], dataset.features(manifest)
    if len(manifest.columns) == 1:
        return []  # preparing says that there is nothing to learn from
    expectations: list[Any] = [
        E.ExpectCompoundColumnsToBeUnique(
            column_list=list(manifest),
            mostly=1 - REPEATED,
            description=f"no row is the copy of another (up to {REPEATED:.0%} may be)",
            severity="warning",
        )
    ]
    for column in features:
        values = manifest[column]
        expectations += [*numbers.expectations(values, dataset, DROP), *numbers.no_identifier(values)]
        if numbers.is_numeric(values) and column not in dataset.expect.tells_target:
            expectations += _leak(column, target, dataset)
    for column in sorted(set(dataset.expect.ranges) & set(manifest) - {dataset.target, *features}):
        expectations += numbers.expectations(manifest[column], dataset)
    if numbers.is_numeric(target):
        expectations.append(
            E.ExpectColumnUniqueValueCountToBeBetween(
                column=dataset.target, min_value=2, description="the target takes two values or more"
            )
        )
    if dataset.is_number:
        return expectations + numbers.expectations(target, dataset)
    # What declares no split may be a feature of that name.
    seen = manifest if dataset.split.test is None else manifest[[dataset.target]]
    return expectations + labels.expectations(seen, dataset.target, dataset.classes)


def _leak(column: str, target: pd.Series, dataset: Dataset) -> list[Any]:
    """Of few different numbers, which may be classes, what tells one of them; else what goes with them."""
    is_number = dataset.is_number or (numbers.is_numeric(target) and not labels.may_be_classes(target))
    if is_number and not numbers.is_numeric(target):
        return []
    if not is_number and not labels.recur(target):
        return []  # a tree of as many leaves learns the rows by heart
    told = f"alone it does not tell {target.name} (expect.tells_target allows it)"
    kind: Target = "number" if is_number else "class"
    return [
        ExpectColumnNotToDetermineTarget(column=column, target=str(target.name), kind=kind, description=told)
    ]
