import numpy as np
import pytest

from evermodel.models import vae

X = np.random.default_rng(2).random((6, 4, 4, 1), dtype=np.float32)


@pytest.fixture
def build(keras):
    """A function that builds a small one; the same weights each time."""

    def of(**options):
        keras.utils.set_random_seed(3)
        return vae.build((4, 4, 1), 1, "sigmoid", latent=2, units=[8], **options)

    return of


def test_the_divergence_is_that_of_known_means_and_variances(build):
    """½(m² + v - ln v - 1) of each number (Kingma & Welling 2014, appendix B); none of N(0, 1)."""
    model = build(kl=16.0)
    of = dict(zip(("mean", "log_variance"), model.get_layer("encoder").layers[-2:], strict=True))
    for told, known in (
        ({"mean": [0, 0], "log_variance": [0, 0]}, 0),
        (
            {"mean": [3, -1], "log_variance": [2, np.log(4)]},
            (9 + np.e**2 - 2 - 1 + 1 + 4 - np.log(4) - 1) / 2,
        ),
    ):
        for name, biases in told.items():
            of[name].set_weights([np.zeros((8, 2)), np.array(biases)])
        model(X, training=True)
        assert float(model.losses[0]) == pytest.approx(known, abs=1e-6)


def test_beside_the_loss_of_the_image_stands_the_divergence_of_its_code_by_its_weight(build):
    model = build(kl=4.0)
    model(X, training=True)
    mean, log_variance = (np.asarray(one) for one in model.get_layer("encoder")(X))
    each = (mean**2 + np.exp(log_variance) - log_variance - 1).sum(axis=1) / 2
    assert float(model.losses[0]) == pytest.approx(4 * each.mean() / 16, rel=1e-5)


def test_training_draws_codes_and_else_the_mean_is_taken(build):
    model = build()
    told = np.asarray(model.get_layer("decoder")(model.get_layer("encoder")(X)[0]))
    assert np.asarray(model(X)) == pytest.approx(told, abs=1e-6)
    first, second = (np.asarray(model(X, training=True)) for _ in range(2))
    assert not np.array_equal(first, second)
    assert np.array_equal(first, np.asarray(build()(X, training=True)))


def test_codes_are_drawn_with_the_variance_that_the_encoder_tells(keras, build):
    model = build()
    encoder, decoder = model.get_layer("encoder"), model.get_layer("decoder")
    for layer, told in zip(encoder.layers[-2:], ([1.0, -2.0], np.log([0.25, 4.0])), strict=True):
        layer.set_weights([np.zeros((8, 2)), np.array(told)])
    codes = keras.Model(model.input, decoder._inbound_nodes[-1].input_tensors[0])
    drawn = np.asarray(codes(np.zeros((4000, 4, 4, 1), np.float32), training=True))
    assert drawn.mean(axis=0) == pytest.approx([1, -2], abs=0.1)
    assert drawn.std(axis=0) == pytest.approx([0.5, 2], rel=0.05)
