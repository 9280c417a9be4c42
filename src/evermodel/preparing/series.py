"""Of series the windows that were known before each step, and the steps that follow."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from evermodel.core.columns import Column
from evermodel.core.data import OF_SERIES, SPLITS, Array
from evermodel.core.errors import EvermodelError
from evermodel.datasets.dataset import Dataset
from evermodel.datasets.dataset import Split as Rule
from evermodel.formats import dates, steps
from evermodel.preparing.moments import Moments

_, DATE, SERIES = OF_SERIES


@dataclass(frozen=True)
class Windows:
    """What can be learned from series: x (n, window, columns) and y, (n,) or (n, horizon).

    parts: which of them are in each split; some are in none. group: which are of one time, (n,) int64; None
    if each is of its own. told: what the spec says of them.
    """

    x: Array
    y: Array
    parts: dict[str, Array]
    group: Array | None
    told: dict[str, Any]


@dataclass(frozen=True)
class Steps:
    """All steps of all series, one series after the other: values (n, columns), what was observed of them
    (n, columns), their dates (n,) and the series' numbers (n,).
    """

    values: Array
    observed: Array
    dates: Array
    series: Array


def windows(name: str, manifest: pd.DataFrame, dataset: Dataset) -> Windows:
    """What was known before the steps that are predicted, in splits by their dates.

    No window goes from one series into another, and none has to predict steps of two splits, or one that
    nobody has observed. One that ends in a value from between two is left out, since that knows what follows.
    A test window may begin in training steps, as it would on the day.

    Raises EvermodelError if the target or another column is missing or no number, if there are gaps and
    `gaps` refuses them, if the source declares no split that is asked for, or if a split would be empty.
    """
    file, horizon = f"data/{name}/params.yaml", dataset.horizon
    _require_rules(file, dataset)
    columns = _columns(name, manifest, dataset)
    number = manifest[SERIES].factorize()[0] if SERIES in manifest else np.zeros(len(manifest), np.int64)
    every = "" if dataset.step == "rows" else steps.step(manifest[DATE].to_numpy(), number)
    found = _steps(name, manifest[[DATE, *columns]], number, every, dataset)
    part = np.searchsorted(_begin(file, dataset.split, manifest), found.dates, side="right")
    length = _length(file, dataset, np.bincount(found.series[part == 0], minlength=1).max())
    first = np.arange(length, len(part) - horizon + 1)  # of the steps that are predicted
    start, last = first - length, first + horizon - 1
    usable = (found.series[start] == found.series[last]) & (part[first] == part[last])
    usable &= _sliding(found.observed[:, 0], horizon)[first].all(axis=1)
    if dataset.gaps == "interpolate":
        usable &= found.observed[first - 1].all(axis=1)
    parts = {one: start[usable & (part[first] == place)] for place, one in enumerate(SPLITS)}
    if empty := [one for one, rows in parts.items() if not len(rows)]:
        raise EvermodelError(
            f"{file}: split gives {empty[0]} no row, of {len(found.dates)} steps, that has {length} before "
            f"it and {horizon} to predict; add some, or change the shares there"
        )
    future = _sliding(found.values[:, 0], horizon)[length:]
    return Windows(
        x=_sliding(found.values, length)[: len(first)].swapaxes(1, 2),
        y=future if horizon > 1 else future[:, 0],
        parts=parts,
        group=_groups(found.dates[first], parts, horizon) if horizon > 1 or number.any() else None,
        told={
            "columns": _learned(columns, found, part == 0),
            "horizon": horizon,
            "season": dataset.season,
            "step": every,
            "gaps": dataset.gaps,
        },
    )


def _require_rules(file: str, dataset: Dataset) -> None:
    if dataset.split.method != "time":
        raise EvermodelError(
            f"{file}: split.method is {dataset.split.method}, which would mix the steps of a series, so that "
            "windows of training and test rows overlap; use time"
        )
    if dataset.gaps == "fill":
        raise EvermodelError(f"{file}: gaps is fill, which is for tables; use forward or interpolate")


def _columns(name: str, manifest: pd.DataFrame, dataset: Dataset) -> list[str]:
    """The target, whose past is known too, and the other columns."""
    others = manifest.drop(columns=list(OF_SERIES), errors="ignore")
    for key, column in [("target", dataset.target), *(("drop", column) for column in dataset.drop)]:
        if column not in others:
            raise EvermodelError(
                f"data set {name} has no column {column!r}; set {key} in data/{name}/params.yaml to one of "
                f"{', '.join(map(str, others))}"
            )
    columns = [dataset.target, *dataset.features(others)]
    if texts := [column for column in columns if manifest[column].dtype.kind != "f"]:
        raise EvermodelError(
            f"data set {name}: column {texts[0]!r} is no number in every row; mend the data, or name it in "
            f"drop in data/{name}/params.yaml"
        )
    return columns


def _steps(name: str, table: pd.DataFrame, number: Array, every: str, dataset: Dataset) -> Steps:
    parts = [_filled(name, one, every, dataset) for _, one in table.groupby(number)]
    series = np.repeat(np.arange(len(parts)), [len(values) for values, _ in parts])
    values, observed = (pd.concat(frames) for frames in zip(*parts, strict=True))
    return Steps(values.to_numpy(np.float64), observed.to_numpy(bool), values.index.to_numpy(), series)


def _filled(
    name: str, series: pd.DataFrame, every: str, dataset: Dataset
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The steps of one series without gaps, and which of its values are observed."""
    where = f"data set {name}"
    known = series.set_index(DATE)
    full = steps.complete(where, known, every) if every else known
    observed = full.notna()
    if dataset.gaps == "refuse" and not observed.to_numpy().all():
        row, column = np.argwhere(~observed.to_numpy())[0]
        date = full.index[row]
        lacks = f"no value of {full.columns[column]}" if date in known.index else "no row"
        raise EvermodelError(
            f"{where} has {lacks} of {dates.told(date)}; give it, or say in data/{name}/params.yaml "
            "`gaps: forward` or `gaps: interpolate`"
            + ("" if date in known.index else ", or `step: rows` if rows do not come at equal distances")
        )
    values = steps.filled(full, dataset.gaps)
    whole = values.notna().all(axis=1)  # all but some at the ends
    return values[whole], observed[whole]


