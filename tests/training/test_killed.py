"""A training of what makes examples, in a process of its own that the system kills."""

import multiprocessing
import time
from pathlib import Path

import numpy as np
import pytest

from evermodel.core import project
from evermodel.core.data import Prepared, Split
from evermodel.runs import determinism
from evermodel.runs.recipe import Recipe
from evermodel.training import training
from tests.specs import make_spec

pytestmark = [pytest.mark.all, pytest.mark.timeout(900)]
SMALL = {"vae": {"latent": 2, "units": [8]}, "gan": {"latent": 2, "filters": [4, 8]}}
TRAIN = {
    "optimizer": "rmsprop",
    "learning_rate": 0.01,
    "learning_rate_schedule": "cosine",
    "ema_momentum": 0.9,
    "batch_size": 32,
    "epochs": 50,
}


def train(model: str, folder: Path, state: Path) -> None:
    """What the stage does, on noise."""
    shared = project.load().runtime
    determinism.fix(shared)
    x = np.random.default_rng(1).integers(0, 256, (64, 8, 8, 1)).astype(np.uint8)
    rows = Split(x, np.zeros(64))
    spec = make_spec("images", input_shape=(8, 8, 1))
    known = {"dataset": "made", "task": "generation", "model": model, "baseline": "pca_gaussian"}
    asked = Recipe.model_validate(known | {"options": SMALL[model], "train": TRAIN})
    prepared = Prepared(spec, {"train": rows, "validation": rows}, {})
    folder.mkdir(exist_ok=True)
    training.train(asked, shared, prepared, folder, state, "it", lambda figures: None)


@pytest.fixture
def start():
    """A function that begins a training in a process of its own."""
    processes = []

    def begin(*arguments):
        process = multiprocessing.get_context("spawn").Process(target=train, args=arguments)
        processes.append(process)
        process.start()
        return process

    yield begin
    for process in processes:
        process.kill()
        process.join()


@pytest.mark.parametrize("model", SMALL)
def test_kill_9_in_mid_training_costs_no_byte(model, start, tmp_path):
    whole, folder, state = tmp_path / "whole", tmp_path / "model", tmp_path / "state"
    undisturbed, killed = start(model, whole, tmp_path / "other"), start(model, folder, state)
    while not list(state.glob("0002*.npz")):
        assert killed.is_alive(), "the training ended before it could be killed"
        time.sleep(0.01)
    killed.kill()
    killed.join()
    assert not (folder / "model.keras").exists()
    again = start(model, folder, state)
    for process in (undisturbed, again):
        process.join()
        assert process.exitcode == 0
    for name in ("model.keras", "history.csv"):
        assert (folder / name).read_bytes() == (whole / name).read_bytes()
