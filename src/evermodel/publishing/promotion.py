"""Whether a model becomes champion, by the policy of its experiment and with what chance would do in mind."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import pandas as pd
from pandas.api.types import is_numeric_dtype

from evermodel import number
from evermodel.core import catalog
from evermodel.core.data import Array
from evermodel.core.errors import EvermodelError
from evermodel.evaluation import statistics
from evermodel.publishing import paired
from evermodel.publishing.candidate import Candidate
from evermodel.publishing.policy import Promotion
from evermodel.publishing.scores import Scores
from evermodel.runs import recipe

SEED = 0
GROUPS = 10  # a column with more numbers than that is cut into quarters


@dataclass(frozen=True)
class Rival:
    """What counts of the champion. scores: on the candidate's test rows, if it takes their inputs."""

    version: int
    profile: str
    scores: Scores | None


class Part(NamedTuple):
    """Test rows on which models are compared, and by how much the metric has to be better there."""

    name: str
    rows: Array
    needed: float


class Comparison(NamedTuple):
    """By how much the metric beats the champion's, or the baseline's, on some test rows.

    low, high: the 95 % interval of that, for reading. needed: how much has to be beaten; chance: how likely
    luck alone is to go as far if it is not; level: what that has to be below.
    """

    rows: str
    size: int
    value: float
    low: float
    high: float
    needed: float
    chance: float
    level: float

    @property
    def passed(self) -> bool:
        """Whether the difference is more than luck and what is needed."""
        return self.chance < self.level


@dataclass(frozen=True)
class Decision:
    """promoted: whether it deserves to be champion. trusted: whether visitors may be answered by it on trial.

    waits: whether a person has to say so first, of what could not be compared.
    """

    promoted: bool
    reason: str
    trusted: bool = False
    waits: bool = False
    comparisons: tuple[Comparison, ...] = ()


def decide(model: Candidate, rival: Rival | None, uses: int = 0) -> Decision:
    """Judge a model by its metrics.json and its scores.

    Finite, within the absolute limits, better than its baseline, and better than the champion on the same
    test rows by more than chance. A tie keeps the champion. Where no champion can be compared, the baseline
    has to be beaten by more than chance. The full profile beats the sample profile then, and what takes other
    inputs than the champion waits for a person. uses: how many decisions these test rows have been used for.
    Raises EvermodelError if the policy names a slice that can't be compared.
    """
    policy, confidence = model.policy, spent(model.policy.confidence, uses)
    if fault := _untold(model.scores, policy.metric, "this model"):
        return Decision(False, fault)
    parts = [_all(model, policy.margin), *_slices(model)]
    if fault := _alone(model):
        return Decision(False, fault)
    if rival and rival.profile != model.profile and model.profile != "full":
        return Decision(False, f"champion {rival.version} is of the full profile, this model is not")
    if rival and rival.scores:
        return _against(model, rival.scores, rival.version, parts, confidence)
    first = _first(model, confidence)
    if rival is None or not first.promoted:
        return first
    if rival.profile != model.profile:
        return replace(first, reason=f"{first.reason}; champion {rival.version} is not of the full profile")
    about = f"it takes other inputs than champion {rival.version}, so that a person has to say"
    return replace(first, promoted=False, trusted=False, waits=True, reason=f"{first.reason}; {about}")


def spent(confidence: float, uses: int) -> float:
    """The confidence of the decision after `uses` others on the same test rows.

    The chance of a wrong promotion is shared out as 6 / (pi k)^2 to decision k, which sums to all of it
    however many there will be (alpha spending; Foster & Stine 2008, section 5).
    """
    return 1 - (1 - confidence) * 6 / (math.pi * (uses + 1)) ** 2


