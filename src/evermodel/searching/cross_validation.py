"""How good a recipe is on rows that it has not learned from, again and again, none of them a test row."""

import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean, stdev
from typing import Any, TypedDict

import pandas as pd

from evermodel.core import catalog, data, folders
from evermodel.core.data import Array, Prepared
from evermodel.core.errors import EvermodelError
from evermodel.core.project import Runtime
from evermodel.datasets.dataset import Dataset
from evermodel.evaluation import baseline, evaluation
from evermodel.evaluation.evaluation import Evaluated
from evermodel.evaluation.statistics import Statistic
from evermodel.publishing import paired
from evermodel.runs import saved
from evermodel.runs.recipe import Recipe
from evermodel.searching import folds
from evermodel.training import fit, training

BASELINE = "baseline"
LEVEL = 0.05
Report = Callable[[dict[str, float]], None]


@dataclass(frozen=True)
class Judged:
    """What one training came to on the rows of one fold. who: an experiment, or BASELINE."""

    who: str
    fold: int
    seed: int
    evaluated: Evaluated


@dataclass(frozen=True)
class Trained:
    """A model that was trained: what it predicts, and the megabytes of its file."""

    predict: Callable[[Any], Array]
    megabytes: float


class Spread(TypedDict):
    """Mean and standard deviation (n - 1), of which a single value has none."""

    mean: float
    sd: float | None


def load(chosen: Recipe) -> Prepared:
    """The training and validation rows of an experiment's data, which are all that is read."""
    prepared = data.load(folders.prepared(chosen.dataset), catalog.target(chosen.task), *folds.LEARNED)
    fit.require(chosen.task, prepared.spec, chosen.options)
    fit.require_judge(chosen.task, prepared)
    return prepared


def judge(
    recipes: Mapping[str, Recipe],
    rules: Dataset,
    runtime: Runtime,
    count: int,
    seeds: int,
    with_baseline: bool = True,
) -> Iterator[Judged]:
    """Train experiments of one data set and task on `count` folds with so many seeds, as they are finished.

    recipes: by their experiments' names; the baseline is the first one's, of the first seed. The seeds are
    those from the runtime's on; the folds are the same for all. count: at least 2, or 0 for the one cut that
    the data set has: then the validation rows are judged, which are watched as well. with_baseline: whether
    it is judged too. Raises EvermodelError if the data can't be cut so, or a training fails.
    """
    first = next(iter(recipes.values()))
    task = evaluation.task_module(first.task)
    for number, fold in enumerate(cut(load(first), rules, count, runtime.seed), start=1):
        # Once a fold: a judge of what is made looks at all training rows.
        told = {name: evaluation.told(task, one.options, fold) for name, one in recipes.items()}
        if with_baseline:
            target, train = catalog.target(first.task), fold.splits["train"]
            simple = baseline.fitted(first, fold.spec, target, train, runtime.seed)
            who = f"baseline {first.baseline}"
            evaluated = scored(first, runtime, fold, next(iter(told.values())), who, simple)
            yield Judged(BASELINE, number, runtime.seed, evaluated)
        for seed in range(runtime.seed, runtime.seed + seeds):
            used = runtime.model_copy(update={"seed": seed})
            for name, chosen in recipes.items():
                predict = trained(chosen, used, fold).predict
                evaluated = scored(chosen, used, fold, told[name], f"model {chosen.model}", predict)
                yield Judged(name, number, seed, evaluated)


def cut(prepared: Prepared, rules: Dataset, count: int, seed: int) -> Iterator[Prepared]:
    """Folds of prepared data; of none asked for the data as they are, their validation rows to be judged."""
    if count:
        yield from folds.folds(prepared, rules.split, count, seed)
    else:
        splits = prepared.splits | {"test": prepared.splits["validation"]}
        yield Prepared(prepared.spec, splits, prepared.weights)


def trained(
    chosen: Recipe, runtime: Runtime, prepared: Prepared, report: Report = lambda figures: None
) -> Trained:
    """A model of the recipe, trained on the training rows. report: called each epoch."""
    with tempfile.TemporaryDirectory() as folder:
        model, state = Path(folder, "model"), Path(folder, "state")
        model.mkdir()
        training.train(chosen, runtime, prepared, model, state, "", report)
        loaded = saved.load(model)
        return Trained(loaded.predict, (model / loaded.metadata.file).stat().st_size / 1e6)


def scored(
    chosen: Recipe,
    runtime: Runtime,
    prepared: Prepared,
    told: Mapping[str, Any],
    who: str,
    predict: Callable[[Any], Array],
) -> Evaluated:
    """What `who` predicts of the rows that are judged, `prepared.splits["test"]`.

    told: see evaluation.told.
    """
    task, rows = evaluation.task_module(chosen.task), prepared.splits["test"]
    shown = evaluation.inputs(task, rows.x, chosen.options, runtime.seed)
    predicted = evaluation.answer(task, predict, shown, told)
    return evaluation.evaluate(task, who, predicted, rows, prepared.spec, told)


def summary(judged: Sequence[Judged]) -> dict[str, dict[str, Spread]]:
    """Of each metric, of each who it is of, how it is spread over folds and seeds.

    Folds share most of the rows they are learned from, so that it is no standard error.
    """
    spread: dict[str, dict[str, Spread]] = {}
    for (who, metric), values in _values(judged).items():
        sd = stdev(values) if len(values) > 1 else None
        spread.setdefault(metric, {})[who] = Spread(mean=fmean(values), sd=sd)
    return spread


def _values(judged: Sequence[Judged]) -> dict[tuple[str, str], list[float]]:
    """The values of each metric, of each who it is of."""
    found: dict[tuple[str, str], list[float]] = {}
    for one in judged:
        for metric, value in one.evaluated.metrics.items():
            found.setdefault((one.who, metric), []).append(value)
    return found


def statistic(chosen: Recipe, metric: str) -> Statistic:
    """How a headline follows from the scores of all folds; EvermodelError if no test goes over folds."""
    spec = data.load_spec(folders.prepared(chosen.dataset), catalog.target(chosen.task))
    found: Statistic = evaluation.task_module(chosen.task).statistics(spec)[metric]
    if found.kind == "verification":
        raise EvermodelError(
            f"{metric} compares each row with all others, and no model has seen those of two folds; compare "
            "by another metric"
        )
    return found


def chance(chosen: Recipe, metric: str, judged: Sequence[Judged], ahead: str, behind: str) -> float:
    """How likely `ahead` is better on the folds as far as it is by luck: the test that promotion uses.

    Of the first seed, whose models have scored each row once; the rows of all folds together. Raises
    EvermodelError if no test goes over folds.
    """
    sign = 1 if catalog.headlines(chosen.task)[metric] == "higher" else -1
    ours, theirs = (_scores(judged, who) for who in (ahead, behind))
    return paired.chance(statistic(chosen, metric), ours, theirs, sign, 0.0, LEVEL)


def _scores(judged: Sequence[Judged], who: str) -> pd.DataFrame:
    first = min(one.seed for one in judged)
    found = [one.evaluated.scores for one in judged if (one.who, one.seed) == (who, first)]
    return pd.concat(found, ignore_index=True)
