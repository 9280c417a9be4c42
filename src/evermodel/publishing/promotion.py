"""Whether a model becomes champion, by the policy of its experiment and with what chance would do in mind."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd

from evermodel.core.data import Array
from evermodel.core.errors import EvermodelError
from evermodel.evaluation import statistics
from evermodel.publishing.candidate import Candidate
from evermodel.publishing.policy import Promotion
from evermodel.publishing.scores import Scores

SEED = 0
FEWEST, MOST = 2000, 50_000  # draws
TAIL = 20  # draws that have to lie beyond each bound
GROUPS = 10  # a column with more values than that is cut into quarters


@dataclass(frozen=True)
class Rival:
    """What counts of the champion. scores: on the candidate's test rows, if it takes their inputs."""

    version: int
    profile: str
    scores: Scores | None


class Comparison(NamedTuple):
    """By how much the metric beats the champion's on some test rows; needed: what `low` has to be above."""

    rows: str
    size: int
    value: float
    low: float
    high: float
    needed: float

    @property
    def passed(self) -> bool:
        """Whether the difference is more than luck and what is needed."""
        return self.low > self.needed


@dataclass(frozen=True)
class Decision:
    """promoted: whether it deserves to be champion; confidence: of the comparisons, if there are any.

    trusted: whether visitors may be answered by it on trial; waits: whether a person has to say so first, of
    what could not be compared.
    """

    promoted: bool
    reason: str
    trusted: bool = False
    waits: bool = False
    confidence: float | None = None
    comparisons: tuple[Comparison, ...] = ()


def decide(model: Candidate, rival: Rival | None, uses: int = 0) -> Decision:
    """Judge a model by its metrics.json and its scores.

    Finite, within the absolute limits, better than its baseline, and better than the champion on the same
    test rows by more than chance. A tie keeps the champion. The full profile beats the sample profile,
    whatever the numbers are. uses: how many decisions these test rows have been used for. Raises
    EvermodelError if a slice has too few rows to be compared.
    """
    alone = _alone(model)
    if not alone.promoted or rival is None:
        return alone
    if rival.profile != model.profile:
        reason = f"champion {rival.version} is of the profile {rival.profile}, this model of {model.profile}"
        return Decision(model.profile == "full", reason)
    if rival.scores is None:
        return Decision(True, f"{alone.reason}; champion {rival.version} takes other inputs")
    if fault := _fault(model.scores, rival.scores, model.policy.metric):
        return Decision(False, fault)
    return _against(model, rival.scores, rival.version, uses)


def spent(confidence: float, uses: int) -> float:
    """The confidence of the decision after `uses` others on the same test rows.

    The chance of a wrong promotion is shared out as 6 / (pi k)^2 to decision k, which sums to all of it
    however many there will be (alpha spending; Foster & Stine 2008, section 5).
    """
    return 1 - (1 - confidence) * 6 / (math.pi * (uses + 1)) ** 2


def groups(name: str, column: pd.Series) -> list[tuple[str, Array]]:
    """The rows of each group of a column: its values, or its quarters where there are many."""
    if column.nunique() > GROUPS:
        column = pd.qcut(column, 4, duplicates="drop").astype(str)
    return [(f"{name} = {value}", (column == value).to_numpy()) for value in sorted(column.unique())]


