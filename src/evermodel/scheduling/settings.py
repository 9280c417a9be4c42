"""What whoever triggers a run may change about it: the profile, values of a params.yaml, and force."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

import yaml
from pydantic import Field, field_validator
from ruamel.yaml import YAML  # comes with DVC; unlike PyYAML it keeps comments

from evermodel.core import folders
from evermodel.core.errors import EvermodelError
from evermodel.core.params import FILE, PROFILES, Loader, read
from evermodel.core.section import Section

WIDTH = 10_000  # lines stay as they are
FOLDERS = (str(folders.DATASETS), str(folders.EXPERIMENTS))
S = TypeVar("S", bound=Section)


class Settings(Section):
    """What Airflow's form asks for.

    experiments: those to retrain, all if none. overrides: `experiments.NAME.key=value`,
    `data.NAME.key=value` or `runtime.key=value`, the value in YAML. workers: that run the trials of a search.
    """

    experiments: tuple[str, ...] = ()
    profile: Literal["as committed", "sample", "full"] = "as committed"
    force: bool = False
    overrides: tuple[str, ...] = ()
    commit: str = ""
    workers: Annotated[int, Field(ge=1)] = 2


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


def parse(text: str, kind: type[S]) -> S:
    """What a form says, from JSON, in which null is what was left empty; EvermodelError if it does not."""
    try:
        given = json.loads(text)
        return kind.model_validate({key: value for key, value in given.items() if value is not None})
    except (ValueError, AttributeError) as error:
        raise EvermodelError(f"EVERMODEL_SETTINGS is wrong: {' '.join(str(error).split())}") from None


def changes(chosen: Settings) -> tuple[str, ...]:
    """What differs from the commit, each as an override."""
    profile = () if chosen.profile == "as committed" else (f"profile={chosen.profile}",)
    return (*profile, *chosen.overrides)


def judging(chosen: Settings, name: str, dataset: str) -> tuple[str, ...]:
    """The overrides that touch what an experiment is judged by.

    Those of its own, of its data set and of what is shared; but `train` only makes the model. The baseline
    takes the `options` that it shares with the model, and some tasks ask by them.
    """
    making = f"experiments.{name}.train"
    others = tuple(f"{folder}." for folder in FOLDERS)
    own = (f"experiments.{name}.", f"data.{dataset}.")
    return tuple(
        override
        for override in chosen.overrides
        if override.startswith(own) or not override.startswith(others)
        if not override.startswith((f"{making}.", f"{making}="))
    )


def apply(chosen: Settings) -> None:
    """Write the settings into the files params.yaml that they name; their comments stay.

    Raises EvermodelError if one names no section, or its value is no YAML.
    """
    for override in changes(chosen):
        path, _, value = override.partition("=")
        names = path.split(".")
        depth = 2 if names[0] in FOLDERS and len(names) > 2 else 0  # of the folder that is named before keys
        file, (*sections, key) = Path(*names[:depth], FILE), names[depth:]
        writer = YAML()
        writer.width = WIDTH
        try:
            if depth and file.parent.name != names[1]:  # `one/` is one by a name that nobody knows it by
                raise FileNotFoundError
            values = writer.load(file)
        except FileNotFoundError:
            raise EvermodelError(f"the override {override!r} is about {file}, which does not exist") from None
        holder = values
        for section in sections:
            holder = _in_profile(holder.get(section))
            if not isinstance(holder, Mapping):
                raise EvermodelError(
                    f"the override {override!r} names {section!r}, which is no section of {file}; "
                    "write it like experiments.fashion_cnn.train.epochs=3"
                )
        try:
            holder[key] = yaml.load(value, Loader=Loader)
        except yaml.YAMLError:
            raise EvermodelError(f"the value of the override {override!r} is not valid YAML") from None
        writer.dump(values, file)


def _in_profile(values: Any) -> Any:
    """The side of `{full: …, sample: …}` that holds now, or the values as they are."""
    pair = isinstance(values, Mapping) and set(values) == set(PROFILES)
    return values[read(FILE)["profile"]] if pair else values
