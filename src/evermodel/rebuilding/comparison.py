"""What a rebuild is to the model that was registered: the same to the last bit, as good, or another one."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

KIND = ("processor", "device")  # what makes two machines of the same kind
# The same bytes and figures; as good, by the same recipe; neither.
Verdict = Literal["EXACT", "EQUIVALENT", "DIVERGED"]


@dataclass(frozen=True)
class Making:
    """What is known of one making of a model.

    sha256: of its file. key: of its training. figures: its metrics.json. params: values of params.yaml, and
    machine: what it was trained on, both as MLflow keeps them. environment: sha256 of the lock file of what
    computes numbers. outputs: a hash of what each stage wrote, in the order of the stages.
    """

    sha256: str
    key: str
    test_hash: str
    figures: Mapping[str, float]
    params: Mapping[str, str]
    machine: Mapping[str, str]
    environment: str
    outputs: Mapping[str, str]


@dataclass(frozen=True)
class Comparison:
    """stage: the first one that wrote something else, if any did; reasons: what else differs.

    same_kind: whether both were made on the same kind of machine; several are none, for their sums are taken
    in another order each time.
    """

    verdict: Verdict
    stage: str | None
    reasons: tuple[str, ...]
    same_kind: bool

    @property
    def as_it_should_be(self) -> bool:
        """Whether it is the same; on another kind of machine as good will do."""
        return self.verdict == "EXACT" or (self.verdict == "EQUIVALENT" and not self.same_kind)


def compare(metric: str, recorded: Making, rebuilt: Making, installed: Sequence[str] = ()) -> Comparison:
    """Compare a rebuild. metric: what the model is promoted by; installed: how what is installed differs from
    the lock files.
    """
    other = (stage for stage, digest in recorded.outputs.items() if rebuilt.outputs.get(stage) != digest)
    return Comparison(
        _verdict(metric, recorded, rebuilt),
        next(other, None),
        (*_reasons(recorded, rebuilt), *installed),
        all(recorded.machine.get(fact) == rebuilt.machine.get(fact) for fact in KIND)
        and recorded.params.get("train.machines", "1") == "1",
    )


def _reasons(recorded: Making, rebuilt: Making) -> list[str]:
    """What else differs between the two makings, and may be why."""
    found = [
        f"{name} was {was or 'not set'}, the commit says {now or 'nothing'}"
        for name, was, now in _changes(recorded.params, rebuilt.params)
    ]
    if recorded.environment != rebuilt.environment:
        found.append("requirements/numbers.lock of the commit is not the one that it was trained with")
    prepared = recorded.outputs.get("prepare") == rebuilt.outputs.get("prepare")
    device = recorded.machine.get("device") == rebuilt.machine.get("device")  # a part of the key, told below
    if recorded.key != rebuilt.key and not found and prepared and device:
        found.append("the code of the commit is not the one that trained it")
    found += [
        f"the machine's {fact} was {was or 'unknown'}, is {now or 'unknown'}"
        for fact, was, now in _changes(recorded.machine, rebuilt.machine)
    ]
    return found


def _verdict(metric: str, recorded: Making, rebuilt: Making) -> Verdict:
    # As text, in which a figure that is no number is the same as itself.
    figures, again = (repr(sorted(made.figures.items())) for made in (recorded, rebuilt))
    if recorded.sha256 == rebuilt.sha256 and figures == again:
        return "EXACT"
    # Another recipe, or other test rows, may give a good figure too, but not this model's.
    same_recipe = recorded.params == rebuilt.params and recorded.test_hash == rebuilt.test_hash
    low, high = (recorded.figures.get(f"{metric}_{bound}", math.nan) for bound in ("low", "high"))
    within = low <= rebuilt.figures.get(metric, math.nan) <= high
    return "EQUIVALENT" if same_recipe and within else "DIVERGED"


def _changes(was: Mapping[str, str], now: Mapping[str, str]) -> list[tuple[str, str | None, str | None]]:
    names = sorted({*was, *now})
    return [(name, was.get(name), now.get(name)) for name in names if was.get(name) != now.get(name)]
