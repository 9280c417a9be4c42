"""The raw examples in the package of a version: what a client sends, and what the model is asked by it."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from mlflow.models import Model

from evermodel.core import fields
from evermodel.core.columns import Column
from evermodel.core.data import Spec
from evermodel.core.rows import Rows


def raw(x: Any, spec: Spec) -> Any:
    """Prepared examples as a client has them: a table of rows as in a file, or an array."""
    return written(x.frame(), spec.columns) if isinstance(x, Rows) else np.asarray(x)


def read(folder: Path) -> Any:
    """The raw examples in the package of a version that was downloaded into a folder."""
    return Model.load(str(next(folder.rglob("MLmodel")))).load_input_example(str(folder))


def taken(examples: Any, spec: Spec) -> Any:
    """Raw examples as the model of that spec takes them."""
    if spec.kind == "table":
        return fields.typed(examples, spec.columns)
    return np.asarray(examples, dtype=object if spec.kind == "text" else spec.input_dtype)


def written(rows: pd.DataFrame, columns: Sequence[Column]) -> pd.DataFrame:
    """The contrary of fields.typed, as JSON has them: times as text, and None for a gap."""
    return pd.DataFrame({one.name: pd.Series(_written(rows[one.name], one), dtype=object) for one in columns})


def _written(values: pd.Series, column: Column) -> list[Any]:
    known = [None if pd.isna(value) else value for value in values.tolist()]
    match column.kind:
        case "boolean":
            return [None if value is None else bool(value) for value in known]
        case "whole":
            return [None if value is None else _whole(value) for value in known]
        case "time":
            return [None if value is None else _moment(value, column.format) for value in known]
    return known


def _whole(value: float) -> int | float:
    return int(value) if value.is_integer() else value


def _moment(seconds: float, form: str) -> str:
    moment = pd.Timestamp(round(seconds * 1e6), unit="us")
    return moment.strftime(form) if form else str(moment).removesuffix(" 00:00:00")
