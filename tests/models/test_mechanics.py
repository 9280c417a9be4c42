"""What an architecture's parts do, beyond shapes and numbers of parameters."""

import importlib

import numpy as np
import pytest

from evermodel.core import catalog
from evermodel.runs import saved

NETWORKS = [name for name in catalog.modules("models") if catalog.framework(name) == "keras"]


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def architecture(name):
    return importlib.import_module(f"evermodel.models.{name}")


def smallest(name):
    """The reference with the fewest parameters, with linear heads."""
    input_shape, outputs, options, _ = min(architecture(name).REFERENCES, key=lambda row: row[3])
    activation = dict.fromkeys(outputs) if isinstance(outputs, dict) else None
    return architecture(name).build(input_shape, outputs, activation, **options)


def examples(model, rng, count=2):
    """Random input of the kind that the model takes; five places where it takes any number."""
    shapes = [(count, *(size or 5 for size in one.shape[1:])) for one in model.inputs]
    found = [
        rng.integers(0, 20, shape) if one.dtype == "int32" else rng.random(shape, dtype=np.float32)
        for one, shape in zip(model.inputs, shapes, strict=True)
    ]
    return found if found[1:] else found[0]


def kept(model):
    """The part that is saved: of what makes examples the decoder, all of what else there is."""
    return next((layer for layer in model.layers if layer.name == "decoder"), model)


def outputs_of(model, x, training):
    return model(x, training=training).numpy()


@pytest.mark.parametrize("name", NETWORKS)
def test_a_saved_architecture_loads_in_safe_mode_and_predicts_the_same(name, keras, rng, tmp_path):
    model = kept(smallest(name))
    x = examples(model, rng)
    file = saved.save_keras(model, tmp_path)
    loaded = keras.saving.load_model(file, compile=False, safe_mode=True)
    pairs = zip(*(keras.tree.flatten(m.predict(x, verbose=0)) for m in (model, loaded)), strict=True)
    for before, after in pairs:
        assert np.isfinite(before).all()
        np.testing.assert_array_equal(before, after)


def test_dropout_acts_only_in_training(keras, rng):
    model = architecture("mlp").build((20,), 1, "sigmoid", units=[64, 64], dropout=[0.5, 0.0])
    x = examples(model, rng)
    np.testing.assert_array_equal(outputs_of(model, x, False), outputs_of(model, x, False))
    assert (outputs_of(model, x, True) != outputs_of(model, x, False)).any()


def test_without_dropout_training_answers_as_inference_does(keras, rng):
    model = architecture("mlp").build((20,), 1, "sigmoid", units=[64, 64])
    x = examples(model, rng)
    np.testing.assert_array_equal(outputs_of(model, x, True), outputs_of(model, x, False))


def test_dropout_leaves_half_and_doubles_it(keras):
    dropped = keras.layers.Dropout(0.5, seed=1)(np.ones((1, 10_000), "float32"), training=True).numpy()
    assert set(np.unique(dropped)) == {0.0, 2.0}
    assert abs(dropped.mean() - 1) < 0.05


def test_batch_norm_uses_moving_statistics_at_inference(keras, rng):
    model = architecture("mlp").build((20,), 1, None, units=[64, 64], batch_norm=True)
    x = examples(model, rng, 8)
    alone = np.concatenate([outputs_of(model, row[None], False) for row in x])
    np.testing.assert_allclose(outputs_of(model, x, False), alone, rtol=1e-5, atol=1e-6)
    assert not np.allclose(outputs_of(model, x, True)[:4], outputs_of(model, x[:4], True))


def test_batch_norm_moves_its_statistics_in_training_only(keras, rng):
    model = architecture("mlp").build((20,), 1, None, units=[64, 64], batch_norm=True)
    norm = next(layer for layer in model.layers if isinstance(layer, keras.layers.BatchNormalization))
    before = norm.moving_mean.numpy()
    outputs_of(model, x := examples(model, rng, 8), False)
    np.testing.assert_array_equal(norm.moving_mean, before)
    outputs_of(model, x, True)
    hidden = keras.Model(model.input, norm.input)
    mean = outputs_of(hidden, x, False).mean(axis=0)
    np.testing.assert_allclose(norm.moving_mean, 0.9 * before + 0.1 * mean, rtol=1e-4, atol=1e-6)


