"""Files in the folders of their classes: pictures and texts alike."""

import math
from collections.abc import Iterable
from pathlib import PurePosixPath

import pandas as pd

from evermodel.adding.entry import Values
from evermodel.adding.tables import MOST_NAMED, SPLIT, STRATIFIED
from evermodel.core.errors import EvermodelError

# What folders of splits are called, as the readers of pictures and texts know them.
SPLITS = ("train", "training", "test", "testing", "val", "valid", "validation", "dev")
FAULTY = 0.01  # of the files, which may turn out to be unusable


def labels(names: Iterable[str], title: str) -> pd.DataFrame:
    """Of each file the label, which is its folder, and the split, if the folder above is called so.

    Raises EvermodelError if there are no two classes.
    """
    parents = [PurePosixPath(name).parent for name in names]
    found = pd.DataFrame(
        {
            "label": [parent.name for parent in parents],
            "split": [parent.parent.name.lower() for parent in parents],
        }
    )
    found["split"] = found["split"].where(found["split"].isin(SPLITS), "")
    found = found[found["label"] != ""]
    if found["label"].nunique() < 2:
        raise EvermodelError(
            f"{title} has no folders of two classes or more; sort the files into folders that are called as "
            "their classes, or put a table of names and labels beside them and name its column by --target"
        )
    return found


def declared(found: pd.DataFrame) -> bool:
    """Whether every file lies in the folder of a split, training and test."""
    first = set(found["split"].str[:2])
    return "" not in set(found["split"]) and {"tr", "te"} <= first


def task_of(found: pd.DataFrame) -> str:
    """What predicts the label."""
    return "binary" if found["label"].nunique() == 2 else "classification"


def rules(found: pd.DataFrame, others: int) -> Values:
    """Classes, split, and what to expect. others: files that are there but of another kind."""
    named = sorted(found["label"].unique())
    shares = {key: SPLIT[key] for key in ("validation", "seed")} if declared(found) else SPLIT
    enough = found["label"].value_counts().min() >= STRATIFIED
    faulty = math.ceil(100 * (FAULTY + others / (others + len(found)))) / 100
    return {
        **({"classes": named} if len(named) <= MOST_NAMED else {}),
        "split": {
            "method": "predefined" if declared(found) else "shuffle",
            **shares,
            **({"stratify": True} if enough else {}),
        },
        "expect": {"min_rows": max(1, len(found) // 2), "rejected": min(faulty, 0.9)},
    }
