"""What a column of labels can be: classes, a number, or both; the task decides."""

from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd

from evermodel.core import data, fields
from evermodel.core.data import SPLITS, Array
from evermodel.core.errors import EvermodelError
from evermodel.datasets.dataset import Dataset


def classes(name: str, dataset: Dataset, texts: Iterable[str]) -> tuple[str, ...]:
    """The labels, numbers by their size and text by the alphabet; none if the target can't be a class.

    texts: the different labels that there are. Raises EvermodelError if one is none of the declared classes.
    """
    found = np.array(sorted(set(texts)), dtype=object)
    if dataset.classes and (unknown := sorted(set(found) - set(dataset.classes))):
        raise EvermodelError(
            f"data set {name} has labels that classes in data/{name}/params.yaml does not name: "
            f"{', '.join(map(str, unknown[:5]))}"
        )
    if dataset.is_number or dataset.targets:
        return ()
    if dataset.classes:
        return dataset.classes
    if len(found) > data.MOST_CLASSES:
        return ()
    values = numbers(pd.Series(found, dtype=object))
    return tuple(found if values is None else found[np.argsort(values, kind="stable")])


def numbers(labels: "pd.Series[Any]", decimal: str = ".", thousands: str = "") -> Array | None:
    """The numbers that labels are, (n,) float64; None if one of them is no finite number."""
    found = fields.numbers(labels, decimal, thousands).to_numpy(np.float64)
    return found if np.isfinite(found).all() else None


def scale(mean: Array, variance: Array) -> dict[str, tuple[float, ...]]:
    """Mean and deviation of each target that is a number; a deviation of 0 would divide by nothing."""
    deviations = np.sqrt(np.atleast_1d(variance)).tolist()
    return {
        "target_mean": tuple(np.atleast_1d(mean).tolist()),
        "target_sd": tuple(value or 1.0 for value in deviations),
    }


def class_rows(part: Array, y: Array, group: Array | None, count: int) -> dict[str, tuple[int, ...]]:
    """How many rows of each split every class has, or in how many groups of rows it is.

    part: (n,) places in SPLITS; y: (n,) class numbers.
    """
    seen = part.astype(np.int64) * count + y  # the number of a split and class
    if group is not None:
        seen = np.unique(group * (len(SPLITS) * count) + seen) % (len(SPLITS) * count)
    found = np.bincount(seen, minlength=len(SPLITS) * count).reshape(len(SPLITS), count)
    return {name: tuple(rows.tolist()) for name, rows in zip(SPLITS, found, strict=True)}


def of_masks(name: str, dataset: Dataset, manifest: pd.DataFrame) -> tuple[str, ...]:
    """What a pixel can belong to; none where that is foreground or not.

    Raises EvermodelError if as many classes are not named as the masks have.
    """
    found, named = len(_shares(manifest).columns), len(dataset.classes)
    if named != found and (found or named > 2):
        raise EvermodelError(
            f"data set {name} has masks of {found or 2} classes, but data/{name}/params.yaml names {named}; "
            "write there as classes what each of the values in the masks means, in their order"
        )
    return dataset.classes if found else ()


def in_masks(manifest: pd.DataFrame, rows: Array) -> tuple[int, ...]:
    """In how many of those masks each class occurs."""
    return tuple((_shares(manifest).iloc[rows] > 0).sum().tolist())


def _shares(manifest: pd.DataFrame) -> pd.DataFrame:
    """The share of each class in the masks of a data set; no column where those are foreground or not."""
    return manifest.filter(regex=f"^{data.OF_CLASS}[0-9]+$")


def clipped(y: Array, part: Array, dataset: Dataset) -> Array:
    """Several targets within their ranges: only in what is learned from, never in what is judged."""
    low, high = np.transpose(list(dataset.targets.values()))
    return np.where((part == SPLITS.index("test"))[:, None], y, y.clip(low, high))
