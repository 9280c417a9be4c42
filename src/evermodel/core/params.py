"""The values of a params.yaml as they stand there, for one of the two profiles."""

from pathlib import Path
from typing import Any

import yaml

from evermodel.core import folders
from evermodel.core.errors import EvermodelError

FILE = Path("params.yaml")
PROFILES = ("full", "sample")
# The safe one, in C where PyYAML has it; every stage reads these files.
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def read(file: Path) -> dict[str, Any]:
    """The values of a file; EvermodelError if it is missing, or no mapping in YAML."""
    try:
        values = yaml.load(file.read_text(encoding="utf-8"), Loader=LOADER)
    except FileNotFoundError:
        raise EvermodelError(f"{file} is not here; run this command in the root of the repository") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise EvermodelError(f"{file} is not valid YAML: {' '.join(str(error).split())}") from None
    if not isinstance(values, dict):
        raise EvermodelError(f"{file} must hold keys with values, like `profile: sample`")
    return values


def of_folder(folder: Path, profile: str) -> dict[str, Any]:
    """The values in the folder of a data set or an experiment.

    Raises EvermodelError that names those there are if it is none, or if `name` is not the folder's: DVC
    would take what it made for another one.
    """
    if not (file := folder / FILE).exists():
        kind = "data set" if folder.parent == folders.DATASETS else "experiment"
        known = ", ".join(folders.names(folder.parent)) or "none"
        raise EvermodelError(
            f"there is no {kind} {folder.name!r} ({file} is missing); the {kind}s are {known}"
        )
    values = read(file)
    if (name := values.get("name")) != folder.name:
        raise EvermodelError(f"{file}: name is {name!r}; make it the name of its folder, {folder.name}")
    return dict(for_profile(values, profile))


def for_profile(values: Any, profile: str) -> Any:
    """The values, each `{full: …, sample: …}` replaced by the one of the profile."""
    if isinstance(values, list):
        return [for_profile(value, profile) for value in values]
    if not isinstance(values, dict):
        return values
    if set(values) == set(PROFILES):
        return for_profile(values[profile], profile)
    return {key: for_profile(value, profile) for key, value in values.items()}
