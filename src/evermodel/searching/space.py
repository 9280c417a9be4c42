"""What is searched, and where: the section `search` of experiments/NAME/params.yaml."""

import copy
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import AfterValidator, Field, FiniteFloat, model_validator

from evermodel.core import catalog, section
from evermodel.core.errors import EvermodelError
from evermodel.core.section import Section, choose
from evermodel.runs import recipe
from evermodel.runs.recipe import Recipe

if TYPE_CHECKING:
    from optuna import Trial  # a second, of which `list` and `check` have no use

SEARCHED = ("train", "options")
DIGITS = 3  # of a number that is found: a person reads it


def _numbers(ends: tuple[Any, Any]) -> tuple[Any, Any]:
    if not all(isinstance(end, int | float) and not isinstance(end, bool) for end in ends):
        raise ValueError(f"is {list(ends)}, but must be two numbers, like [0.1, 0.5]")
    if not ends[0] < ends[1]:
        raise ValueError(f"is {list(ends)}, but the lower end comes first, and the two differ")
    return ends


Ends = Annotated[tuple[Any, Any], AfterValidator(_numbers)]


class Values(Section):
    """Where the value at a path of params.yaml is looked for: one of `range`, `log` and `of`.

    range, log: between two ends, evenly or evenly by logarithm; whole numbers between whole ends. `[a, b]` is
    short for a range. of: among choices. when: what values at other paths have to be; else it stays as it is.
    """

    range: Ends | None = None
    log: Ends | None = None
    of: Annotated[tuple[Any, ...], Field(min_length=2)] | None = None
    when: Mapping[str, Any] = {}

    @model_validator(mode="before")
    @classmethod
    def _in_short(cls, said: Any) -> Any:
        return {"range": said} if isinstance(said, list) else said

    @model_validator(mode="after")
    def _one_of_three(self) -> "Values":
        if sum(one is not None for one in (self.range, self.log, self.of)) != 1:
            raise ValueError("must have one of range, log and of, like {log: [0.001, 0.1]}")
        if self.log and self.log[0] <= 0:
            raise ValueError(f"has log {list(self.log)}, but a logarithm takes numbers above 0")
        return self

    @property
    def ends(self) -> tuple[Any, ...]:
        """The two ends, or all choices."""
        return self.of or self.range or self.log or ()

    def holds(self, value: Any) -> bool:
        """Whether a value is among them."""
        if self.of:
            return value in self.of
        low, high = self.ends
        return isinstance(value, self._kind) and not isinstance(value, bool) and low <= value <= high

    def suggested(self, trial: "Trial", path: str, today: Any) -> Any:
        """The value that a trial is to take; a number has few digits, unless it is today's."""
        if self.of:  # Optuna keeps numbers and texts, but no lists
            return json.loads(trial.suggest_categorical(path, [json.dumps(one) for one in self.of]))
        low, high = self.ends
        if self._kind is int:
            return trial.suggest_int(path, low, high, log=self.log is not None)
        found = trial.suggest_float(path, low, high, log=self.log is not None)
        return found if found == today else min(max(float(f"{found:.{DIGITS}g}"), low), high)

    def kept(self, value: Any) -> Any:
        """The value as Optuna keeps it."""
        return json.dumps(value) if self.of else value

    @property
    def _kind(self) -> Any:
        return int if all(isinstance(end, int) for end in self.ends) else int | float


class Limits(Section):
    """What a model that is found may be: megabytes of its file, milliseconds for one example."""

    megabytes: Annotated[FiniteFloat, Field(gt=0)] | None = None
    milliseconds: Annotated[FiniteFloat, Field(gt=0)] | None = None


class Search(Section):
    """How better values of `train` and `options` are looked for.

    metric: of the rows of folds, or of the validation rows where folds is 0; never of test rows. trials: how
    many sets of values are tried, today's first. space: by their paths, such as train.learning_rate. hours:
    of all workers together, after which no trial begins.
    """

    metric: str
    trials: Annotated[int, Field(ge=1)]
    folds: Annotated[int, Field(ge=0)] = 5
    space: Annotated[Mapping[str, Values], Field(min_length=1)]
    hours: Annotated[FiniteFloat, Field(gt=0)] | None = None
    limits: Limits = Limits()


