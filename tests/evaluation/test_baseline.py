import numpy as np

from evermodel.core.data import Split
from evermodel.evaluation import baseline
from evermodel.runs.recipe import Recipe
from tests.specs import make_spec


def test_a_baseline_gets_the_options_that_it_shares_with_the_model():
    shared = {
        "dataset": "prices",
        "task": "reconstruction",
        "model": "autoencoder",
        "baseline": "pca",
        "train": {"optimizer": "adam", "learning_rate": 0.1, "batch_size": 1, "epochs": 1},
    }
    rng = np.random.default_rng(0)
    x = rng.integers(0, 255, (30, 4, 4, 1)).astype(np.uint8)
    of_images = make_spec("images", input_shape=(4, 4, 1))
    predictions = [
        baseline.fitted(
            Recipe.model_validate(shared | {"options": {"latent": latent, "noise": 0.1}}),
            of_images,
            "image",
            Split(x, np.zeros(30)),
            1,
        )(x)
        for latent in (2, 14)
    ]
    coarse, fine = (np.mean((one - x / 255) ** 2) for one in predictions)
    assert fine < coarse / 2
