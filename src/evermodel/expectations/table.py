"""What a table must be before anything is learned from it: `expect.ranges` is its contract.

An expectation without a severity is critical, as it is in Great Expectations.
"""

from typing import Any, Literal

import great_expectations as gx
import numpy as np
import pandas as pd
from great_expectations.expectations.expectation import ColumnAggregateExpectation
from sklearn.tree import DecisionTreeClassifier

from evermodel.datasets.dataset import Dataset
from evermodel.expectations import labels, numbers

E = gx.expectations
REPEATED = 0.01
LEAK = 0.99
# Beyond this a target names its rows rather than their classes, and a tree over it outgrows the memory.
MOST_CLASSES = 1000

Target = Literal["number", "class"]


def suite(dataset: Dataset, manifest: pd.DataFrame) -> gx.ExpectationSuite:
    """The expectations of a table, one row per example.

    The target is a number if `expect.ranges` has it or it is stored as floats, else a class label; every
    other column is a numeric feature. An absent column is named once and not examined further.
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
    if (classes := target.nunique()) > MOST_CLASSES:
        return 0.0
    x = feature.to_frame()
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
    """Which columns, and how many rows. A column `split` is the source's own split, in any table."""
    columns = {*dataset.expect.ranges, dataset.target, *({"split"} & set(manifest))}
    return [
        E.ExpectTableColumnsToMatchSet(
            column_set=sorted(columns),
            exact_match=bool(dataset.expect.ranges),
            description="the columns are the target and those of expect.ranges",
        ),
        E.ExpectTableRowCountToBeBetween(
            min_value=dataset.expect.min_rows, description=f"at least {dataset.expect.min_rows} rows"
        ),
    ]


def _values(dataset: Dataset, manifest: pd.DataFrame) -> list[Any]:
    if manifest.empty or dataset.target not in manifest:
        return []
    target = manifest[dataset.target]
    kind: Target = "number" if dataset.is_quantity(target.dtype.kind == "f") else "class"
    features = [column for column in map(str, manifest) if column not in (dataset.target, "split")]
    expectations = [
        E.ExpectCompoundColumnsToBeUnique(
            column_list=list(manifest),
            mostly=1 - REPEATED,
            description=f"no row is the copy of another (up to {REPEATED:.0%} may be)",
            severity="warning",
        )
    ]
    for column in features:
        expectations += numbers.expectations(manifest[column], dataset)
        if numbers.is_numeric(manifest[column]) and (kind == "class" or numbers.is_numeric(target)):
            told = f"alone it does not tell {dataset.target}"
            expectations.append(
                ExpectColumnNotToDetermineTarget(
                    column=column, target=dataset.target, kind=kind, description=told
                )
            )
    if kind == "class":
        return expectations + labels.expectations(manifest, dataset.target, dataset.classes)
    return expectations + numbers.expectations(target, dataset)
