"""The architecture on a pretrained base, with one head or two."""

import importlib

import numpy as np
import pytest

IMAGES = np.random.default_rng(0).random((2, 40, 36, 3), dtype=np.float32)
SIZES = {"VGG16": 32, "ResNet50": 32, "InceptionV3": 75}
HEADS = ("classes", "plane")


def architecture():
    return importlib.import_module("evermodel.models.transfer")


def build(heads, base="VGG16", **options):
    chosen = {"base": base, "image_size": SIZES[base], "plane": heads == "plane"}
    return architecture().build((40, 36, 3), 4, "softmax", **chosen, **options)


@pytest.fixture(scope="module")
def weights(keras, tmp_path_factory):
    """A file of VGG16's weights without its top, none of them zero."""
    file = tmp_path_factory.mktemp("weights") / "VGG16.weights.h5"
    trunk = build("classes").get_layer("base")
    trunk.set_weights([np.full(weight.shape, 0.01) for weight in trunk.get_weights()])
    trunk.save_weights(file)
    return file


def legacy(trunk, file):
    """Write weights in the layout of the files that Keras publishes."""
    import h5py
    from keras.src.legacy.saving import legacy_h5_format

    with h5py.File(file, "w") as stream:
        legacy_h5_format.save_weights_to_hdf5_group(stream, trunk)


@pytest.mark.parametrize("base", SIZES)
def test_the_base_sees_what_its_own_preprocessing_makes(keras, base):
    module = {"VGG16": "vgg16", "ResNet50": "resnet50", "InceptionV3": "inception_v3"}[base]
    preprocess = getattr(keras.applications, module).preprocess_input
    inputs = keras.Input((40, 36, 3))
    seen = keras.Model(inputs, architecture()._preprocessed(inputs, base))(IMAGES)
    np.testing.assert_allclose(seen, preprocess(255 * IMAGES), atol=1e-4)


@pytest.mark.parametrize("heads", HEADS)
def test_weights_are_loaded_from_a_file(keras, weights, heads):
    loaded = build(heads, weights=str(weights)).get_layer("base").get_weights()
    assert all((weight == np.float32(0.01)).all() for weight in loaded)


def test_weights_are_loaded_from_a_file_as_keras_publishes_them(keras, weights, tmp_path):
    trunk = build("classes", weights=weights).get_layer("base")
    legacy(trunk, tmp_path / "VGG16.h5")
    loaded = build("classes", weights=tmp_path / "VGG16.h5").get_layer("base").get_weights()
    assert all(np.array_equal(*pair) for pair in zip(loaded, trunk.get_weights(), strict=True))


@pytest.mark.parametrize("heads", HEADS)
@pytest.mark.filterwarnings("ignore:Skipping nested container")
def test_a_file_that_does_not_fit_is_named(keras, weights, tmp_path, heads):
    (tmp_path / "text.h5").write_text("no weights")
    for base, file in (
        ("VGG16", tmp_path / "text.h5"),
        ("VGG16", tmp_path / "missing.h5"),
        ("VGG16", "imagenet"),
        ("ResNet50", weights),
    ):
        with pytest.raises(ValueError, match=f"{file} .*{base}"):
            build(heads, base, weights=file)


@pytest.mark.parametrize("heads", HEADS)
def test_another_base_is_rejected_with_the_choices(keras, heads):
    with pytest.raises(ValueError, match=r"'LeNet'.* InceptionV3, ResNet50, VGG16"):
        architecture().build((40, 36, 3), 4, "softmax", base="LeNet", image_size=32)


def test_a_base_can_end_at_one_of_its_layers_with_the_weights_of_a_file(keras, weights):
    whole = build("classes", weights=weights).get_layer("base")
    cut = build("classes", weights=weights, last_layer="block1_pool").get_layer("base")
    assert cut.output_shape == (None, 16, 16, 64)
    assert cut.count_params() == 1_792 + 36_928, "the first two convolutions of VGG16"
    pairs = zip(cut.get_weights(), whole.get_weights(), strict=False)
    assert all(np.array_equal(*pair) for pair in pairs)


def test_a_layer_that_the_base_does_not_have_is_named(keras):
    with pytest.raises(ValueError, match="block9"):
        build("classes", last_layer="block9")
