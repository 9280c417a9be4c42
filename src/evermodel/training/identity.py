"""Which training it is: one hash of all that can change its result."""

import hashlib
import json
import os
import re
from pathlib import Path
from typing import Any

from pathspec import GitIgnoreSpec

from evermodel.core import data, folders, params
from evermodel.core.errors import EvermodelError
from evermodel.runs import determinism
from evermodel.training.processes import ALONE, Team

DVC = "dvc.yaml"
IGNORE = Path(".dvcignore")


def key(name: str, team: Team = ALONE) -> str:
    """The key of the training of an experiment: of what its dvc.yaml declares for `train`, as it is now.

    Where DVC would train again there is another key, and the other way round. The name tells two experiments
    with one recipe apart, and the device what they were computed on; so do the back end and the number of
    devices where a team of several trains. Raises EvermodelError if there is no
    such stage, or a dependency is missing.
    """
    folder = folders.experiment(name)
    values = params.read(folder / params.FILE)
    stage = _filled(_stage(folder / DVC), values)
    declared: dict[str, Any] = {
        "name": name,
        "device": determinism.device(),
        "cmd": stage["cmd"],
        "deps": {dep: _hashed(folder, dep) for dep in stage["deps"]},
        "params": [_declared(folder, entry) for entry in stage["params"]],
    }
    if team.devices > 1:
        declared |= {"backend": "jax", "machines": team.count, "devices": team.devices}
    return hashlib.sha256(json.dumps(declared, sort_keys=True).encode()).hexdigest()


def _stage(file: Path) -> dict[str, Any]:
    stage = (params.read(file).get("stages") or {}).get("train") or {}
    if not {"cmd", "deps", "params"} <= stage.keys():
        raise EvermodelError(
            f"{file} has no stage `train` with cmd, deps and params; "
            f"`cp pipelines/experiment.yaml {file}` gives it one"
        )
    return dict(stage)


def _filled(declared: Any, values: dict[str, Any]) -> Any:
    """What dvc.yaml declares, each ${key} replaced by its value in params.yaml."""
    if isinstance(declared, dict):
        return {key: _filled(value, values) for key, value in declared.items()}
    if isinstance(declared, list):
        return [_filled(value, values) for value in declared]
    if isinstance(declared, str):
        return re.sub(r"\$\{\s*([\w.]+)\s*\}", lambda found: str(params.value(values, found[1])), declared)
    return declared


def _declared(folder: Path, entry: Any) -> dict[str, Any]:
    """The values behind an entry of `params`: a key of params.yaml, or files with keys of theirs (or all)."""
    keys = entry if isinstance(entry, dict) else {str(params.FILE): [entry]}
    return {file: _values(params.read(folder / file), chosen) for file, chosen in keys.items()}


def _values(values: dict[str, Any], chosen: list[str] | None) -> dict[str, Any]:
    return {path: params.value(values, path) for path in chosen} if chosen else values


def _hashed(folder: Path, dep: str) -> str | dict[str, str]:
    """The hash of a file, or those of a folder's files but for what DVC ignores."""
    path = Path(os.path.normpath(folder / dep))
    if path.is_file():
        return data.file_hash(path)
    if not path.is_dir():
        raise EvermodelError(f"{path} is missing; `dvc repro {folder / DVC}:train` makes it or says who does")
    ignored = GitIgnoreSpec.from_lines(IGNORE.read_text().splitlines() if IGNORE.exists() else ())
    files = sorted(file for file in path.rglob("*") if file.is_file() and not ignored.match_file(file))
    return {file.relative_to(path).as_posix(): data.file_hash(file) for file in files}