def _begin(file: str, rule: Rule, manifest: pd.DataFrame) -> Array:
    """The dates on which validation and test begin, of all series alike."""
    dates = np.unique(manifest[DATE].to_numpy())
    declared: Mapping[Any, Any] = {}
    if "split" in manifest:
        declared = manifest[DATE].groupby(manifest["split"]).min().to_dict()
    if rule.test_from:
        test = np.datetime64(rule.test_from)
    elif rule.test:
        test = dates[min(int(len(dates) * (1 - rule.test)), len(dates) - 1)]
    elif "test" in declared:
        test = np.datetime64(declared["test"])
    else:
        raise EvermodelError(
            f"{file}: split.method is {rule.method}, but the source declares no split; add split.test"
        )
    rest = dates[dates < test]
    held_out = max(1, round(len(rest) * rule.validation))
    validation = declared.get("validation", rest[-held_out] if len(rest) else test)
    return np.array([validation, test], dtype=dates.dtype)


def _length(file: str, dataset: Dataset, longest: int) -> int:
    """Of a window; longest: the training steps of the longest series.

    Raises EvermodelError if there are too few of them, or a season is longer than a window.
    """
    most = longest - dataset.horizon + 1
    if dataset.window is None or dataset.window >= most:
        raise EvermodelError(
            f"{file}: window is {dataset.window}, but must be a number of steps below {most}"
        )
    if dataset.season and dataset.season > dataset.window:
        raise EvermodelError(
            f"{file}: season is {dataset.season}, but a window has {dataset.window} steps, so that what was "
            "one season before is not known; raise window"
        )
    return dataset.window


def _sliding(values: Array, length: int) -> Array:
    return np.lib.stride_tricks.sliding_window_view(values, length, axis=0)


def _groups(dates: Array, parts: dict[str, Array], horizon: int) -> Array:
    """The number of the block of dates that each row is in: neighbours are alike, and so are the series.

    Blocks are as long as the cube root of how many dates a split has (Carlstein 1986), and as what is
    predicted at once.
    """
    group = np.zeros(len(dates), np.int64)
    for rows in parts.values():
        different, place = np.unique(dates[rows], return_inverse=True)
        group[rows] = place // max(round(len(different) ** (1 / 3)), horizon)
    return group


def _learned(columns: list[str], found: Steps, learned: Array) -> tuple[Column, ...]:
    """What the training steps tell of each column."""
    values, observed, moments = found.values[learned], found.observed[learned], Moments(len(columns))
    moments.add(values)
    return tuple(
        Column(
            name=column,
            missing=float(1 - observed[:, place].mean()),
            low=float(moments.low[place]),
            high=float(moments.high[place]),
            mean=float(moments.mean[place]),
            variance=float(moments.variance[place]),
            median=float(np.median(values[:, place])),
        )
        for place, column in enumerate(columns)
    )
