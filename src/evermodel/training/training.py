"""One training: from prepared data and params to a model folder."""

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

from evermodel.core import catalog, data
from evermodel.core.data import Prepared
from evermodel.core.project import Runtime
from evermodel.runs import determinism, saved
from evermodel.runs.recipe import Recipe
from evermodel.runs.saved import Metadata
from evermodel.training.processes import ALONE, Team

Report = Callable[[dict[str, float]], None]


def train(
    recipe: Recipe,
    runtime: Runtime,
    prepared: Prepared,
    folder: Path,
    state: Path,
    identity: str,
    report: Report,
    team: Team = ALONE,
) -> Metadata:
    """Fit the recipe's model and write model file, history.csv and training.json into `folder`.

    state: where an interrupted training finds its checkpoints. report: called after every epoch. team: of
    which this process is the first.
    """
    if catalog.framework(recipe.model) == "keras":
        model, history = _network(recipe, runtime, prepared, state, report, team)
        file, parameters = saved.save_keras(model, folder), model.count_params()
    else:
        file, parameters, history = _estimator(recipe, runtime.seed, prepared, folder)
    with (folder / "history.csv").open("w", encoding="utf-8", newline="") as stream:
        rows = csv.DictWriter(stream, history[0], lineterminator="\n")
        rows.writeheader()
        rows.writerows(history)
    metadata = Metadata(
        key=identity,
        file=file.name,
        sha256=data.file_hash(file),
        parameters=parameters,
        epochs=len(history),
        test_hash=prepared.spec.test_hash,
        target=catalog.target(recipe.task),
        pretrained=recipe.weights in prepared.weights,
    )
    saved.write_metadata(folder, metadata)
    return metadata


def assist(recipe: Recipe, runtime: Runtime, prepared: Prepared, state: Path, team: Team) -> None:
    """Do the part of a process that is not the first of its team: it writes nothing."""
    _network(recipe, runtime, prepared, state, lambda figures: None, team)


def _network(
    recipe: Recipe, runtime: Runtime, prepared: Prepared, state: Path, report: Report, team: Team
) -> tuple[Any, list[dict[str, float]]]:
    determinism.seed_keras(runtime.seed)
    build = catalog.builder(recipe.model)
    if recipe.task == "features":
        from evermodel.training import features

        return features.fit(build, prepared, recipe)
    from evermodel.training import network

    return network.fit(build, prepared, recipe, runtime.seed, state, report, team)


def _estimator(
    recipe: Recipe, seed: int, prepared: Prepared, folder: Path
) -> tuple[Path, int, list[dict[str, float]]]:
    from evermodel.training import estimator

    build = catalog.builder(recipe.model)
    train = estimator.sample(prepared.splits["train"], prepared.spec, seed)
    target = catalog.target(recipe.task)
    model = estimator.fit(build, prepared.spec, target, train, seed, **recipe.of_model)
    history = [{"epoch": 1, **estimator.figures(model, prepared.splits | {"train": train})}]
    return saved.save_sklearn(model, folder), estimator.parameters(model), history