def test_noise_of_an_autoencoder_acts_in_training_only(keras, rng):
    clean = architecture("autoencoder").build((16, 16, 1), 1, "sigmoid", latent=4)
    noisy = architecture("autoencoder").build((16, 16, 1), 1, "sigmoid", latent=4, noise=0.5)
    noisy.set_weights(clean.get_weights())
    x = examples(clean, rng)
    np.testing.assert_array_equal(outputs_of(noisy, x, False), outputs_of(clean, x, False))
    assert (outputs_of(noisy, x, True) != outputs_of(clean, x, True)).any()


def test_an_autoencoder_is_its_decoder_after_its_encoder(keras, rng):
    model = architecture("autoencoder").build((32, 32, 3), 3, "sigmoid")
    encoder, decoder = model.get_layer("encoder"), model.get_layer("decoder")
    assert (encoder.count_params(), decoder.count_params()) == (519_616, 1_110_339)
    code = encoder(x := examples(model, rng))
    assert code.shape == (2, 128)
    np.testing.assert_array_equal(decoder(code), outputs_of(model, x, False))


@pytest.mark.parametrize(("name", "step"), [("autoencoder", 16), ("unet", 16), ("colorization", 8)])
def test_an_image_that_would_not_come_back_at_its_own_size_is_rejected(name, step, keras):
    with pytest.raises(ValueError, match=f"divisible by {step}"):
        architecture(name).build((2 * step, step + 1, 3), 1, None)


@pytest.mark.parametrize("size", [(16, 16), (32, 48)])
def test_a_unet_gives_a_probability_for_every_pixel(size, keras, rng):
    model = architecture("unet").build((*size, 1), 1, "sigmoid", width=4)
    mask = outputs_of(model, examples(model, rng), False)
    assert mask.shape == (2, *size, 1)
    assert ((mask > 0) & (mask < 1)).all()


@pytest.mark.parametrize(("options", "layers"), [({}, 0), ({"dropout": 0.5}, 2)])
def test_a_unet_drops_at_the_end_of_its_contracting_path_if_asked(options, layers, keras):
    model = architecture("unet").build((16, 16, 1), 1, None, width=4, **options)
    assert sum(isinstance(layer, keras.layers.Dropout) for layer in model.layers) == layers


def lightness(keras, model):
    """What the first convolution of a colorization sees."""
    first = next(layer for layer in model.layers if isinstance(layer, keras.layers.Conv2D))
    return keras.Model(model.input, first.input)


def test_colorization_sees_the_lightness_of_cie_lab(keras, rng):
    color = pytest.importorskip("skimage.color")
    model = architecture("colorization").build((8, 16, 3), 2, "tanh")
    x = examples(model, rng)
    seen = outputs_of(lightness(keras, model), x, False)
    np.testing.assert_allclose(seen, color.rgb2lab(x)[..., :1] / 100, atol=1e-4)


def test_colorization_sees_black_as_0_and_white_as_1(keras):
    model = architecture("colorization").build((8, 8, 3), 2, "tanh")
    extremes = np.stack([np.zeros((8, 8, 3)), np.ones((8, 8, 3))]).astype("float32")
    seen = outputs_of(lightness(keras, model), extremes, False)
    np.testing.assert_allclose(seen.mean(axis=(1, 2, 3)), [0, 1], atol=1e-6)


def test_colorization_sees_the_same_in_a_photograph_and_in_its_gray_copy(keras, rng):
    model = architecture("colorization").build((8, 8, 3), 2, "tanh")
    colour = examples(model, rng)
    linear = np.where(colour <= 0.04045, colour / 12.92, ((colour + 0.055) / 1.055) ** 2.4)
    luminance = linear @ [0.2126, 0.7152, 0.0722]
    level = np.where(luminance <= 0.0031308, luminance * 12.92, 1.055 * luminance ** (1 / 2.4) - 0.055)
    gray = np.repeat(level[..., None], 3, axis=-1).astype("float32")
    np.testing.assert_allclose(outputs_of(model, gray, False), outputs_of(model, colour, False), atol=1e-5)


def test_an_embedding_lies_on_the_unit_sphere(keras, rng):
    model = architecture("face_embedding").build((32, 32, 1), 128, None, filters=[4, 8], dense=16)
    norms = np.linalg.norm(outputs_of(model, examples(model, rng), False), axis=1)
    np.testing.assert_allclose(norms, 1, rtol=1e-5)


