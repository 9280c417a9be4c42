"""The values of a params.yaml as they stand there, for one of the two profiles."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import yaml

from evermodel.core import folders
from evermodel.core.errors import EvermodelError

FILE = Path("params.yaml")
PROFILES = ("full", "sample")
# What DVC's cache of runs takes for facts about files: it answers an edit there with what was made before.
BLIND = ("nfiles", "size")
# The sections of which DVC sees the values alone, and somebody else names the keys.
FREE = ("options", "source")


class Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]  # in C where PyYAML has it
    """Plain YAML as DVC reads it too (1.2): `yes`, `no`, `on` and `off` are text, and so is a time of day.

    A whole number is what int() and str() turn into each other, so that a name like 007 stays as it stands.
    A key that stands twice in one mapping is refused, and so is a date without quotes, as DVC can't keep it.
    """

    yaml_implicit_resolvers: ClassVar[dict[str, Any]] = {}  # those of YAML 1.1 are not inherited

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
        """The mapping of a node; ConstructorError if a key stands there twice."""
        seen: set[Any] = set()
        for key in (key for key, _ in node.value if isinstance(key, yaml.ScalarNode)):
            if key.value in seen:
                problem = f"the key {key.value} stands there twice"
                raise yaml.constructor.ConstructorError(None, None, problem, key.start_mark)
            seen.add(key.value)
        found: dict[Any, Any] = super().construct_mapping(node, deep)
        return found


for tag, pattern, first in (
    ("bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("int", r"0|-?[1-9][0-9]*", "-0123456789"),
    ("float", r"[-+]?(\.[0-9]+|[0-9]+\.[0-9]*|[0-9]+(?=[eE]))([eE][-+]?[0-9]+)?", "-+.0123456789"),
    ("float", r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)", "-+."),
    ("merge", r"<<", "<"),
    ("date", r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}([Tt \t].*)?", "0123456789"),
):
    Loader.add_implicit_resolver(f"tag:yaml.org,2002:{tag}", re.compile(f"^(?:{pattern})$"), list(first))


def _refuse_date(loader: Loader, node: yaml.ScalarNode) -> None:
    problem = f'the date {node.value} has no quotes, so that DVC can\'t keep it; write "{node.value}"'
    raise yaml.constructor.ConstructorError(None, None, problem, node.start_mark)


Loader.add_constructor("tag:yaml.org,2002:date", _refuse_date)


def read(file: Path) -> dict[str, Any]:
    """The values of a file; EvermodelError if it is missing, or no mapping in YAML."""
    try:
        text = file.read_text(encoding="utf-8-sig")
        values = yaml.load(text, Loader=Loader)
    except FileNotFoundError:
        raise EvermodelError(f"{file} is not here; run this command in the root of the repository") from None
    except UnicodeDecodeError as error:
        raise EvermodelError(
            f"{file} is not text in UTF-8 from byte {error.start} on; save it as UTF-8"
        ) from None
    except yaml.YAMLError as error:
        raise EvermodelError(f"{file} is not valid YAML: {_fault(error, text)}") from None
    if not isinstance(values, dict):
        raise EvermodelError(f"{file} must hold keys with values, like `profile: sample`")
    return values


def _fault(error: yaml.YAMLError, text: str) -> str:
    """The line that is wrong, and why."""
    if not isinstance(error, yaml.MarkedYAMLError) or error.problem_mark is None:
        return f"{' '.join(str(error).split())}; mend it there"
    line = error.problem_mark.line
    tabs = any("\t" in found for found in text.splitlines()[line : line + 1])
    remedy = "indent by spaces, not by tabs" if tabs else "mend it there"
    return f"line {line + 1}: {error.problem}; {remedy}"


def of_folder(folder: Path, profile: str) -> dict[str, Any]:
    """The values in the folder of a data set or an experiment.

    Raises EvermodelError that names those there are if it is none, or if `name` is not the folder's: DVC
    would take what it made for another one; or if a key has a name that DVC is blind to.
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
    if blind := next(_blind({key: values[key] for key in FREE if key in values}), ""):
        raise EvermodelError(
            f"{file}: {blind} must be called otherwise; DVC takes no notice of an edit there"
        )
    return dict(for_profile(values, profile))


def value(values: Any, path: str) -> Any:
    """The value at a key like train.epochs; None without it."""
    for part in path.split("."):
        values = values.get(part) if isinstance(values, dict) else None
    return values


def _blind(values: Any) -> Iterator[str]:
    """The paths of the keys that DVC's cache of runs is blind to."""
    inner = (
        values.items() if isinstance(values, dict) else enumerate(values) if isinstance(values, list) else ()
    )
    for key, value in inner:
        if key in BLIND:
            yield str(key)
        yield from (f"{key}.{path}" for path in _blind(value))


def for_profile(values: Any, profile: str) -> Any:
    """The values, each `{full: …, sample: …}` replaced by the one of the profile."""
    if isinstance(values, list):
        return [for_profile(value, profile) for value in values]
    if not isinstance(values, dict):
        return values
    if set(values) == set(PROFILES):
        return for_profile(values[profile], profile)
    return {key: for_profile(value, profile) for key, value in values.items()}
