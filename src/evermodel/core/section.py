"""What all files params.yaml share: how their values are checked, and told about."""

from collections.abc import Iterable
from typing import Any, Literal, TypeVar, get_args

from pydantic import BaseModel, ConfigDict, ValidationError

from evermodel.core.errors import EvermodelError

Profile = Literal["sample", "full"]
# A name becomes a folder, an MLflow experiment and a URL: nothing that any of them would interpret.
NAME = r"^[a-z][a-z0-9_]{0,62}$"

S = TypeVar("S", bound="Section")


class Section(BaseModel):
    """A frozen part of a params.yaml that refuses keys it does not know."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def checked(section: type[S], values: Any, where: str) -> S:
    """The values as a section; where: the file that they stand in.

    Raises EvermodelError that names the full path of the wrong key and the choices there are.
    """
    try:
        return section.model_validate(values)
    except ValidationError as error:
        raise EvermodelError(f"{where}: {_sentence(section, error)}") from None


def choose(where: str, value: str, choices: Iterable[str], wrong: str = "") -> None:
    """Raise an EvermodelError that names the choices if the value is none of them."""
    if value not in (known := sorted(choices)):
        wrong = wrong or f"is {value!r}, which does not exist"
        raise EvermodelError(f"{where} {wrong}; the choices are {', '.join(known) or 'none'}")


def _sentence(section: type[Section], error: ValidationError) -> str:
    """The first thing wrong, with the full path of its key.

    An unknown key comes first: a misspelled one is missing under its right name as well.
    """
    wrong = error.errors(include_url=False)
    first = next((one for one in wrong if one["type"] == "extra_forbidden"), wrong[0])
    path = ".".join(str(part) for part in first["loc"] if part != "[key]") or "the top level"
    match first["type"]:
        case "extra_forbidden":
            known = ", ".join(_known_keys(section, first["loc"]))
            return f"{path} is not a known key; the choices are {known}"
        case "missing":
            return f"{path} is missing; add it"
        case "string_pattern_mismatch":
            return f"{path} is {first['input']!r}, which does not match {first['ctx']['pattern']}"
        case "value_error":
            return f"{path} {first['ctx']['error']}"
    message = first["msg"][0].lower() + first["msg"][1:]
    return f"{path} is {first['input']!r}, but {message}"


def _known_keys(section: Any, path: tuple[int | str, ...]) -> list[str]:
    """The keys that the section holding `path` knows."""
    for part in path[:-1]:
        if hasattr(section, "model_fields"):
            section = section.model_fields[str(part)].annotation
        else:  # a mapping of names to sections, or a list of them: step over the name
            section = next(kind for kind in reversed(get_args(section)) if kind is not Ellipsis)
        if type(None) in get_args(section):
            section = get_args(section)[0]
    return sorted(section.model_fields)