def test_two_heads_answer_under_their_names_and_each_in_its_own_way(keras, rng):
    heads, activation = {"age": 1, "gender": 2}, {"age": None, "gender": "softmax"}
    model = architecture("face_cnn").build((46, 46, 3), heads, activation, dense=8)
    predictions = model.predict(examples(model, rng), verbose=0)
    assert {name: answer.shape for name, answer in predictions.items()} == {"age": (2, 1), "gender": (2, 2)}
    np.testing.assert_allclose(predictions["gender"].sum(axis=1), 1, rtol=1e-5)


def test_a_recurrent_network_of_an_unknown_cell_is_rejected(keras):
    with pytest.raises(ValueError, match=r"simple, lstm, gru.*'rnn'"):
        architecture("recurrent").build((60, 1), 1, None, cell="rnn", units=[4])


@pytest.mark.parametrize("bidirectional", [False, True])
def test_padding_changes_nothing_for_a_recurrent_network(bidirectional, keras):
    options = {
        "cell": "lstm",
        "units": [4, 4],
        "bidirectional": bidirectional,
        "embedding": 8,
        "max_tokens": 10,
    }
    short = architecture("recurrent").build((3,), 1, None, **options)
    long = architecture("recurrent").build((7,), 1, None, **options)
    long.set_weights(short.get_weights())
    text, padded = np.array([[5, 2, 9]]), np.array([[5, 2, 9, 0, 0, 0, 0]])
    np.testing.assert_allclose(outputs_of(long, padded, False), outputs_of(short, text, False), rtol=1e-5)


@pytest.mark.parametrize("name", ["recurrent", "transformer"])
def test_a_text_without_a_word_gets_a_finite_answer(name, keras):
    cell = (
        {"cell": "lstm", "units": [4], "bidirectional": True, "embedding": 8} if name == "recurrent" else {}
    )
    model = architecture(name).build((7,), 1, "sigmoid", max_tokens=10, **cell)
    assert np.isfinite(outputs_of(model, np.zeros((1, 7), "int64"), False)).all()


def attention_of(model):
    """The attention layer of a transformer, and what comes into it."""
    layer = model.get_layer("attention")
    return layer, layer.input[0] if isinstance(layer.input, list | tuple) else layer.input


def test_the_attention_of_the_transformer_is_the_weighted_sum_of_the_values(keras):
    model = architecture("transformer").build((3,), 1, None, max_tokens=10, width=3, heads=1)
    attention, _ = attention_of(model)
    one, none = np.eye(3, dtype="float32"), np.zeros((1, 3), "float32")
    project = [one[:, None, :], none]
    attention.set_weights([*project, *project, *project, one[None], none[0]])
    weights = np.array([0.05, 0.65, 0.30], "float32")
    values = np.array([[[1, 2, 3], [2, 8, 0], [2, 6, 3]]], "float32")
    query = np.array([[[np.sqrt(3), 0, 0]]], "float32")  # the scores are divided by the root of its width
    keys = np.stack([np.log(weights), 0 * weights, 0 * weights], axis=-1)[None]
    answer, scores = attention(query, values, keys, return_attention_scores=True)
    np.testing.assert_allclose(np.ravel(scores), weights, rtol=1e-5)
    np.testing.assert_allclose(np.ravel(answer), [1.95, 7.10, 1.05], rtol=1e-5)


def test_what_the_transformer_attends_to_is_the_word_plus_its_position(keras):
    model = architecture("transformer").build((2,), 1, None, max_tokens=4, width=4)
    model.get_layer("tokens").set_weights([np.array([[0] * 4, [0] * 4, [0] * 4, [1, 0, 1, 0]])])
    model.get_layer("positions").set_weights([np.array([[0] * 4, [2, 1, 2, 1]])])
    embedded = outputs_of(keras.Model(model.input, attention_of(model)[1]), np.array([[3, 3]]), False)
    np.testing.assert_array_equal(embedded[0], [[1, 0, 1, 0], [3, 1, 3, 1]])


def test_attention_weights_of_a_text_can_be_read(keras, rng):
    model = architecture("transformer").build((7,), 1, None, max_tokens=20)
    attention, embedded = attention_of(model)
    x = keras.Model(model.input, embedded)(examples(model, rng))
    _, scores = attention(x, x, return_attention_scores=True)
    assert scores.shape == (2, 2, 7, 7)
    np.testing.assert_allclose(np.sum(scores, axis=-1), 1, rtol=1e-5)
