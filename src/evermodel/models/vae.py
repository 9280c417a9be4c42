"""A variational autoencoder: a code of few numbers that are spread as noise is, and images made of such."""

import math
from collections.abc import Sequence

import keras
from keras import layers, ops

# Encoder 401,920 + 131,328 + 2 x 4,112; decoder 4,352 + 131,584 + 402,192.
REFERENCES: list[tuple[object, ...]] = [((28, 28, 1), 1, {}, 1_079_600)]


def build(
    input_shape: Sequence[int],
    outputs: int,
    activation: str | None,
    *,
    latent: int = 16,
    units: Sequence[int] = (512, 256),
    kl: float = 1.0,
) -> keras.Model:
    """Dense layers of `units` to the mean and variance of `latent` numbers, and back (Kingma & Welling 2014).

    input_shape: (height, width, channels), floats in 0…1. outputs: channels of the image. kl: the weight of
    the Kullback-Leibler divergence beside the loss of the image (Higgins et al. 2017); at 1, cross-entropy
    and divergence together are the negative evidence lower bound. The halves are sub-models named encoder,
    which gives the mean and the logarithm of the variance, and decoder. In training the decoder gets a draw,
    else the mean.
    """
    inputs = keras.Input(input_shape)
    mean, log_variance = _encoder(input_shape, units, latent)(inputs)
    # The divergence of N(mean, variance) from N(0, 1) (appendix B of the paper) is the half sum of terms that
    # are never negative. Keras' losses are means over the numbers of an image; by its rows Keras divides.
    terms = ops.square(mean) + ops.exp(log_variance) - log_variance - 1
    penalty = layers.ActivityRegularization(l1=kl / 2 / math.prod(input_shape), dtype="float32")
    # Noise is only added in training, and its seed is among the variables that a checkpoint holds.
    noise = layers.GaussianNoise(1.0)(ops.zeros_like(mean))
    code = mean + ops.exp(log_variance / 2) * noise + 0 * penalty(terms)  # or it would not be in the graph
    decoded = _decoder(latent, units, (*input_shape[:2], outputs), activation)(code)
    return keras.Model(inputs, decoded, name="vae")


def _encoder(input_shape: Sequence[int], units: Sequence[int], latent: int) -> keras.Model:
    inputs = keras.Input(input_shape)
    x = layers.Flatten()(inputs)
    for width in units:
        x = layers.Dense(width, activation="relu")(x)
    return keras.Model(inputs, [layers.Dense(latent)(x), layers.Dense(latent)(x)], name="encoder")


def _decoder(
    latent: int, units: Sequence[int], shape: tuple[int, ...], activation: str | None
) -> keras.Model:
    inputs = keras.Input((latent,))
    x = inputs
    for width in reversed(units):
        x = layers.Dense(width, activation="relu")(x)
    image = layers.Reshape(shape)(layers.Dense(math.prod(shape), activation=activation)(x))
    return keras.Model(inputs, image, name="decoder")
