from types import SimpleNamespace

import numpy as np
import pytest

from evermodel.core.errors import EvermodelError
from evermodel.publishing import registry
from evermodel.runs import network, saved
from evermodel.serving import champion
from tests.specs import make_spec

IMAGES = make_spec("images", classes=("a", "b", "c"))
VERSION = SimpleNamespace(name="it", version="3", run_id="run", description="# it")


@pytest.fixture
def packed(tmp_path, monkeypatch, keras):
    """A function that puts a model of one dense layer into the registry's place."""

    def pack(weight=0.01):
        layers = [keras.Input((4, 4, 1)), keras.layers.Flatten(), keras.layers.Dense(3, activation="softmax")]
        model = keras.Sequential(layers)
        model.set_weights([np.full((16, 3), weight) * [1, 2, 3], np.zeros(3)])
        file = saved.save_keras(model, tmp_path)
        metadata = SimpleNamespace(file="model.keras", sha256="")
        examples = np.full((2, 4, 4, 1), 200, np.uint8)

        def fetch(version, folder):
            registry.package(folder, file, IMAGES, metadata, examples)
            return folder / "data/model.keras", IMAGES

        monkeypatch.setattr(registry, "fetch", fetch)
        return model

    return pack


def test_a_champion_answers_as_keras_itself_does_for_any_number_of_rows(packed):
    model = packed()
    loaded = champion.load(VERSION, "classification")
    assert (loaded.name, loaded.version, loaded.run_id, loaded.task) == ("it", 3, "run", "classification")
    assert (loaded.example.shape, loaded.card) == ((2, 4, 4, 1), "# it")
    for rows in (1, 2, 7, network.BATCH + 1):
        x = np.random.default_rng(rows).integers(0, 256, (rows, 4, 4, 1), dtype=np.uint8)
        assert np.allclose(loaded.predict(x), model.predict(x, verbose=0), rtol=0, atol=1e-6)


def test_a_model_without_finite_answer_is_no_champion(packed):
    packed(np.nan)
    with pytest.raises(EvermodelError, match="it version 3 gives no finite answer for the example"):
        champion.load(VERSION, "classification")
