"""By which study the values of a recipe were chosen: experiments/NAME/search.json, which is committed."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from evermodel.core import folders, params
from evermodel.core.errors import EvermodelError
from evermodel.runs.recipe import Recipe

FILE = "search.json"
PICTURE = "search.png"


class Choice(BaseModel):
    """What came of a study.

    trials: that ended, of which some were given up. before, found: the values of today and of the best trial,
    by path. values: what was found if it is better than today's by more than luck, or else today's. folds:
    that no trial was cut by; score_before, score: the means of the two over them, and chance: how likely
    their difference is luck. None if there was nothing else to compare.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    study: str
    profile: str
    metric: str
    trials: int
    given_up: int
    hours: float
    folds: int
    before: Mapping[str, Any]
    found: Mapping[str, Any]
    values: Mapping[str, Any]
    score_before: float | None = None
    score: float | None = None
    chance: float | None = None

    @property
    def is_better(self) -> bool:
        """Whether something better than today's values was found."""
        return bool(self.changes)

    @property
    def changes(self) -> dict[str, Any]:
        """The values that are to be others."""
        return {path: value for path, value in self.values.items() if self.before[path] != value}

    @property
    def sentence(self) -> str:
        """Which study it was, and how many values it tried."""
        tried = f"study `{self.study}`, {self.trials} trials by {self.metric}"
        return tried if self.is_better else f"{tried}, which found nothing better"

    def made(self, profile: str, recipe: Recipe) -> bool:
        """Whether a recipe has the values that were chosen."""
        now = recipe.model_dump(mode="json")
        chosen = all(params.value(now, path) == value for path, value in self.values.items())
        return chosen and profile == self.profile


def text(choice: Choice) -> str:
    """What stands in the file."""
    return json.dumps(choice.model_dump(), indent=1) + "\n"


def read(name: str) -> Choice | None:
    """What came of the last study of an experiment, if there was one; EvermodelError if it can't be read."""
    file = file_of(name)
    if not file.exists():
        return None
    try:
        return Choice.model_validate_json(file.read_text(encoding="utf-8"))
    except ValidationError:
        raise EvermodelError(
            f"{file} is not as a search writes it; take it back from Git, or delete it"
        ) from None


def file_of(name: str) -> Path:
    """Where it stands for an experiment."""
    return folders.experiment(name) / FILE
