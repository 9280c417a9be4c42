import numpy as np
import pytest

from evermodel.models import text_to_image

RNG = np.random.default_rng(5)
X = RNG.random((6, 8, 12, 3), dtype=np.float32)
CAPTIONS = np.array([[1, 2, 0], [1, 3, 4]] * 3)


@pytest.fixture(scope="module")
def model(keras):
    """A small one: two rows and three columns of patches, of which the last ones reach over the image."""
    keras.utils.set_random_seed(3)
    options = {"words": 5, "longest": 3, "patch": 5, "numbers": 2, "levels": 3, "width": 8, "heads": 2}
    built = text_to_image.build((8, 12, 3), 3, "sigmoid", **options)
    norm = next(one for one in built.get_layer("encoder").layers if "normalization" in one.name)
    norm.momentum = 0.0  # so that one look is enough
    built([X, CAPTIONS], training=True)
    return built


@pytest.fixture(scope="module")
def drawer(model):
    """From captions and codes to logits and attention."""
    return lambda *given: [np.asarray(one) for one in model.get_layer("drawer")([*given])]


def codes(rows=6):
    return RNG.integers(0, 9, (rows, 6)).astype(np.int32)


def test_each_code_is_told_by_the_words_and_the_codes_before_it_and_by_no_other(drawer):
    first, other = codes(), codes()
    for place in range(6):
        mixed = np.concatenate([first[:, :place], other[:, place:]], axis=1)
        before, after = (drawer(CAPTIONS, one)[0] for one in (first, mixed))
        assert after[:, : place + 1] == pytest.approx(before[:, : place + 1], abs=1e-5)
    assert np.abs(drawer(CAPTIONS[::-1], first)[0] - drawer(CAPTIONS, first)[0]).max() > 1e-3


def test_codes_have_in_common_the_pairs_of_their_numbers_that_are_the_same(model):
    layer = model.get_layer("drawer").get_layer("features")
    assert not layer.trainable_weights
    looked_up = np.asarray(layer(np.arange(9)[None]))[0]
    assert looked_up.shape == (9, 3 * 3**2)
    same = (np.arange(9) % 3)[:, None] == np.arange(9) % 3, (np.arange(9) // 3)[:, None] == np.arange(9) // 3
    shared = sum(one.astype(int) for one in (*same, same[0] & same[1]))
    assert (looked_up @ looked_up.T == shared).all()
    assert np.array_equal(np.asarray(layer(looked_up[None], reverse=True))[0], shared)


def test_attention_of_each_patch_is_shared_among_the_words_that_are_there(drawer):
    looks = drawer(CAPTIONS, codes())[1]
    assert looks.shape == (6, 2, 3, 3)
    assert looks.sum(axis=-1) == pytest.approx(np.ones((6, 2, 3)), abs=1e-5)
    assert not looks[::2, ..., 2].any()
    assert (looks[1::2] > 0).all()


def test_attention_is_the_softmax_of_queries_times_keys_by_the_root_of_their_length(keras, model):
    """And what is told the values by that: Vaswani et al. 2017, equation 1."""
    layer = next(
        one
        for one in model.get_layer("drawer").layers
        if isinstance(one, keras.layers.MultiHeadAttention) and one.input[0] is not one.input[1]
    )
    x, told = (RNG.normal(size=(2, length, 8)).astype(np.float32) for length in (6, 3))
    there = np.array([[[True, True, False]], [[True, True, True]]])
    found, scores = layer(x, told, attention_mask=there, return_attention_scores=True)
    (q, bq), (k, bk), (v, bv), (o, bo) = (
        [np.asarray(weight) for weight in dense.weights]
        for dense in (layer.query_dense, layer.key_dense, layer.value_dense, layer.output_dense)
    )
    query, key, value = (
        np.einsum("nld,dhk->nhlk", given, weight) + bias[:, None]
        for given, weight, bias in ((x, q, bq), (told, k, bk), (told, v, bv))
    )
    raised = np.exp(query @ key.swapaxes(2, 3) / np.sqrt(4)) * there[:, None]
    wanted = raised / raised.sum(axis=-1, keepdims=True)
    assert np.asarray(scores) == pytest.approx(wanted, abs=1e-5)
    assert np.asarray(found) == pytest.approx(np.einsum("nhlk,hkd->nld", wanted @ value, o) + bo, abs=1e-4)


def test_an_image_is_drawn_of_the_codes_that_were_told_of_it(keras, model):
    encoder, painter = model.get_layer("encoder"), model.get_layer("painter")
    steps = np.rint(np.asarray(encoder(X)) * 2)
    assert steps.shape == (6, 2, 3, 2)
    assert set(np.unique(steps)) == {0, 1, 2}
    number = (steps[..., 0] + 3 * steps[..., 1]).swapaxes(1, 2).reshape(6, 6).astype(np.int32)
    drawn = np.asarray(model.get_layer("decoder")(number))
    assert drawn.shape == X.shape
    assert drawn == pytest.approx(np.asarray(painter(steps.astype(np.float32) / 2)), abs=1e-6)
    error = ((drawn - X) ** 2).mean(axis=(1, 2, 3))
    assert np.asarray(model([X, CAPTIONS])["error"])[:, 0] == pytest.approx(error, abs=1e-6)


def test_rounding_lets_gradients_through_to_the_encoder_and_codes_none(keras, model):
    encoder = model.get_layer("encoder").trainable_weights

    def mean(*heads):
        return lambda: keras.ops.mean(sum(model([X, CAPTIONS])[head] for head in heads))

    of_loss, of_codes = (gradients_or_none(encoder, mean(head)) for head in ("loss", "nats"))
    assert max(np.abs(one).max() for one in of_loss) > 1e-6
    assert of_codes == [None] * len(encoder)


def gradients_or_none(weights, loss):
    import tensorflow

    with tensorflow.GradientTape() as tape:
        value = loss()
    found = tape.gradient(value, [weight.value for weight in weights])
    return [None if one is None else np.asarray(one) for one in found]


def test_what_is_learned_by_is_the_same_at_every_temperature(keras):
    def of(temperature):
        keras.utils.set_random_seed(3)
        built = text_to_image.build((14, 14, 3), 3, "sigmoid", width=8, temperature=temperature)
        given = [RNG.random((2, 14, 14, 3)) * 0 + 0.3, np.array([[1, 2] + [0] * 6] * 2)]
        return np.asarray(built(given)["nats"]), built.get_layer("drawer")([given[1], np.zeros((2, 4), int)])

    (cold, low), (warm, high) = of(0.5), of(1.0)
    assert cold == pytest.approx(warm, rel=1e-5)
    assert np.asarray(low[0]) == pytest.approx(2 * np.asarray(high[0]), rel=1e-4, abs=1e-5)
