"""What cross-validation tells of an experiment, and of others beside it."""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from evermodel import number
from evermodel.core.errors import EvermodelError
from evermodel.repository import Experiment, Repository
from evermodel.runs import determinism
from evermodel.searching import cross_validation
from evermodel.searching.cross_validation import Judged


@dataclass(frozen=True)
class Comparison:
    """title and rows: of a table for people; summary: the same for programs; sentences: who is ahead."""

    title: str
    rows: list[dict[str, Any]]
    summary: dict[str, Any]
    sentences: list[str]


def compare(found: Repository, names: Sequence[str], count: int, seeds: int) -> Comparison:
    """Cross-validate the first experiment, its baseline, and the others, which are tested against it.

    Raises EvermodelError if count is 1, or the others are not about the same data and task, or the metric
    that the first is promoted by has no test over folds.
    """
    if count == 1:
        raise EvermodelError("--folds is 1, which would leave nothing to learn from; give 2 or more, or 0")
    chosen = found.chosen(names)
    first = _require_alike(chosen)
    determinism.fix(found.runtime)
    rules, metric = found.datasets[first.dataset], first.promotion.metric
    if names[1:]:
        cross_validation.statistic(first, metric)  # refused now, not after all trainings
    total, judged = (count or 1) * (1 + seeds * len(chosen)), list[Judged]()
    for one in cross_validation.judge(chosen, rules, found.runtime, count, seeds):
        judged.append(one)
        value = number.text(one.evaluated.metrics[metric])
        where = f"{one.who}, fold {one.fold}, seed {one.seed}"
        print(f"{len(judged)} of {total}: {where}: {metric} {value}", file=sys.stderr, flush=True)
    spread = cross_validation.summary(judged)
    ahead = [_ahead(first, metric, judged, names[0], other) for other in names[1:]]
    over = f"{count} folds" if count else "the validation rows"
    return Comparison(
        title=f"{names[0]}: mean ± sd over {over}, seeds: {seeds}",
        rows=[_row(metric, of) for metric, of in spread.items()],
        summary={
            "experiment": names[0],
            "task": first.task,
            "profile": found.profile,
            "folds": count,
            "seeds": seeds,
            "metrics": spread,
            "tests": [{"ahead": better, "behind": worse, "p": p} for better, worse, p in ahead],
        },
        sentences=[
            f"{better} is ahead of {worse} by {metric}: one-sided p = {p:.2g}" for better, worse, p in ahead
        ],
    )


def _require_alike(chosen: Mapping[str, Experiment]) -> Experiment:
    """The first experiment; EvermodelError if another one is of other data or another task."""
    (name, first), *others = chosen.items()
    for other, one in others:
        if (one.dataset, one.task) != (first.dataset, first.task):
            raise EvermodelError(
                f"{other} is {one.task} of {one.dataset}, but {name} is {first.task} of {first.dataset}; "
                "compare experiments of one data set and task"
            )
    return first


def _row(metric: str, of: Mapping[str, cross_validation.Spread]) -> dict[str, str]:
    return {"metric": metric} | {who: _told(**spread) for who, spread in of.items()}


def _told(mean: float, sd: float | None) -> str:
    return number.text(mean) if sd is None else f"{number.text(mean)} ± {number.text(sd)}"


def _ahead(
    first: Experiment, metric: str, judged: Sequence[Judged], name: str, other: str
) -> tuple[str, str, float]:
    """Who of two is ahead, who is behind, and how likely that is luck."""
    pairs = ((name, other), (other, name))
    found = [(*pair, cross_validation.chance(first, metric, judged, *pair)) for pair in pairs]
    return min(found, key=lambda one: one[2])
