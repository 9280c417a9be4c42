"""What a set of images must be, seen through its manifest: one row per image with its metadata."""

from typing import Any

import great_expectations as gx
import pandas as pd
from great_expectations.expectations.row_conditions import Column

from evermodel.core.data import OF_CLASS, SPLITS
from evermodel.datasets.dataset import Dataset
from evermodel.expectations import labels, numbers

E = gx.expectations
FACTS = ("height", "width", "mode", "mean", "sd", "sha256")
REPEATED = 0.01
SHIFT = 0.5


def suite(dataset: Dataset, manifest: pd.DataFrame) -> gx.ExpectationSuite:
    """The expectations of images.

    manifest: FACTS, which are height and width in pixels, mode, mean and sd of the pixels, and sha256; the
        target: a label, or several numbers, or of masks the share of foreground or of each class; split
        ("train", "validation" or "test") where the source declares one. What else it has nobody uses.
    """
    expectations = [
        E.ExpectTableRowCountToBeBetween(
            min_value=dataset.expect.min_rows, description=f"at least {dataset.expect.min_rows} images"
        )
    ]
    if len(manifest):
        expectations += _images(dataset, manifest)
        expectations += _split(manifest) if "split" in manifest else []
        expectations += _targets(dataset, manifest)
    return gx.ExpectationSuite(name="images", expectations=expectations)


def _images(dataset: Dataset, manifest: pd.DataFrame) -> list[Any]:
    """Shape and mode as expected; where no shape is, as most of the images are."""
    usual = manifest[["height", "width", "mode"]].mode().iloc[0]
    height, width = dataset.expect.shape or (int(usual["height"]), int(usual["width"]))
    wanted = {"height": height, "width": width, "mode": usual["mode"]}
    used = {*FACTS, "split", *dataset.split.groups} - {dataset.target, *dataset.targets}
    columns = [column for column in manifest if column in used]
    return [
        *(E.ExpectColumnValuesToNotBeNull(column=one, description="no value is missing") for one in columns),
        *(
            E.ExpectColumnValuesToBeInSet(
                column=one, value_set=[value], description=f"the {one} of every image is {value}"
            )
            for one, value in wanted.items()
        ),
        E.ExpectColumnValuesToBeBetween(
            column="sd", min_value=0, strict_min=True, description="no image is blank", severity="warning"
        ),
        E.ExpectColumnValuesToBeUnique(
            column="sha256",
            mostly=1 - REPEATED,
            description=f"no image is the copy of another (up to {REPEATED:.0%} may be)",
            severity="warning",
        ),
    ]


def _split(manifest: pd.DataFrame) -> list[Any]:
    train = manifest.loc[manifest["split"] == "train", "mean"]
    return [
        E.ExpectColumnValuesToBeInSet(
            column="split", value_set=list(SPLITS), description=f"every image is for {', '.join(SPLITS)}"
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


def _targets(dataset: Dataset, manifest: pd.DataFrame) -> list[Any]:
    """The target as labels, numbers, or masks, whose share of foreground is a float without a range."""
    if len(shares := manifest.filter(regex=f"^{OF_CLASS}[0-9]+$").columns):
        return [_occurs(dataset, column) for column in shares]
    columns = list(dataset.targets) or [dataset.target]
    if missing := [column for column in columns if column not in manifest]:
        told = f"the target is one of the columns {', '.join(map(str, manifest))}"
        return [E.ExpectColumnToExist(column=one, description=told) for one in missing]
    if dataset.targets or dataset.is_number:
        return [one for column in columns for one in numbers.expectations(manifest[column], dataset)]
    target = labels.expectations(
        manifest, dataset.target, dataset.classes, bool(dataset.split.groups), dataset.novel
    )
    is_mask = manifest[dataset.target].dtype.kind == "f" and not dataset.classes
    return target + (_masks(dataset.target) if is_mask else [])


def _occurs(dataset: Dataset, share: str) -> Any:
    number = int(share.removeprefix(OF_CLASS))
    name = dataset.classes[number] if number < len(dataset.classes) else number
    return E.ExpectColumnMaxToBeBetween(
        column=share, min_value=0, strict_min=True, description=f"class {name} occurs in a mask"
    )


def _masks(share: str) -> list[Any]:
    return [
        E.ExpectColumnValuesToBeBetween(
            column=share, min_value=0, max_value=1, description="the share of foreground lies in 0 to 1"
        ),
        E.ExpectColumnValuesToBeBetween(
            column=share,
            min_value=0,
            max_value=1,
            strict_min=True,
            strict_max=True,
            description="no mask is empty or full",
            severity="warning",
        ),
    ]
