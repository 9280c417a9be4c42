"""A model that was trained and evaluated, with all that counts when it wants to be champion."""

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from evermodel.core import data, folders, generation, rows
from evermodel.core.data import Spec
from evermodel.core.errors import EvermodelError
from evermodel.core.project import Project
from evermodel.datasets import source
from evermodel.datasets.source import Provenance
from evermodel.publishing import choice, policy
from evermodel.publishing.choice import Choice
from evermodel.publishing.policy import Promotion
from evermodel.publishing.scores import Scores
from evermodel.runs import recipe, saved
from evermodel.runs.recipe import Recipe
from evermodel.runs.saved import Metadata

IMPORTANCE = "figures/importance.csv"


@dataclass(frozen=True)
class Candidate:
    """What the stages left.

    figures: its metrics.json; slices: the column of each slice of its policy, one value per test row;
    importance: of a table, what each column is worth (column, how much worse the metric is, sd);
    latency: how many times as long as the reference it takes for one example, NaN if nobody asked; cost: the
    hours of its training that MLflow knows; searched: what the last search of its experiment came to.
    """

    name: str
    profile: str
    recipe: Recipe
    policy: Promotion
    spec: Spec
    source: Provenance
    metadata: Metadata
    megabytes: float
    figures: Mapping[str, float]
    scores: Scores
    slices: Mapping[str, pd.Series]
    importance: pd.DataFrame | None = None
    latency: float = math.nan
    cost: Mapping[str, float] = field(default_factory=dict)
    searched: Choice | None = None

    @property
    def asked(self) -> Spec:
        """What it is asked: examples of the data set, or seeds to make some of."""
        return self.spec.asked(self.metadata.target)

    def examples(self, count: int) -> Any:
        """The first of the test rows, or of the seeds that stand for them."""
        if self.asked is not self.spec:
            return rows.of(generation.seeds(count, self.asked.columns), self.asked.columns)
        return data.load_inputs(folders.prepared(self.recipe.dataset), "test")[:count]

    @property
    def policy_hash(self) -> str:
        """The sha256 of what it is judged by."""
        return hashlib.sha256(json.dumps(self.policy.model_dump(), sort_keys=True).encode()).hexdigest()

    @property
    def numbers(self) -> dict[str, float]:
        """The metric that counts, its interval, and the baseline's; its latency where that was measured."""
        metric = self.policy.metric
        names = (metric, f"{metric}_low", f"{metric}_high", f"baseline_{metric}")
        figures = {name: self.figures[name] for name in names if name in self.figures}
        return figures if math.isnan(self.latency) else figures | {"latency": self.latency}

    @property
    def judged(self) -> dict[str, Any]:
        """What the ledger keeps of it."""
        known = {"sha256": self.metadata.sha256, "test_hash": self.spec.test_hash}
        return known | {"policy": self.policy_hash, "numbers": self.numbers}


def load(name: str, shared: Project) -> Candidate:
    """The model of an experiment as its stages left it; EvermodelError that names what is missing."""
    chosen = recipe.load(name, shared.profile)
    judged_by = policy.load(name, chosen.task, shared.profile)
    report, metadata = folders.experiment(name), saved.metadata(folders.model(name))
    spec = data.load_spec(folders.prepared(chosen.dataset), metadata.target)
    scores = Scores.read(report / "scores.parquet")
    return Candidate(
        name=name,
        profile=shared.profile,
        recipe=chosen,
        policy=judged_by,
        spec=spec,
        source=source.provenance(folders.raw(chosen.dataset)),
        metadata=metadata,
        megabytes=(folders.model(name) / metadata.file).stat().st_size / 1e6,
        figures=json.loads((report / "metrics.json").read_text(encoding="utf-8")),
        scores=scores,
        slices={column: _column(column, scores.table, spec, chosen.dataset) for column in judged_by.slices},
        importance=pd.read_csv(report / IMPORTANCE) if spec.kind == "table" else None,
        searched=choice.read(name),
    )


def _column(name: str, table: pd.DataFrame, spec: Spec, dataset: str) -> pd.Series:
    """A column of the scores, or of the test rows of a table; classes go by their names."""
    if name in table:
        column = table[name]
        return column.map(dict(enumerate(spec.classes))) if name == "target" and spec.classes else column
    if name in spec.names and spec.kind == "table":
        x = data.load_inputs(folders.prepared(dataset), "test")
        asked: pd.Series = pd.concat([piece[name] for piece in x.frames()], ignore_index=True)
        return asked
    raise EvermodelError(
        f"promotion.slices names {name!r}, which is no column of the scores or of {dataset}; "
        f"the choices are {', '.join([*table.columns, *spec.names])}"
    )
