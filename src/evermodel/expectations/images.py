"""What a set of images must be, seen through its manifest: one row per image with its facts.

An expectation without a severity is critical, as it is in Great Expectations.
"""

from typing import Any

import great_expectations as gx
import pandas as pd
from great_expectations.expectations.row_conditions import Column

from evermodel.expectations import labels
from evermodel.params import Dataset

E = gx.expectations
REPEATED = 0.01
SHIFT = 0.5


def suite(dataset: Dataset, manifest: pd.DataFrame) -> gx.ExpectationSuite:
    """The expectations of images.

    manifest: split ("train" or "test"), label, height and width in pixels, mode, mean and sd of the
        pixels, sha256.
    """
    expectations = [
        E.ExpectTableRowCountToBeBetween(
            min_value=dataset.expect.min_rows, description=f"at least {dataset.expect.min_rows} images"
        )
    ]
    if len(manifest):
        expectations += [*_facts(dataset, manifest), *_looks(manifest)]
        expectations += labels.expectations(manifest, dataset.target, dataset.classes)
    return gx.ExpectationSuite(name="images", expectations=expectations)


def _facts(dataset: Dataset, manifest: pd.DataFrame) -> list[Any]:
    """Shape and mode as expected; where no shape is, as most of the images are."""
    usual = manifest[["height", "width", "mode"]].mode().iloc[0]
    height, width = dataset.expect.shape or (int(usual["height"]), int(usual["width"]))
    wanted = {"height": height, "width": width, "mode": usual["mode"]}
    facts = [column for column in manifest if column != dataset.target]
    return [
        *(E.ExpectColumnValuesToNotBeNull(column=fact, description="no value is missing") for fact in facts),
        *(
            E.ExpectColumnValuesToBeInSet(
                column=fact, value_set=[value], description=f"the {fact} of every image is {value}"
            )
            for fact, value in wanted.items()
        ),
    ]


def _looks(manifest: pd.DataFrame) -> list[Any]:
    train = manifest.loc[manifest["split"] == "train", "mean"]
    return [
        E.ExpectColumnValuesToBeBetween(
            column="sd", min_value=0, strict_min=True, description="no image is blank", severity="warning"
        ),
        E.ExpectColumnValuesToBeUnique(
            column="sha256",
            mostly=1 - REPEATED,
            description=f"no image is the copy of another (up to {REPEATED:.0%} may be)",
            severity="warning",
        ),
        E.ExpectColumnMeanToBeBetween(
            column="mean",
            min_value=train.mean() - SHIFT * train.std(),
            max_value=train.mean() + SHIFT * train.std(),
            row_condition=Column("split") == "test",
            description="test images are about as bright as training images "
            f"(their means are within {SHIFT:g} standard deviations)",
            severity="warning",
        ),
    ]
