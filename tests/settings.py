"""A data set and an experiment as somebody would write them, and what becomes of a mistake in them."""

from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import yaml

from evermodel.core.errors import EvermodelError

MISSING = object()
DATASET: dict[str, Any] = {
    "name": "houses",
    "source": {
        "title": "Houses",
        "licence": "none",
        "terms": "free",
        "reader": "table",
        "sample": {"generator": "houses", "synthetic": True, "note": "made prices"},
        "editions": [
            {
                "name": "csv",
                "options": {"separator": ",", "header": True, "columns": ["RM", "MEDV"]},
                "files": [{"name": "houses.csv", "bytes": 1, "sha256": "0" * 64}],
            }
        ],
    },
    "target": "MEDV",
    "split": {"method": "shuffle", "test": 0.2, "validation": 0.1, "seed": 1},
    "expect": {"min_rows": 100, "ranges": {"MEDV": [5, 50]}},
}
EXPERIMENT: dict[str, Any] = {
    "name": "mine",
    "dataset": "houses",
    "task": "regression",
    "model": "mlp",
    "options": {"units": [8, 8]},
    "baseline": "linear",
    "train": {
        "optimizer": "adam",
        "learning_rate": 0.003,
        "batch_size": 32,
        "epochs": {"full": 9, "sample": 2},
    },
    "promotion": {"metric": "mae", "ceiling": 4.0},
}


def write(**changes: Any) -> None:
    """Write data/houses and experiments/mine below this folder.

    changes: values by the paths of their keys in the experiment's file, MISSING for none.
    """
    put("data/houses", DATASET, {})
    put("experiments/mine", EXPERIMENT, changes)


def put(folder: str, values: dict[str, Any], changes: dict[str, Any]) -> None:
    """Write the values, changed, into the params.yaml of a folder."""
    changed = deepcopy(values)
    for path, value in changes.items():
        *sections, key = path.split(".")
        section = changed
        for name in sections:
            section = section.setdefault(name, {})
        if value is MISSING:
            del section[key]
        else:
            section[key] = value
    Path(folder).mkdir(parents=True, exist_ok=True)
    Path(folder, "params.yaml").write_text(yaml.safe_dump(changed, sort_keys=False))


def refusal(function: Callable[..., object], *arguments: Any) -> str:
    """The sentence in which something is rejected; it must be one."""
    with pytest.raises(EvermodelError) as error:
        function(*arguments)
    sentence = str(error.value)
    assert "\n" not in sentence
    return sentence
