"""What MLflow loads of a package: a table in which whole numbers are numbers, and 64 bits stay 64 bits.

The package of a version that takes tables or numbers in 64 bits carries a copy of this file, and one of
runs/network.py. So it imports nothing of ours.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]


class Network:
    """A network as MLflow asks it: a table gives a table, an array an array."""

    def __init__(self, predict: Callable[[Array], Array]) -> None:
        self._predict = predict

    def predict(self, data: Any) -> Any:
        """The answers for raw examples, with the index of their table."""
        import pandas as pd

        if isinstance(data, pd.DataFrame):
            return pd.DataFrame(self._predict(numbers(data)), index=data.index)
        return self._predict(np.asarray(data))


class Estimator:
    """An estimator as MLflow asks it: a table gives an array."""

    def __init__(self, model: Any) -> None:
        self._model = model

    def predict(self, data: Any) -> Any:
        """Numbers for the rows of a table."""
        return self._model.predict(self._examples(data))

    def predict_proba(self, data: Any) -> Any:
        """Probabilities for the rows of a table."""
        return self._model.predict_proba(self._examples(data))

    def _examples(self, table: Any) -> Any:
        x = numbers(table)
        return table.astype(x.dtype) if hasattr(self._model, "feature_names_in_") else x


def numbers(table: Any) -> Array:
    """A table as float64, also where its numbers are whole ones, which MLflow's own types refuse.

    Raises ValueError that names a column of anything else.
    """
    for name, column in table.items():
        if column.dtype.kind not in "biuf":
            raise ValueError(f"column {name!r} holds {column.dtype}; the model takes numbers")
    converted: Array = table.to_numpy(np.float64)
    return converted


def _load_pyfunc(path: str) -> Network | Estimator:
    """What mlflow.pyfunc.load_model calls with the folder of a package."""
    file = Path(path) / "data/model.keras"
    if not file.exists():
        import mlflow.sklearn

        return Estimator(mlflow.sklearn.load_model(path))
    import evermodel_network
    import keras

    return Network(evermodel_network.compiled(keras.saving.load_model(file, compile=False, safe_mode=True)))
