"""What MLflow loads of a package: rows of a table as a file has them, and 64 bits that stay 64 bits.

The package of a version that takes tables or numbers in 64 bits carries a copy of this file, and those of
core/fields.py and runs/network.py. So it imports nothing of ours.
"""

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]
Read = Callable[[Any], Any]


class Network:
    """A network as MLflow asks it: a table gives a table, or images of seeds; an array gives an array.

    read: see `reading`.
    """

    def __init__(self, predict: Callable[[Any], Array], read: Read) -> None:
        self._predict, self._read = predict, read

    def predict(self, data: Any) -> Any:
        """The answers for raw examples; a table has the index of theirs."""
        import pandas as pd

        if isinstance(data, pd.DataFrame):
            answers = self._predict(self._read(data))
            return answers if answers.ndim > 2 else pd.DataFrame(answers, index=data.index)
        return self._predict(np.asarray(data))


class Estimator:
    """An estimator as MLflow asks it: a table gives an array. read: see `reading`."""

    def __init__(self, model: Any, read: Read) -> None:
        self._model, self._read = model, read

    def predict(self, data: Any) -> Any:
        """Numbers for the rows of a table."""
        return self._model.predict(self._examples(data))

    def predict_proba(self, data: Any) -> Any:
        """Probabilities for the rows of a table."""
        return self._model.predict_proba(self._examples(data))

    def _examples(self, table: Any) -> Any:
        typed = self._read(table)
        return typed if hasattr(self._model, "feature_names_in_") else typed.to_numpy()


def reading(spec: dict[str, Any], typed: Callable[..., Any]) -> Read:
    """From a table as a file has it to what the model of a spec takes. typed: that of core/fields.py.

    What reads raises ValueError that names the row and the column of what is of another kind.
    """
    columns, layout = [SimpleNamespace(**column) for column in spec["columns"]], spec["layout"]
    marks = {name: layout[name] for name in ("decimal", "thousands")}

    def read(table: Any) -> Any:
        # A column that may be empty may be missing, as the signature says.
        whole = table.reindex(columns=[column.name for column in columns])
        return typed(whole, columns, **marks)

    return read


def _load_pyfunc(path: str) -> Network | Estimator:
    """What mlflow.pyfunc.load_model calls with the folder of a package."""
    import evermodel_fields
    from mlflow.models import Model

    read = reading(Model.load(path).metadata["spec"], evermodel_fields.typed)
    file = Path(path) / "data/model.keras"
    if not file.exists():
        import mlflow.sklearn

        return Estimator(mlflow.sklearn.load_model(path), read)
    import evermodel_network
    import keras

    network = keras.saving.load_model(file, compile=False, safe_mode=True)
    return Network(evermodel_network.compiled(network), read)