def _alone(model: Candidate) -> Decision:
    """What can be said without a champion."""
    policy, metric = model.policy, model.policy.metric
    value, baseline = (model.figures.get(name, math.nan) for name in (metric, f"baseline_{metric}"))
    if not math.isfinite(value) or not math.isfinite(baseline):
        return Decision(
            False, f"{metric} is {value} and its baseline's {baseline}; both must be finite numbers"
        )
    limit = policy.floor if policy.floor is not None else policy.ceiling
    assert limit is not None
    if policy.direction * (value - limit) < 0:
        return Decision(False, f"{metric} {value:.4g} misses the limit {limit:g}")
    if policy.direction * (value - baseline) <= 0:
        return Decision(False, f"{metric} {value:.4g} does not beat the baseline's {baseline:.4g}")
    if policy.max_megabytes is not None and model.megabytes > policy.max_megabytes:
        return Decision(False, f"{model.megabytes:.4g} MB are more than {policy.max_megabytes:g}")
    if policy.max_latency is not None and not model.latency <= policy.max_latency:
        return Decision(
            False, f"it takes {model.latency:.3g} times as long as the reference, not {policy.max_latency:g}"
        )
    return Decision(True, f"{metric} {value:.4g} meets {limit:g} and beats the baseline's {baseline:.4g}")


def _fault(ours: Scores, theirs: Scores, metric: str) -> str:
    """Why two tables can't be compared; "" if they can."""
    if ours.test_hash != theirs.test_hash or len(ours.table) != len(theirs.table):
        return (
            f"the scores are of {len(ours.table)} test rows ({ours.test_hash[:8]}), the champion's of "
            f"{len(theirs.table)} ({theirs.test_hash[:8]}); only the same rows can be compared"
        )
    for who, scores in (("this model", ours), ("the champion", theirs)):
        if metric not in scores.statistics:
            return f"the scores of {who} do not tell {metric}"
        columns = list(scores.statistics[metric].columns)
        if not np.isfinite(scores.table[columns].to_numpy(float)).all():
            return f"the scores of {who} are not finite in {', '.join(columns)}"
    return ""


def _against(model: Candidate, theirs: Scores, version: int, uses: int) -> Decision:
    policy = model.policy
    confidence = spent(policy.confidence, uses)
    parts = [("all", np.ones(len(theirs.table), dtype=bool), policy.margin)]
    parts += [
        (group, rows, -policy.slices[name])
        for name, column in model.slices.items()
        for group, rows in groups(name, column)
    ]
    # All intervals hold at once with the confidence (Bonferroni).
    level = 1 - (1 - confidence) / len(parts)
    made = tuple(_compare(policy, model.scores, theirs, level, *part) for part in parts)
    passed = all(one.passed for one in made)
    sentence = _sentence(policy, made, version, confidence)
    return Decision(passed, sentence, trusted=True, confidence=confidence, comparisons=made)


def _compare(
    policy: Promotion, ours: Scores, theirs: Scores, level: float, name: str, rows: Array, needed: float
) -> Comparison:
    how, tables = ours.statistics[policy.metric], (ours.table[rows], theirs.table[rows])
    draws = min(MOST, max(FEWEST, math.ceil(2 * TAIL / (1 - level))))
    try:
        first, second = (statistics.value(how, table) for table in tables)
        bounds = statistics.difference(how, *tables, SEED, level, draws)
    except EvermodelError:
        raise EvermodelError(
            f"{rows.sum()} test rows, where {name}, are too few to compare {policy.metric}: remove the slice "
            "from promotion.slices of the experiment, or set a larger split.test for its data set"
        ) from None
    low, high = sorted(policy.direction * bound for bound in bounds)
    return Comparison(name, int(rows.sum()), policy.direction * (first - second), low, high, needed)


def _sentence(policy: Promotion, made: Sequence[Comparison], version: int, confidence: float) -> str:
    metric, first = policy.metric, made[0]
    interval = f"by {first.value:.4g} [{first.low:.4g}, {first.high:.4g}] at {confidence:.4%} confidence"
    if not first.passed:
        more = f" more than {policy.margin:g}" if policy.margin else ""
        return f"{metric} does not beat champion {version}'s{more}: better {interval}"
    if worse := [one for one in made[1:] if not one.passed]:
        one = worse[0]
        return (
            f"{metric} may be worse than champion {version}'s where {one.rows}: better by {one.value:.4g} "
            f"[{one.low:.4g}, {one.high:.4g}], and {one.needed:g} is allowed"
        )
    return f"{metric} beats champion {version}'s {interval}"
