"""What a model must meet to become champion: the section `promotion` of experiments/NAME/params.yaml."""

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field, FiniteFloat, model_validator

from evermodel.core import catalog
from evermodel.core.errors import EvermodelError
from evermodel.core.section import Section, choose
from evermodel.runs import recipe

REPORT_ONLY = "EVERMODEL_REPORT_ONLY"  # the variable that says why nobody is promoted whoever wins


class Promotion(Section):
    """The policy that a model must meet to become champion.

    floor or ceiling: the limit of the metric, which has to beat the baseline's, too. margin: by how much it
    has to be better than the champion's, with this confidence. slices: columns (`target`, or one of a
    table's) in whose groups it may be worse by so much and no more, which is above 0, as no test can tell
    that two are equal. least: what other metrics must be, such as the recall of what makes examples.
    max_megabytes: of the model's file. max_latency: how many times as long as a small network it may take
    for one example. approval: whether the winner is promoted at once, after somebody has approved it, or
    never.
    """

    metric: str
    floor: FiniteFloat | None = None
    ceiling: FiniteFloat | None = None
    margin: Annotated[FiniteFloat, Field(ge=0)] = 0.0
    confidence: Annotated[float, Field(ge=0.5, lt=1)] = 0.95
    slices: Mapping[str, Annotated[FiniteFloat, Field(gt=0)]] = {}
    least: Mapping[str, FiniteFloat] = {}
    max_megabytes: Annotated[FiniteFloat, Field(gt=0)] | None = None
    max_latency: Annotated[FiniteFloat, Field(gt=0)] | None = None
    approval: Literal["auto", "manual", "report-only"] = "auto"

    @property
    def direction(self) -> Literal[1, -1]:
        """1 where more is better, -1 where less is."""
        return 1 if self.floor is not None else -1

    @property
    def limit(self) -> float:
        """The floor or the ceiling."""
        limit = self.floor if self.floor is not None else self.ceiling
        assert limit is not None
        return limit

    @model_validator(mode="after")
    def _one_limit(self) -> "Promotion":
        if (self.floor is None) == (self.ceiling is None):
            raise ValueError("needs one limit: 'floor' where more is better, 'ceiling' where less is")
        return self


class Promoted(Section):
    """The part of an experiment's file that says how it is promoted."""

    promotion: Promotion


def load(name: str, task: str, profile: str) -> Promotion:
    """Read and check an experiment's policy; EvermodelError that names the wrong key."""
    policy = recipe.part(Promoted, name, profile).promotion
    require_sense(recipe.where(name), task, policy)
    return policy


def require_sense(file: str, task: str, policy: Promotion) -> None:
    """Raise an EvermodelError unless the task has the metrics, also in the slices, and the policy a limit on
    the right side.
    """
    metrics = catalog.headlines(task)
    choose(f"{file}: promotion.metric", policy.metric, metrics)
    better = metrics[policy.metric]
    limit = "floor" if better == "higher" else "ceiling"
    if getattr(policy, limit) is None:
        raise EvermodelError(
            f"{file}: promotion must have a {limit}, because {better} {policy.metric} is better"
        )
    for name in policy.least:
        wrong = f"is none of which too little tells something of the task {task}"
        choose(f"{file}: promotion.least.{name}", name, catalog.least(task), wrong)
    if (policy.margin or policy.slices) and policy.metric in catalog.counted(task):
        raise EvermodelError(
            f"{file}: promotion has {'slices' if policy.slices else 'a margin'}, but no exact test tells by "
            f"how much {policy.metric} differs, only whether it does; remove that, or change the metric"
        )
    if "target" in policy.slices and policy.metric in catalog.across(task):
        raise EvermodelError(
            f"{file}: promotion.slices names target, but {policy.metric} compares rows of several targets "
            "and tells nothing of those of one; leave it out, or promote by another metric"
        )
