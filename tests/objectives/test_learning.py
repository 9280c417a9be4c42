"""What networks learn by an objective of several outputs, or by a loss of its own."""

import importlib

import numpy as np
import pytest

from evermodel.core.data import Prepared, Split
from evermodel.runs.recipe import Recipe
from tests.specs import make_spec

TRAIN = {
    "optimizer": "adam",
    "learning_rate": 0.1,
    "learning_rate_schedule": "cosine",
    "batch_size": 5,
    "epochs": 15,
}
RNG = np.random.default_rng(4)
PIXELS = RNG.integers(0, 256, (200, 2, 2, 1)).astype(np.uint8)
ONE, OTHER = PIXELS[:, 0, 0, 0] / 255, PIXELS[:, 1, 1, 0] / 255


@pytest.fixture
def learned(keras, tmp_path):
    def answers(task, y, **options):
        y = np.asarray(y)
        scale = {"target_mean": y.mean(axis=0), "target_sd": y.std(axis=0)}
        columns = {name: tuple(np.atleast_1d(values).tolist()) for name, values in scale.items()}
        targets = ("one", "other") if y.ndim == 2 else ()
        spec = make_spec("images", input_shape=(2, 2, 1), targets=targets, **columns)
        known = {"dataset": "made", "baseline": "constant", "model": "mlp", "train": TRAIN}
        asked = Recipe.model_validate(known | {"task": task, "options": {"units": [], **options}})
        prepared = Prepared(spec, {"train": Split(PIXELS, y), "validation": Split(PIXELS, y)}, {})
        keras.utils.set_random_seed(1)
        network = importlib.import_module("evermodel.training.network")
        build = importlib.import_module("evermodel.models.mlp").build
        model, _ = network.fit(build, prepared, asked, 1, tmp_path, lambda _: None)
        return model.predict(PIXELS, verbose=0)

    return answers


def test_numbers_of_unlike_units_are_learned_alike_and_answered_in_their_own(learned):
    y = np.stack([1e-3 * ONE, 5e6 + 1e4 * OTHER], axis=1)
    error = np.abs(learned("multiregression", y) - y).mean(axis=0) / y.std(axis=0)
    assert (error < 0.1).all()


def test_labels_are_learned_each_by_itself(learned):
    y = np.stack([ONE > 0.5, OTHER > 0.3], axis=1).astype(float)
    assert ((learned("multilabel", y) > 0.5) == y).mean() > 0.95


@pytest.mark.parametrize("quantile", [0.1, 0.8])
def test_a_quantile_is_exceeded_by_the_share_of_rows_that_it_says(learned, quantile):
    y = 100 + RNG.exponential(size=200)
    covered = (y <= learned("quantile", y, quantile=quantile)[:, 0]).mean()
    assert covered == pytest.approx(quantile, abs=0.08)
