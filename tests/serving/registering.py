"""Registers networks for houses as `promote` does, each champion after the other; run in a project's folder.

    python -m tests.serving.registering boston_dnn 2

Nothing is trained: what a network answers is no matter to a server, as long as no two answer alike.
"""

import sys
from pathlib import Path

import numpy as np
import pandas as pd
from mlflow.tracking import MlflowClient

from evermodel.core import data, folders, project, rows
from evermodel.core.data import Spec, Split
from evermodel.models import mlp
from evermodel.publishing import aliases, ledger, policy, registry, tracking
from evermodel.publishing.candidate import Candidate
from evermodel.runs import determinism, recipe, saved
from evermodel.runs.saved import Metadata
from tests.specs import make_source, make_spec


def main(name: str, count: int) -> None:
    client, profile = tracking.connect(), project.load().profile
    spec = houses(recipe.load(name, profile).dataset)
    runs = client.create_experiment(name, (Path.cwd() / tracking.ARTIFACTS).as_uri())
    for seed in range(count):
        register(client, runs, candidate(name, profile, spec, seed))


def houses(dataset: str) -> Spec:
    """The spec of a prepared table whose test rows are all alike."""
    spec = make_spec("table", dataset=dataset)
    x = rows.of(pd.DataFrame({"a": [1.0] * 5, "b": [2.0] * 5}), spec.columns)
    (folder := folders.prepared(dataset)).mkdir(parents=True)
    data.save(folder, spec, {"test": Split(x, np.ones(len(x)))})
    return spec


def candidate(name: str, profile: str, spec: Spec, seed: int) -> Candidate:
    """A network as it is before any training."""
    determinism.seed_keras(seed)
    (folder := folders.model(name)).mkdir(parents=True, exist_ok=True)
    file = saved.save_keras(mlp.build(spec.input_shape, 1, None, units=[128, 64, 32, 16]), folder)
    metadata = Metadata(
        key=f"seed{seed}",
        file=file.name,
        sha256=data.file_hash(file),
        parameters=0,
        epochs=0,
        test_hash=spec.test_hash,
        target="number",
    )
    chosen = recipe.load(name, profile)
    judged_by = policy.load(name, chosen.task, profile)
    return Candidate(name, profile, chosen, judged_by, spec, make_source(), metadata, 1.0, {}, None, {})


def register(client: MlflowClient, runs: str, model: Candidate) -> None:
    """Register a model as of a new run, and make it champion."""
    run_id = client.create_run(runs).info.run_id
    with ledger.held(model.name) as book:
        aliases.reconcile(client, model.name, book)
        version = registry.register(client, model, run_id)
        registry.describe(client, model, version, "promote", "")
        told = ("promote", version, version, "it is the next")
        aliases.enact(client, model.name, book, *told, **model.judged)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
