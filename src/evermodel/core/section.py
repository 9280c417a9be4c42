"""What all files params.yaml share: how their values are checked, and told about."""

from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Literal, TypeVar, get_args, get_type_hints

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    FiniteFloat,
    TypeAdapter,
    ValidationError,
    with_config,
)
from typing_extensions import TypedDict, is_typeddict  # the ones that pydantic takes in Python 3.11

from evermodel.core.errors import EvermodelError

Profile = Literal["sample", "full"]
# A name becomes a folder, an MLflow experiment and a URL: nothing that any of them would interpret.
NAME = r"^[a-z][a-z0-9_]{0,62}$"

# What pydantic calls what it wants, in the words of somebody who writes YAML.
WANTED = {
    "string_type": "text, in quotes where YAML sees something else",
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "finite_number": "a finite number",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "tuple_type": "a list, like [a, b]",
    "sequence_str": "a list, like [a, b]",
    "is_instance_of": "a list, like [a, b]",
    "dict_type": "keys with values, like {a: 1}",
    "mapping_type": "keys with values, like {a: 1}",
    "model_type": "keys with values, like {a: 1}",
}
UNKNOWN = ("extra_forbidden", "invalid_key")  # pydantic's words for a key that it does not know
SHOWN = 80  # characters of a wrong value

S = TypeVar("S", bound="Section")
T = TypeVar("T")


def _in_order(bounds: tuple[float, float]) -> tuple[float, float]:
    if bounds[0] > bounds[1]:
        raise ValueError(f"is {list(bounds)}, but the lower bound comes first; exchange them")
    return bounds


Range = Annotated[tuple[FiniteFloat, FiniteFloat], AfterValidator(_in_order)]


class Section(BaseModel):
    """A frozen part of a params.yaml that refuses keys it does not know.

    Names may look like numbers: `columns: [1, 2]` are "1" and "2".
    """

    model_config = ConfigDict(extra="forbid", frozen=True, coerce_numbers_to_str=True)


def of_keywords(name: str, kinds: Mapping[str, Any], *, strict: bool = False) -> type[dict[str, Any]]:
    """The keyword arguments of a function by their types, none of them required, for `checked`.

    strict: whether `"3"` is no whole number, and `yes`, which is text in YAML, not true.
    """
    config = Section.model_config | ConfigDict(strict=strict)
    kind: type[dict[str, Any]] = with_config(config)(TypedDict(name, kinds, total=False))  # type: ignore[operator]
    return kind


def checked(section: type[T], values: Any, where: str, path: str = "") -> T:
    """The values as a section, or as a TypedDict.

    where: the file that they stand in; path: the keys above them, if any. Raises EvermodelError that names
    the full path of the wrong key and the choices there are.
    """
    try:
        return TypeAdapter(section).validate_python(values)
    except ValidationError as error:
        raise EvermodelError(f"{where}: {_sentence(section, error, path)}") from None


def choose(where: str, value: str, choices: Iterable[str], wrong: str = "") -> None:
    """Raise an EvermodelError that names the choices if the value is none of them."""
    if value not in (known := sorted(choices)):
        wrong = wrong or f"is {value!r}, which does not exist"
        raise EvermodelError(f"{where} {wrong}; the choices are {', '.join(known) or 'none'}")


def _sentence(section: type[Any], error: ValidationError, above: str) -> str:
    """The first thing wrong, with the full path of its key.

    An unknown key comes first: a misspelled one is missing under its right name as well.
    """
    wrong = error.errors(include_url=False)
    first = next((one for one in wrong if one["type"] in UNKNOWN), wrong[0])
    keys = (above, *(str(part) for part in first["loc"] if part != "[key]"))
    path = ".".join(filter(None, keys)) or "the top level"
    shown = "empty" if first["input"] is None else repr(first["input"])
    shown = shown if len(shown) <= SHOWN else f"{shown[:SHOWN]}…"
    match first["type"]:
        case unknown if unknown in UNKNOWN:
            known = ", ".join(_known_keys(section, first["loc"]))
            return f"{path} is not a known key; the choices are {known}"
        case "missing":
            return f"{path} is missing; add it"
        case "string_pattern_mismatch":
            return f"{path} is {shown}, which does not match {first['ctx']['pattern']}"
        case "too_long":
            return (
                f"{path} has {first['ctx']['actual_length']} values, but takes {first['ctx']['max_length']}"
            )
        case "value_error":
            return f"{path} {first['ctx']['error']}"
    message = first["msg"][0].lower() + first["msg"][1:]
    wanted = WANTED.get(first["type"])
    return f"{path} is {shown}, but {f'must be {wanted}' if wanted else message}"


def _known_keys(section: Any, path: tuple[int | str, ...]) -> list[str]:
    """The keys that the section holding `path` knows."""
    for part in path[:-1]:
        if fields := _fields(section):
            section = fields[str(part)]
        else:  # a mapping of names to sections, or a list of them: step over the name
            section = next(kind for kind in reversed(get_args(section)) if kind is not Ellipsis)
        if type(None) in get_args(section):
            section = get_args(section)[0]
    return sorted(_fields(section))


def _fields(section: Any) -> dict[str, Any]:
    """The keys of a section or a TypedDict, each with its type; nothing of any other type."""
    if is_typeddict(section):
        return get_type_hints(section)
    return {name: field.annotation for name, field in getattr(section, "model_fields", {}).items()}
