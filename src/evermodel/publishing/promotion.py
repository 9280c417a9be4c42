"""Whether a model becomes champion, by the policy of its experiment."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from evermodel.core.params import Promotion


@dataclass(frozen=True)
class Champion:
    """What counts of the version that is champion now."""

    version: str
    value: float
    test_hash: str
    profile: str


@dataclass(frozen=True)
class Decision:
    """promoted: whether the alias moves (or stays with this very model); reason: one sentence."""

    promoted: bool
    reason: str


def decide(
    policy: Promotion,
    figures: Mapping[str, float],
    test_hash: str,
    profile: str,
    champion: Champion | None,
) -> Decision:
    """Judge a model by its metrics.json.

    Finite, within the absolute limit, better than its baseline, and better than the champion where both
    were scored on the same test rows. A tie keeps the champion, and a model of the sample profile never
    replaces one of the full profile.
    """
    metric = policy.metric
    value, baseline = figures.get(metric, math.nan), figures.get(f"baseline_{metric}", math.nan)
    if not math.isfinite(value) or not math.isfinite(baseline):
        return Decision(
            False, f"{metric} is {value} and its baseline's {baseline}; both must be finite numbers"
        )
    limit = policy.floor if policy.floor is not None else policy.ceiling
    assert limit is not None
    if not _at_least(policy, value, limit):
        return Decision(False, f"{metric} {value:.4g} misses the limit {limit:g}")
    if not _better(policy, value, baseline):
        return Decision(False, f"{metric} {value:.4g} does not beat the baseline's {baseline:.4g}")
    beaten = f"{metric} {value:.4g} meets {limit:g} and beats the baseline's {baseline:.4g}"
    if champion is None:
        return Decision(True, beaten)
    if champion.profile == "full" and profile == "sample":
        return Decision(
            False, f"champion {champion.version} is of the full profile, this model of the sample"
        )
    if champion.test_hash != test_hash:
        return Decision(True, f"{beaten}; champion {champion.version} was scored on other test rows")
    if not _better(policy, value, champion.value):
        return Decision(
            False, f"{metric} {value:.4g} does not beat champion {champion.version}'s {champion.value:.4g}"
        )
    return Decision(True, f"{beaten} and champion {champion.version}'s {champion.value:.4g}")


def _better(policy: Promotion, value: float, other: float) -> bool:
    return value > other if policy.floor is not None else value < other


def _at_least(policy: Promotion, value: float, limit: float) -> bool:
    return value == limit or _better(policy, value, limit)
