"""The receipt of a promotion: which model was handed in, and by what it was to be judged."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from evermodel.core import folders


def path(name: str) -> Path:
    """The receipt of an experiment."""
    return folders.experiment(name) / "promotion.json"


def write(name: str, sha256: str, policy: Mapping[str, Any], handed_in: bool) -> None:
    """Write it. handed_in: whether the registry was asked, which it is not under `dvc exp run`."""
    content = {"model": sha256, "policy": policy, "handed_in": handed_in}
    path(name).write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def is_pending(name: str) -> bool:
    """Whether the model of an experiment was never handed in, because `dvc exp run` made it."""
    return path(name).exists() and not json.loads(path(name).read_text(encoding="utf-8"))["handed_in"]
