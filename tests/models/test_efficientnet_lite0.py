"""EfficientNet-Lite0: its layers, what its base sees, and the files that it loads."""

import importlib

import numpy as np
import pytest

IMAGES = np.random.default_rng(0).random((2, 40, 36, 3), dtype=np.float32)
HEADS = ("classes", "plane")


def build(heads="classes", **options):
    model = importlib.import_module("evermodel.models.efficientnet_lite0")
    return model.build((40, 36, 3), 4, "softmax", image_size=32, plane=heads == "plane", **options)


@pytest.fixture(scope="module")
def base(keras):
    return build().get_layer("base")


@pytest.fixture(scope="module")
def weights(base, tmp_path_factory):
    """A file of weights that were drawn anew."""
    file = tmp_path_factory.mktemp("weights") / "lite0.weights.h5"
    base.save_weights(file)
    return file


def test_the_base_has_the_layers_of_the_published_weights_in_their_order(base):
    parts = [("depthwise", "project"), *[("expand", "depthwise", "project")] * 15]
    blocks = [f"block{number}_{part}" for number in range(16) for part in parts[number]]
    names = [f"{name}_{layer}" for name in ["stem", *blocks, "head"] for layer in ("conv", "bn")]
    assert [layer.name for layer in base.layers if layer.weights] == names
    assert base.count_params() == 3_413_024
    assert base.output_shape == (None, 1, 1, 1280)


def test_the_blocks_halve_five_times_and_add_where_the_size_stays(keras, base):
    blocks = [(f"block{number}_depthwise_conv", f"block{number}_project_bn") for number in range(16)]
    kernels = [base.get_layer(depthwise).kernel_size[0] for depthwise, _ in blocks]
    sizes, channels = zip(*(base.get_layer(project).output.shape[2:] for _, project in blocks), strict=True)
    assert kernels == [3] * 3 + [5] * 2 + [3] * 3 + [5] * 7 + [3]
    assert list(sizes) == [16] + [8] * 2 + [4] * 2 + [2] * 6 + [1] * 5
    assert list(channels) == [16] + [24] * 2 + [40] * 2 + [80] * 3 + [112] * 3 + [192] * 4 + [320]
    assert sum(isinstance(layer, keras.layers.Add) for layer in base.layers) == 9


def test_pixels_of_8_bits_become_what_the_weights_were_trained_on(keras, base):
    seen = keras.Model(base.input, base.layers[1].output)
    pixels = np.array([0, 127, 255], np.float32)[:, None, None, None] * np.ones((3, 32, 32, 3), np.float32)
    values = keras.ops.convert_to_numpy(seen(pixels / 255))[:, 0, 0, 0]
    np.testing.assert_allclose(values, [-127 / 128, 0, 1], atol=1e-6)


def test_signals_come_through_random_weights(keras):
    keras.utils.set_random_seed(1)
    features = build().get_layer("base")(IMAGES[:, :32, :32])
    assert 0.01 < float(keras.ops.std(features)) < 6


@pytest.mark.parametrize("heads", HEADS)
def test_weights_are_loaded_from_a_file(base, weights, heads):
    loaded = build(heads, weights=str(weights)).get_layer("base")
    assert not loaded.trainable
    assert all(map(np.array_equal, loaded.get_weights(), base.get_weights()))


@pytest.mark.filterwarnings("ignore:Skipping nested container")
def test_a_file_that_does_not_fit_is_named(keras, tmp_path):
    (tmp_path / "text.weights.h5").write_text("no weights")
    keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)]).save_weights(tmp_path / "other.weights.h5")
    for name in ("text.weights.h5", "other.weights.h5", "missing.weights.h5", "imagenet"):
        with pytest.raises(ValueError, match=f"{name} holds no weights of EfficientNet-Lite0"):
            build(weights=tmp_path / name)
