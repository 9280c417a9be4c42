"""What every architecture on a pretrained base promises, with one head or two."""

import importlib

import numpy as np
import pytest

from evermodel.runs import saved

IMAGES = np.random.default_rng(0).random((2, 40, 36, 3), dtype=np.float32)
BASES = {
    "VGG16": ("transfer", {"base": "VGG16"}),
    "ResNet50": ("transfer", {"base": "ResNet50"}),
    "EfficientNet-Lite0": ("efficientnet_lite0", {}),
}
each = pytest.mark.parametrize("base", BASES)
both = pytest.mark.parametrize("plane", [False, True])


def build(base, plane=False):
    name, options = BASES[base]
    module = importlib.import_module(f"evermodel.models.{name}")
    return module.build((40, 36, 3), 4, "softmax", image_size=32, plane=plane, **options)


@each
@both
def test_only_the_heads_learn(keras, base, plane):
    model = build(base, plane)
    assert {weight.path.split("/")[0] for weight in model.trainable_weights}.isdisjoint({"base"})
    assert len(model.trainable_weights) == 2 * len(model.outputs)


@pytest.mark.parametrize("base", ["ResNet50", "EfficientNet-Lite0"])
def test_batch_normalisation_stays_in_inference_mode_where_other_layers_learn(keras, base):
    model = build(base)
    for layer in model.get_layer("base").layers[-20:]:
        layer.trainable = not isinstance(layer, keras.layers.BatchNormalization)
    before = model.get_layer("base").get_weights()
    learning = keras.ops.convert_to_numpy(model(IMAGES, training=True))
    after = model.get_layer("base").get_weights()
    assert all(np.array_equal(*pair) for pair in zip(before, after, strict=True))
    np.testing.assert_allclose(learning, model(IMAGES, training=False), rtol=1e-5)


@each
@both
def test_a_saved_model_predicts_the_same(keras, tmp_path, base, plane):
    model = build(base, plane)
    loaded = keras.saving.load_model(saved.save_keras(model, tmp_path), compile=False, safe_mode=True)
    expected, predictions = (keras.tree.flatten(m.predict(IMAGES, verbose=0)) for m in (model, loaded))
    assert all(np.array_equal(*pair) for pair in zip(expected, predictions, strict=True))
