"""Specs of small data sets and where they come from, in which only what a test says matters."""

from typing import Any

from evermodel.core.data import Spec
from evermodel.datasets.dataset import Dataset
from evermodel.datasets.source import Provenance
from tests.settings import DATASET

KINDS: dict[str, dict[str, Any]] = {
    "table": {
        "input_shape": (2,),
        "input_dtype": "float64",
        "columns": ({"name": "a", "variance": 1}, {"name": "b", "variance": 1}),
        "target": "price",
    },
    "images": {"input_shape": (4, 4, 1), "input_dtype": "uint8", "target": "label"},
    "text": {"input_shape": (), "input_dtype": "string", "target": "label"},
    "series": {"input_shape": (3, 2), "input_dtype": "float64", "target": "price"},
}
SPLIT = {"method": "shuffle", "test": 0.2, "validation": 0.1}
ROWS = {"train": 60, "validation": 5, "test": 20}


def make_spec(kind: str = "table", **changes: Any) -> Spec:
    """The spec of synthetic data of a kind, with changes."""
    known = {"dataset": "made", "edition": "sample", "synthetic": True, "kind": kind, "rows": ROWS}
    return Spec.model_validate(known | {"duplicates": 0, "test_hash": "0" * 64} | KINDS[kind] | changes)


def make_dataset(**values: Any) -> Dataset:
    """The rules of a data set, with these values; whose source matters to nobody."""
    rules = {"name": "made", "source": DATASET["source"], "split": SPLIT, "expect": {"min_rows": 1}}
    return Dataset.model_validate(rules | values)


def make_source(**changes: Any) -> Provenance:
    """Where synthetic data of a table come from, with changes."""
    known = {"title": "Made", "edition": "sample", "synthetic": True, "note": "", "licence": "", "terms": ""}
    return Provenance.model_validate(known | {"reader": "table", "options": {}, "files": {}} | changes)