def groups(name: str, column: pd.Series) -> list[tuple[str, Array]]:
    """The rows of each group of a column: its values, or quarters of many numbers, and what is missing."""
    missing = column.isna().to_numpy()
    if is_numeric_dtype(column) and column.nunique() > GROUPS:
        column = pd.qcut(column, 4, duplicates="drop").astype(object)
    known = [
        (f"{name} = {value}", (column == value).to_numpy()) for value in sorted(column[~missing].unique())
    ]
    return [*known, (f"{name} is missing", missing)] if missing.any() else known


def percent(share: float) -> str:
    """A share as a person reads it."""
    return "less than 0.0001 %" if share < 1e-6 else f"{100 * share:.3g} %"


def _all(model: Candidate, needed: float) -> Part:
    return Part("all", np.ones(len(model.scores.table), dtype=bool), needed)


def _slices(model: Candidate) -> Iterator[Part]:
    """The groups of the policy's slices; EvermodelError if not even equal answers could pass in one."""
    policy = model.policy
    for name, column in model.slices.items():
        for group, rows in groups(name, column):
            part = Part(group, rows, -policy.slices[name])
            if not _can_pass(policy, model.scores, part):
                raise EvermodelError(
                    f"{recipe.where(model.name)}: promotion.slices.{name} is {policy.slices[name]:g}, but "
                    f"{rows.sum()} test rows, where {group}, are too few or too much alike to tell whether "
                    f"{policy.metric} is worse by more: allow more, leave the slice out, or set a larger "
                    "split.test for the data set"
                )
            yield part


def _can_pass(policy: Promotion, scores: Scores, part: Part) -> bool:
    """Whether a model with the same scores as its champion passes the first time."""
    how, rows = scores.statistics[policy.metric], scores.table[part.rows]
    try:
        statistics.draws(how, rows, statistics.groups(how, rows), 1)
    except EvermodelError:  # not two of each class
        return False
    level = 1 - spent(policy.confidence, 0)
    return paired.chance(how, rows, rows, policy.direction, part.needed, level) < level


def _alone(model: Candidate) -> str:
    """Why a model can't be champion whoever else there is; "" if it can."""
    policy, metric = model.policy, model.policy.metric
    value, baseline = (model.figures.get(name, math.nan) for name in (metric, f"baseline_{metric}"))
    if not math.isfinite(value) or not math.isfinite(baseline):
        return f"{metric} is {value} and its baseline's {baseline}; both must be finite numbers"
    if policy.direction * (value - policy.limit) < 0:
        return f"{metric} {number.text(value)} misses the limit {number.text(policy.limit)}"
    if policy.direction * (value - baseline) <= 0:
        return f"{metric} {number.text(value)} does not beat the baseline's {number.text(baseline)}"
    for name, least in policy.least.items():
        if not (told := model.figures.get(name, math.nan)) >= least:
            means = catalog.least(model.recipe.task)[name]
            return f"{name} {number.text(told)} is less than {number.text(least)}: {means}"
    if policy.max_megabytes is not None and model.megabytes > policy.max_megabytes:
        return f"{model.megabytes:.4g} MB are more than {policy.max_megabytes:g}"
    if policy.max_latency is not None and not model.latency <= policy.max_latency:
        return f"it takes {model.latency:.3g} times as long as the reference, not {policy.max_latency:g}"
    return ""


def _untold(scores: Scores, metric: str, whose: str) -> str:
    """Why scores can't be compared by the metric; "" if they can."""
    how = scores.statistics.get(metric)
    if how is None or not set(how.needs) <= set(scores.table):
        return f"the scores of {whose} do not tell {metric}"
    columns = how.needs
    if not np.isfinite(scores.table[columns].to_numpy(float)).all():
        return f"the scores of {whose} are not finite in {', '.join(columns)}"
    return ""


