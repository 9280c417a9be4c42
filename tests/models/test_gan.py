import numpy as np
import pytest

from evermodel.models import gan

X = np.random.default_rng(2).random((6, 4, 4, 1), dtype=np.float32)


@pytest.fixture
def build(keras):
    """A function that builds a small one; the same weights each time."""

    def of(**options):
        keras.utils.set_random_seed(3)
        return gan.build((4, 4, 1), 1, "sigmoid", latent=2, filters=[3, 5], **options)

    return of


def gradients(weights, loss):
    """Of a loss without arguments, by each weight."""
    import tensorflow

    with tensorflow.GradientTape() as tape:
        value = loss()
    return [np.asarray(one) for one in tape.gradient(value, [weight.value for weight in weights])]


@pytest.mark.parametrize("smoothing", [0.0, 0.2])
def test_one_loss_teaches_critic_and_decoder_each_by_its_own(keras, build, smoothing):
    """The critic by the cross-entropy of real and made, the decoder by that of made as if it were real."""
    model, ops = build(smoothing=smoothing), keras.ops
    critic, decoder = model.get_layer("critic"), model.get_layer("decoder")
    noise = next(layer for layer in model.layers if isinstance(layer, gan.Noise))
    state = np.asarray(noise.seed_generator.state)

    def again():
        noise.seed_generator.state.assign(state)

    def entropy(scores, wanted):
        return ops.mean(ops.binary_crossentropy(ops.full_like(scores, wanted), scores, from_logits=True))

    def of_critic():
        again()
        return entropy(critic(X), 1 - smoothing) + entropy(critic(decoder(noise(X), training=True)), 0)

    def of_decoder():
        again()
        return entropy(critic(decoder(noise(X), training=True)), 1)

    def of_both():
        again()
        return ops.mean(model(X, training=True)["loss"])

    assert float(of_both()) == pytest.approx(float(of_critic()), rel=1e-5)
    for part, own in ((critic, of_critic), (decoder, of_decoder)):
        wanted, found = (gradients(part.trainable_weights, loss) for loss in (own, of_both))
        assert max(np.abs(one).max() for one in wanted) > 1e-3
        for one, other in zip(found, wanted, strict=True):
            assert one == pytest.approx(other, abs=1e-5)


def test_noise_is_drawn_also_where_validation_rows_are_watched_and_goes_on_from_where_it_was(build):
    model = build()
    first, second = (np.asarray(model(X, training=False)["loss"]) for _ in range(2))
    assert not np.array_equal(first, second)
    again = build()
    assert np.array_equal(np.asarray(again(X, training=False)["loss"]), first)
    assert any("seed_generator" in variable.path for variable in again.variables)


def test_a_collapse_is_told_by_a_spread_of_0_and_one_image_alone_has_none(build):
    model = build()
    spread = np.asarray(model(X, training=False)["spread"])
    assert spread.shape == (6, 1)
    assert (spread > 0.001).all()
    assert np.asarray(model(X[:1])["spread"]).tolist() == [[0]]
    model.get_layer("decoder").layers[1].set_weights([np.zeros((2, 5))])
    assert np.asarray(model(X, training=False)["spread"]) == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("shape", [(28, 28, 1), (10, 7, 3)])
def test_what_is_made_is_of_the_size_of_what_is_real(keras, shape):
    model = gan.build(shape, shape[-1], "sigmoid")
    assert model.get_layer("decoder").output_shape == (None, *shape)
    assert not [x for x in model.get_layer("decoder").layers if type(x).__module__.startswith("evermodel")]
