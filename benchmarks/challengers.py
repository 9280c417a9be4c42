"""How often luck makes a champion: models of one recipe that differ by their seed alone.

    .venv/bin/python -m benchmarks.challengers letter_mlp --models 101

Needs the report (`dvc repro experiments/letter_mlp/dvc.yaml:evaluate`). Every model is trained and scored by
the code of the pipeline, and judged by the decision that promotes: against the model before it; in a queue,
where the first is champion until one beats it; and against a model of half the training rows. Prints how many
of them were promoted where the test rows do not wear out, and where they do (alpha spending); and what part
of all pairs, either way round, would be promoted at the first look at the test rows, and at later ones.
"""

import argparse
import sys
from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import pairwise, permutations
from statistics import mean, stdev

from evermodel.core import catalog, data, folders, project
from evermodel.core.data import Prepared, Split
from evermodel.core.errors import EvermodelError
from evermodel.core.project import Project
from evermodel.evaluation import evaluation
from evermodel.publishing import candidate, paired, promotion
from evermodel.publishing.candidate import Candidate
from evermodel.publishing.promotion import Rival
from evermodel.runs import determinism
from evermodel.searching import cross_validation

LOOKS = (1, 2, 5, 10, 30)


def main(name: str, count: int) -> None:
    """Raises EvermodelError if the experiment has no report, or count is below 2."""
    if count < 2:
        raise EvermodelError(f"--models is {count}, but a challenger needs a champion; give 2 or more")
    shared = project.load()
    known = candidate.load(name, shared)
    determinism.fix(shared.runtime)
    prepared = data.load(
        folders.prepared(known.recipe.dataset), catalog.target(known.recipe.task), *data.SPLITS
    )
    models = [scored(known, shared, prepared, seed) for seed in range(count)]
    half = scored(known, shared, halved(prepared), seed=count)
    metric, rows = known.policy.metric, prepared.spec.rows["test"]
    reached = [model.figures[metric] for model in models]
    print(f"{name}: {metric} on {rows} test rows {mean(reached):.4f} ± {stdev(reached):.4f}, {count} seeds")
    print(f"with half of the training rows {half.figures[metric]:.4f}")
    print(f"promoted of {count - 1} at {known.policy.confidence:.0%} confidence: without spending, with it")
    print("against the model before it:", *(duels(pairwise(models), spend) for spend in (False, True)))
    print("in a queue:", *(queue(models, spend) for spend in (False, True)))
    pairs = [(half, model) for model in models[1:]]
    print("against half of the rows:", *(duels(pairs, spend) for spend in (False, True)))
    chances = [luck(*pair) for pair in permutations(models, 2)]
    for look in LOOKS:
        level = 1 - promotion.spent(known.policy.confidence, look - 1)
        won = sum(chance < level for chance in chances)
        print(f"look {look}: {won} of {len(chances)} pairs, {won / len(chances):.4%} (allowed {level:.4%})")


def scored(known: Candidate, shared: Project, prepared: Prepared, seed: int) -> Candidate:
    """The model that the recipe makes with a seed, as promotion sees it."""
    runtime = shared.runtime.model_copy(update={"seed": seed})
    predict = cross_validation.trained(known.recipe, runtime, prepared).predict
    told = evaluation.told(evaluation.task_module(known.recipe.task), known.recipe.options, prepared)
    judged = cross_validation.scored(known.recipe, shared.runtime, prepared, told, f"seed {seed}", predict)
    scores = replace(known.scores, table=judged.scores)
    return replace(known, figures={**known.figures, **judged.metrics}, scores=scores)


def halved(prepared: Prepared) -> Prepared:
    """The same data with every second training row."""
    train = prepared.splits["train"]
    return replace(prepared, splits={**prepared.splits, "train": Split(train.x[::2], train.y[::2])})


def duels(pairs: Iterable[tuple[Candidate, Candidate]], spend: bool) -> int:
    """How many of the second become champion instead of the first."""
    return sum(wins(*pair, uses if spend else 0) for uses, pair in enumerate(pairs))


def queue(models: Sequence[Candidate], spend: bool) -> int:
    """How many become champion after the first, one after the other."""
    champion, *challengers = models
    won = 0
    for uses, model in enumerate(challengers):
        if wins(champion, model, uses if spend else 0):
            champion, won = model, won + 1
    return won


def wins(champion: Candidate, model: Candidate, uses: int) -> bool:
    """Whether the model becomes champion; uses: how often the test rows have been used."""
    return promotion.decide(model, Rival(1, champion.profile, champion.scores), uses).promoted


def luck(champion: Candidate, model: Candidate) -> float:
    """How likely luck alone puts the model as far ahead."""
    policy, ours, theirs = model.policy, model.scores, champion.scores
    how, level = ours.statistics[policy.metric], 1 - policy.confidence
    return paired.chance(how, ours.table, theirs.table, policy.direction, policy.margin, level)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m benchmarks.challengers")
    parser.add_argument("name")
    parser.add_argument("--models", type=int, default=101)
    given = parser.parse_args()
    try:
        main(given.name, given.models)
    except EvermodelError as error:
        sys.exit(f"challengers: {error}")
