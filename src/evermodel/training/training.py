"""One training: from prepared data and params to a model folder."""

import csv
from collections.abc import Callable
from pathlib import Path

from evermodel.core import catalog, data
from evermodel.core.data import Prepared
from evermodel.core.project import Runtime
from evermodel.runs import determinism, saved
from evermodel.runs.recipe import Recipe
from evermodel.runs.saved import Metadata

Report = Callable[[dict[str, float]], None]


def train(
    recipe: Recipe,
    runtime: Runtime,
    prepared: Prepared,
    folder: Path,
    state: Path,
    identity: str,
    report: Report,
) -> Metadata:
    """Fit the recipe's model and write model file, history.csv and training.json into `folder`.

    state: where an interrupted training finds its checkpoints. report: called after every epoch.
    """
    if catalog.framework(recipe.model) == "keras":
        file, parameters, history = _network(recipe, runtime, prepared, folder, state, report)
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
        pretrained=str(recipe.options.get("base")) in prepared.weights,
    )
    saved.write_metadata(folder, metadata)
    return metadata


def _network(
    recipe: Recipe, runtime: Runtime, prepared: Prepared, folder: Path, state: Path, report: Report
) -> tuple[Path, int, list[dict[str, float]]]:
    determinism.seed_keras(runtime.seed)
    build = catalog.builder(recipe.model)
    if recipe.task == "features":
        from evermodel.training import features

        model, history = features.fit(build, prepared, recipe)
    else:
        from evermodel.training import network

        model, history = network.fit(build, prepared, recipe, runtime.seed, state, report)
    return saved.save_keras(model, folder), model.count_params(), history


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
