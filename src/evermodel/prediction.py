"""Using a champion on files: a table (CSV), pictures, or texts go in as they are."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from evermodel.core.data import Array, Spec
from evermodel.core.errors import EvermodelError, UnusableError
from evermodel.formats import pictures
from evermodel.judging import restorations
from evermodel.tasks import colorization


def inputs(files: list[Path], spec: Spec) -> tuple[list[str], Any]:
    """Names of the examples in the files, and the examples as the model of that spec takes them.

    A table gives one example per row (its columns in any order), a picture or a text file one each, and a
    table of a series one of its last rows.
    Raises EvermodelError that names the file and what is wrong with it.
    """
    for file in files:
        if not file.is_file():
            raise EvermodelError(f"{file} does not exist; name a file to predict")
    if spec.kind == "table":
        tables = [_table(file, spec) for file in files]
        names = [
            f"{f}:{row + 1}" for f, table in zip(files, tables, strict=True) for row in range(len(table))
        ]
        return names, pd.concat(tables, ignore_index=True)
    read = {"images": _picture, "series": _window, "text": _text}[spec.kind]
    return [str(file) for file in files], np.stack([read(file, spec) for file in files])


def answers(names: list[str], x: Any, predictions: Array, spec: Spec, task: str) -> list[dict[str, Any]]:
    """One answer per example: numbers, the class and how probable it is, or a picture as "picture"."""
    if predictions.ndim == 4:
        drawn = [_drawn(*pair, task) for pair in zip(np.asarray(x), predictions, strict=True)]
        return [{"input": name, "picture": picture} for name, picture in zip(names, drawn, strict=True)]
    values = np.asarray(predictions, dtype=float).reshape(len(names), -1)
    if spec.targets:
        return [
            {"input": n, **dict(zip(spec.targets, row, strict=True))}
            for n, row in zip(names, values.tolist(), strict=True)
        ]
    if task == "embedding":
        return [{"input": n, "embedding": row} for n, row in zip(names, values.tolist(), strict=True)]
    if task == "features":  # two coordinates on the map follow the classes
        values = values[:, : len(spec.classes)]
    if not spec.classes:
        return [{"input": n, spec.target: v} for n, v in zip(names, values[:, 0].tolist(), strict=True)]
    if values.shape[1] == 1:  # a sigmoid: the probability of the second class
        values = np.column_stack([1 - values, values])
    best = values.argmax(axis=1)
    return [
        {"input": name, spec.target: spec.classes[number], "probability": float(row[number])}
        for name, number, row in zip(names, best.tolist(), values, strict=True)
    ]


def _drawn(example: Array, answer: Array, task: str) -> Array:
    """The picture that an answer means, (height, width) or (height, width, 3) uint8."""
    if task == "colorization":
        answer = colorization.reassembled(example, answer)
    return restorations.eight_bit(answer.squeeze())


def _window(file: Path, spec: Spec) -> Array:
    steps, table = spec.input_shape[0], _table(file, spec)
    if len(table) < steps:
        raise EvermodelError(f"{file} has {len(table)} rows; the {steps} last steps are needed")
    return table.to_numpy()[-steps:]


def _table(file: Path, spec: Spec) -> pd.DataFrame:
    try:
        table = pd.read_csv(file)
    except (ValueError, pd.errors.ParserError) as error:
        raise EvermodelError(f"{file} is not a CSV table: {' '.join(str(error).split())}") from None
    if table.empty:
        raise EvermodelError(f"{file} has no rows; give one per example")
    if not isinstance(
        table.index, pd.RangeIndex
    ):  # pandas takes the first of too many fields as a row's name
        raise EvermodelError(f"{file} has more fields in its rows than names in its first line; mend it")
    if missing := [column for column in spec.columns if column not in table]:
        raise EvermodelError(f"{file} has no column {missing[0]!r}; needed are {', '.join(spec.columns)}")
    table = table[list(spec.columns)]
    numbers: pd.DataFrame = table.apply(pd.to_numeric, errors="coerce").astype(np.float64)
    wrong = ~np.isfinite(numbers.to_numpy())
    if wrong.any():
        row, column = np.argwhere(wrong)[0]
        raise EvermodelError(
            f"{file}: row {row + 1}, column {spec.columns[column]} is {table.iat[row, column]!r}, "
            "not a finite number; mend it"
        )
    return numbers


def _picture(file: Path, spec: Spec) -> Array:
    height, width, channels = spec.input_shape
    try:
        picture = pictures.decode(file, "L" if channels == 1 else "RGB")
    except UnusableError as reason:
        raise EvermodelError(f"{file} {reason}") from None
    return pictures.array(picture.resize((width, height)))


def _text(file: Path, spec: Spec) -> Array:
    try:
        return np.array(file.read_text(encoding="utf-8"), dtype=object)
    except UnicodeDecodeError:
        raise EvermodelError(f"{file} is not a text in UTF-8") from None
