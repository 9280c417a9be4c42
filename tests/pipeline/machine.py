"""One machine of several that train together: `machine.py FOLDER DEVICES NAME…` where data are prepared.

Writes the weights of each model into FOLDER, and the first one the model file and its history. Who the others
are is in the environment; without it, this is one process of the same back end with so many devices.
"""

import json
import os
import sys
from pathlib import Path
from typing import Any

import numpy as np

from evermodel.core import catalog, data, folders, project
from evermodel.runs import determinism, recipe, saved
from evermodel.training import processes
from evermodel.training.processes import Team

# Where a gradient is about 0, as before batch normalisation, Adam makes steps of rounding errors.
OTHERWISE: dict[str, dict[str, Any]] = {
    "fashion_cnn": {"options": {"batch_norm": True}, "train": {"optimizer": "sgd", "learning_rate": 0.001}}
}


def main(out: Path, devices: int, *names: str) -> None:
    """Train each experiment for an epoch."""
    shared = project.load()
    determinism.fix(shared.runtime)
    count = 2 if processes.COORDINATOR in os.environ else 1
    recipes = {name: changed(name, shared.profile, count) for name in names}
    team = processes.team(recipes[names[0]], names[0]) if count > 1 else Team(devices=devices)
    with processes.joined(team):
        for name, chosen in recipes.items():
            train(name, chosen, shared.runtime.seed, team, out / name)


def changed(name: str, profile: str, machines: int) -> recipe.Recipe:
    """An experiment as it is, but for an epoch, and for what it lacks."""
    chosen, otherwise = recipe.load(name, profile), OTHERWISE.get(name, {})
    assert chosen.train
    how = chosen.train.model_copy(update={"epochs": 1, "machines": machines} | otherwise.get("train", {}))
    options = {**chosen.options, **otherwise.get("options", {})}
    return chosen.model_copy(update={"train": how, "options": options})


def train(name: str, chosen: recipe.Recipe, seed: int, team: Team, out: Path) -> None:
    """The weights, the history and the model of one experiment."""
    prepared = data.load(folders.prepared(chosen.dataset), catalog.target(chosen.task), "train", "validation")
    determinism.seed_keras(seed)
    from evermodel.training import network

    build = catalog.builder(chosen.model)
    out.mkdir(parents=True, exist_ok=True)
    model, history = network.fit(build, prepared, chosen, seed, out / "state", lambda figures: None, team)
    np.savez(out / f"{team.index}.npz", *(variable.numpy() for variable in model.variables))
    if team.index == 0:
        saved.save_keras(model, out)
        (out / "history.json").write_text(json.dumps(history))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), *sys.argv[3:])
