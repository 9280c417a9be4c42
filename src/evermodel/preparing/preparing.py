"""From raw examples to the one split and what its training rows tell."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from evermodel.core import data
from evermodel.core.data import SPLITS, Array, Chosen, Identity, Raw, Spec
from evermodel.core.errors import EvermodelError
from evermodel.datasets.dataset import Dataset
from evermodel.datasets.source import Provenance
from evermodel.preparing import labels, series, split, table, words
from evermodel.preparing.moments import Moments
from evermodel.preparing.split import Facts


def prepare(
    name: str, raw: Raw, dataset: Dataset, source: Provenance, folder: Path, parquet_above: float = math.inf
) -> Spec:
    """Write the splits of a data set into `folder` and return what is known of them.

    parquet_above: the rows of a table, above which it is written in Parquet. Raises EvermodelError if the
    target or another column is missing, a label is none of the classes, or more test rows than `duplicates`
    allows stand in the training rows as well.
    """
    if raw.kind == "table":
        return table.prepare(name, raw, dataset, source, folder, parquet_above)
    return _prepare(name, raw, dataset, source, folder)


def _prepare(name: str, raw: Raw, dataset: Dataset, source: Provenance, folder: Path) -> Spec:
    """As `prepare`, of images, texts and series."""
    x: Array | None
    told: dict[str, Any]
    if raw.kind == "series":
        found = series.windows(name, raw.manifest, dataset)
        x, y, parts, group, told = found.x, found.y, found.parts, found.group, found.told
    else:
        x, y, told = raw.inputs, _targets(name, raw, dataset), {}
        assert x is not None, "a reader of images and texts gives inputs"
        group = split.groups(name, dataset.split, raw.manifest)
        declared = raw.manifest["split"].to_numpy(dtype=object) if "split" in raw.manifest else None
        parts = split.split_rows(name, dataset.split, Facts(len(y), declared, y, group))
    part = np.zeros(len(y), np.int8)
    for number, split_name in enumerate(SPLITS):
        part[parts[split_name]] = number
    if dataset.targets:
        y = labels.clipped(y, part, dataset)
    answers, classes, scale = _answers(name, dataset, y, parts["train"])
    if raw.targets is not None:
        classes = labels.of_masks(name, dataset, raw.manifest)
    examples = {split_name: Chosen(x, rows) for split_name, rows in parts.items()}
    identity = Identity()
    identity.add(examples["test"], Chosen(y, parts["test"]))
    # Where each class is a group, such as a person, it is on one side, and nobody can ask for it on both.
    spread = bool(classes) and dataset.target not in dataset.split.groups
    grouped = {} if group is None else {one: len(np.unique(group[rows])) for one, rows in parts.items()}
    class_rows = {}
    if spread and raw.targets is not None:
        class_rows = {one: labels.in_masks(raw.manifest, rows) for one, rows in parts.items()}
    elif spread:
        seen_rows = np.concatenate(list(parts.values()))
        members = None if group is None else group[seen_rows]
        class_rows = labels.class_rows(part[seen_rows], answers["class"][seen_rows], members, len(classes))
    spec = Spec(
        dataset=name,
        edition=source.edition,
        synthetic=source.synthetic,
        kind=raw.kind,
        input_shape=x.shape[1:],
        input_dtype="string" if raw.kind == "text" else str(x.dtype),
        target=dataset.target,
        targets=tuple(dataset.targets),
        masks=raw.targets is not None,
        classes=classes,
        novel=dataset.novel,
        class_rows=class_rows,
        rows={one: len(rows) for one, rows in parts.items()},
        groups=grouped,
        vocabulary=words.ranked(words.count(x[parts["train"]])) if raw.kind == "text" else (),
        **scale,
        **told,
        duplicates=_duplicates(name, examples, dataset),
        test_hash=identity.hash,
        test_sketch=identity.sketch,
        layout=raw.layout,
    )
    for one, rows in parts.items():
        data.save_examples(folder / one, examples[one], spec)
        for column, values in {**answers, "group": group}.items():
            if values is not None:
                data.save_column(folder / one, column, Chosen(values, rows))
    return spec


def _column(name: str, raw: Raw, column: str, key: str) -> pd.Series:
    if column not in raw.manifest:
        raise EvermodelError(
            f"data set {name} has no column {column!r}; set {key} in data/{name}/params.yaml to one of "
            f"{', '.join(map(str, raw.manifest.columns))}"
        )
    return raw.manifest[column]


def _targets(name: str, raw: Raw, dataset: Dataset) -> Array:
    """Masks and several numbers as they are; of a column the text of each row, (n,) objects."""
    if raw.targets is not None:
        return raw.targets
    if dataset.targets:
        columns = [_column(name, raw, column, "targets") for column in dataset.targets]
        return np.stack([column.to_numpy(dtype=np.float64) for column in columns], axis=1)
    target = _column(name, raw, dataset.target, "target")
    return dataset.labels(target).to_numpy(dtype=object)


def _answers(
    name: str, dataset: Dataset, y: Array, train: Array
) -> tuple[dict[str, Array], tuple[str, ...], dict[str, Any]]:
    """What is written of the targets by its file, the classes, and mean and deviation of numbers."""
    if y.dtype != object:
        numbers = y if y.dtype.kind == "f" else None
        answers, classes = {data.ANSWERS.get((y.ndim, y.dtype.kind), "y"): y}, tuple[str, ...]()
    else:
        classes = labels.classes(name, dataset, y)
        place = {label: number for number, label in enumerate(classes)}
        answers = {"class": np.array([place[label] for label in y], np.int64)} if classes else {}
        numbers = None if dataset.classes else labels.numbers(pd.Series(y, dtype=object))
        answers |= {} if numbers is None else {"number": numbers}
    if numbers is None:
        return answers, classes, {}
    moments = Moments(columns := len(dataset.targets) or 1)
    moments.add(numbers[train].reshape(-1, columns))
    return answers, classes, labels.scale(moments.mean, moments.variance)


def _duplicates(name: str, examples: dict[str, Chosen], dataset: Dataset) -> int:
    """How many test rows stand among the rows that a model may learn from."""
    seen = {row for part in ("train", "validation") for row in data.row_hashes(examples[part])}
    count = sum(row in seen for row in data.row_hashes(examples["test"]))
    table.require_few(name, dataset, count, len(examples["test"]))
    return count