def _first(model: Candidate, confidence: float) -> Decision:
    """What follows from the comparison with the baseline, where there is no other."""
    policy, metric, theirs = model.policy, model.policy.metric, model.scores.baseline
    if fault := _untold(theirs, metric, "its baseline"):
        return Decision(False, fault)
    one = _compare(policy, model.scores, theirs, _all(model, 0.0), 1 - confidence)
    value, baseline = model.figures[metric], model.figures[f"baseline_{metric}"]
    meets = f"{metric} {number.text(value)} meets {number.text(policy.limit)}"
    verdict = "and beats" if one.passed else "but may owe it to luck that it beats"
    beats = f"{verdict} the baseline's {number.text(baseline)}: better {_told(one)}"
    sentence = f"{meets} {beats}{_hopeless(model, one)}"
    return Decision(one.passed, sentence, one.passed, comparisons=(one,))


def _against(
    model: Candidate, theirs: Scores, version: int, parts: Sequence[Part], confidence: float
) -> Decision:
    """What follows from the comparison with the champion.

    Each part has to pass, so that each has the whole level: what is wrong in one part passes there no more
    often (intersection-union test, Berger 1982).
    """
    policy, ours = model.policy, model.scores
    if ours.test_hash != theirs.test_hash or len(ours.table) != len(theirs.table):
        return Decision(
            False,
            f"the scores are of {len(ours.table)} test rows ({ours.test_hash[:8]}), the champion's of "
            f"{len(theirs.table)} ({theirs.test_hash[:8]}); only the same rows can be compared",
        )
    if fault := _untold(theirs, policy.metric, "the champion"):
        return Decision(False, fault)
    made = tuple(_compare(policy, ours, theirs, part, 1 - confidence) for part in parts)
    sentence = _sentence(policy, made, version) + _hopeless(model, made[0])
    passed = all(one.passed for one in made)
    return Decision(passed, sentence, _beats_baseline(model), comparisons=made)


def _beats_baseline(model: Candidate) -> bool:
    """Whether it is by more than luck that it beats its baseline."""
    ours, theirs, policy = model.scores, model.scores.baseline, model.policy
    if _untold(theirs, policy.metric, "its baseline"):
        return False
    how, level = ours.statistics[policy.metric], 1 - policy.confidence
    return paired.chance(how, ours.table, theirs.table, policy.direction, 0.0, level) < level


def _compare(policy: Promotion, ours: Scores, theirs: Scores, part: Part, level: float) -> Comparison:
    how, tables = ours.statistics[policy.metric], (ours.table[part.rows], theirs.table[part.rows])
    value = policy.direction * (statistics.value(how, tables[0]) - statistics.value(how, tables[1]))
    low, high = sorted(policy.direction * bound for bound in statistics.difference(how, *tables, SEED))
    chance = paired.chance(how, *tables, policy.direction, part.needed, level)
    return Comparison(part.name, int(part.rows.sum()), value, low, high, part.needed, chance, level)


def _sentence(policy: Promotion, made: Sequence[Comparison], version: int) -> str:
    metric, first = policy.metric, made[0]
    if not first.passed:
        more = f" more than {number.text(policy.margin)}" if policy.margin else ""
        return f"{metric} does not beat champion {version}'s{more}: better {_told(first)}"
    if worse := [one for one in made[1:] if not one.passed]:
        one = worse[0]
        return (
            f"{metric} may be worse than champion {version}'s where {one.rows}: better {_told(one)}, and "
            f"{number.text(-one.needed)} worse is allowed"
        )
    return f"{metric} beats champion {version}'s {_told(first)}"


def _hopeless(model: Candidate, one: Comparison) -> str:
    """What has to be said where no model could pass on all rows, however good; "" if one could."""
    least = paired.least(model.scores.statistics[model.policy.metric], model.scores.table)
    if least < one.level:
        return ""
    return (
        f"; no chance is below {percent(least)} on so few test rows that do not belong together: set a "
        "larger split.test for the data set"
    )


def _told(one: Comparison) -> str:
    luck = f"chance by luck {percent(one.chance)}, allowed are {percent(one.level)}"
    return f"by {number.text(one.value)} [{number.text(one.low)}, {number.text(one.high)}] ({luck})"
