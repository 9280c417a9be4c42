"""What whoever triggers a run may change about it: the profile, values of params.yaml, and force."""

import io
import json
from collections.abc import MutableMapping
from pathlib import Path
from typing import Any, Literal, TypeVar

import yaml
from pydantic import field_validator
from ruamel.yaml import YAML  # comes with DVC; unlike PyYAML it keeps comments

from evermodel import experiments
from evermodel.core import params
from evermodel.core.errors import EvermodelError
from evermodel.core.params import Section

WIDTH = 120
S = TypeVar("S", bound=Section)


class Settings(Section):
    """What Airflow's form asks for.

    experiments: those to retrain, all if none. overrides: `path.in.params=value`, the value in YAML.
    """

    experiments: tuple[str, ...] = ()
    profile: Literal["as committed", "sample", "full"] = "as committed"
    force: bool = False
    overrides: tuple[str, ...] = ()
    commit: str = ""


class Scoring(Section):
    """What Airflow's other form asks for: whose champion reads what, and where its answers go."""

    experiment: str
    inputs: Path
    out: Path

    @field_validator("inputs", "out")
    @classmethod
    def _absolute(cls, path: Path) -> Path:
        if not path.is_absolute():
            raise ValueError("has to begin with /: a task has a folder of its own, which goes with it")
        return path


def parse(text: str) -> Settings:
    """The settings from JSON, in which null is what the form left empty; EvermodelError if they are none."""
    return _parsed(text, Settings)


def parse_scoring(text: str) -> Scoring:
    """What is to be scored, from JSON; EvermodelError if it does not say so."""
    return _parsed(text, Scoring)


def _parsed(text: str, kind: type[S]) -> S:
    try:
        given = json.loads(text)
        return kind.model_validate({key: value for key, value in given.items() if value is not None})
    except (ValueError, AttributeError) as error:
        raise EvermodelError(f"EVERMODEL_SETTINGS is wrong: {' '.join(str(error).split())}") from None


def changes(chosen: Settings) -> list[str]:
    """What differs from the commit, in words."""
    profile = [] if chosen.profile == "as committed" else [f"profile={chosen.profile}"]
    return [*profile, *chosen.overrides]


def apply(chosen: Settings) -> None:
    """Write the settings into params.yaml; EvermodelError if a key or value can't be."""
    if chosen.profile != "as committed":
        experiments.set_profile(chosen.profile)
    if chosen.overrides:
        text = params.FILE.read_text(encoding="utf-8")
        params.FILE.write_text(overridden(text, chosen.overrides), encoding="utf-8")
    params.load()


def overridden(text: str, overrides: tuple[str, ...]) -> str:
    """The text of params.yaml with other values, its comments kept.

    In the sample profile a value is changed where it holds: in a section `sample` that has the key, if there
    is one.
    """
    writer = YAML()
    writer.width = WIDTH
    values = writer.load(text)
    for override in overrides:
        path, _, value = override.partition("=")
        *sections, key = path.split(".")
        holder = values
        for section in sections:
            holder = _holder(holder, section, values["profile"]).get(section)
            if not isinstance(holder, MutableMapping):
                raise EvermodelError(
                    f"the override {override!r} names {section!r}, which is no section of {params.FILE}; "
                    "write it like experiments.fashion_cnn.train.epochs=3"
                )
        _holder(holder, key, values["profile"])[key] = _value(override, value)
    result = io.StringIO()
    writer.dump(values, result)
    return result.getvalue()


def _value(override: str, text: str) -> Any:
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError:
        raise EvermodelError(f"the value of the override {override!r} is not valid YAML") from None


def _holder(section: Any, key: str, profile: str) -> Any:
    """The section, or its section `sample` where that holds the key now."""
    special = section.get("sample")
    holds = profile == "sample" and isinstance(special, MutableMapping) and key in special
    return special if holds else section