def suggested(trial: "Trial", search: Search, values: Mapping[str, Any]) -> dict[str, Any]:
    """The values that a trial is to take, by their paths; values: of params.yaml."""
    found: dict[str, Any] = {}
    for path, one in search.space.items():
        if _holds(one, found, values):
            found[path] = one.suggested(trial, path, at(values, path))
    return found


def today(search: Search, values: Mapping[str, Any]) -> dict[str, Any]:
    """The values that stand in params.yaml, as far as they are searched."""
    return {path: at(values, path) for path, one in search.space.items() if _holds(one, {}, values)}


def with_values(values: Mapping[str, Any], found: Mapping[str, Any]) -> dict[str, Any]:
    """The values of params.yaml, with other ones at some paths."""
    changed: dict[str, Any] = copy.deepcopy(dict(values))
    for path, value in found.items():
        *above, key = path.split(".")
        holder = changed
        for name in above:
            holder = holder[name]
        holder[key] = value
    return changed


def recipe_of(name: str, values: Mapping[str, Any]) -> Recipe:
    """The recipe that values of params.yaml make; EvermodelError that names the key if they make none."""
    known = {key: values[key] for key in Recipe.model_fields if key in values}
    made = section.checked(Recipe, known, recipe.where(name))
    recipe.require_sense(name, made)
    return made


def at(values: Any, path: str) -> Any:
    """The value at a path such as train.learning_rate; KeyError if none stands there."""
    for key in path.split("."):
        if not isinstance(values, Mapping) or key not in values:
            raise KeyError(path)
        values = values[key]
    return values


def require_sense(name: str, task: str, search: Search, values: Mapping[str, Any]) -> None:
    """Raise an EvermodelError where the metric is none, or a path can't take what it is to be given.

    values: of params.yaml.
    """
    file, above = recipe.where(name), set[str]()
    wrong = f"is {search.metric!r}, which no row of folds or validation is judged by in the task {task}"
    choose(f"{file}: search.metric", search.metric, catalog.headlines(task), wrong)
    if search.folds == 1:
        raise EvermodelError(
            f"{file}: search.folds is 1, which would leave nothing to learn from; write 2 or more, or 0"
        )
    for path, one in search.space.items():
        where = f"{file}: search.space.{path}"
        for key in (path, *one.when):
            _require_there(where, key, values)
        for key in one.when:
            if key in search.space and key not in above:
                raise EvermodelError(f"{where}.when names {key}, which has to stand above it")
        above.add(path)
        if _holds(one, {}, values) and not one.holds(now := at(values, path)):
            raise EvermodelError(
                f"{where} does not hold what it is today, {now!r}; widen it, for that is the first trial"
            )
        for value in one.ends:
            try:
                recipe_of(name, with_values(values, {**one.when, path: value}))
            except EvermodelError as error:
                raise EvermodelError(f"{where} holds {value!r}: {error}") from None


def _require_there(where: str, path: str, values: Mapping[str, Any]) -> None:
    first = path.partition(".")[0]
    choose(where, first, SEARCHED, f"names {path!r}, but only values below train and options are searched")
    try:
        found = at(values, path)
    except KeyError:
        raise EvermodelError(
            f"{where} names {path}, which has no value today; write one, for that is the first trial"
        ) from None
    if isinstance(found, Mapping):
        raise EvermodelError(f"{where} names {path}, which has keys of its own; name one of these")


def _holds(one: Values, found: Mapping[str, Any], values: Mapping[str, Any]) -> bool:
    return all(_now(found, values, path) == wanted for path, wanted in one.when.items())


def _now(found: Mapping[str, Any], values: Mapping[str, Any], path: str) -> Any:
    return found[path] if path in found else at(values, path)
