"""A generative adversarial network: images made of noise that a critic can't tell from real ones."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import layers, ops

REFERENCES: list[tuple[object, ...]] = [((28, 28, 1), 1, {}, 170_530)]


def build(
    input_shape: Sequence[int],
    outputs: int,
    activation: str | None,
    *,
    latent: int = 32,
    filters: Sequence[int] = (32, 64),
    smoothing: float = 0.1,
) -> keras.Model:
    """Strided convolutions in a critic and a decoder (DCGAN, Radford, Metz & Chintala 2016). The critic has
    no batch normalisation, since what is real and what is made come in one batch.

    input_shape: (height, width, channels), floats in 0…1. outputs: channels of the image. latent: numbers of
    noise. filters: of the critic's convolutions, each of which halves the image, and of the decoder's in
    turn. smoothing: by how much less than 1 the critic is to believe in what is real (Salimans et al. 2016).

    Gives the heads, (n, 1) each: loss, that of critic and decoder at once, and spread, how much what is made
    differs from each other beside what is real, by the pixel's deviation: 1 is as much, and 0 a collapse.
    """
    inputs = keras.Input(input_shape)
    made = _decoder(latent, filters, (*input_shape[:2], outputs), activation)(Noise(latent)(inputs))
    # What is made comes twice, so that one loss teaches both, each its own: the critic learns nothing by the
    # decoder's, as what `fooled` tells it `told` takes back, and no gradient goes from `told` to the decoder.
    shown = ops.concatenate([inputs, ops.stop_gradient(made), made], axis=0)
    real, told, fooled = ops.split(_critic(input_shape, filters)(shown), 3)
    critic = (1 - smoothing) * ops.softplus(-real) + smoothing * ops.softplus(real) + ops.softplus(told)
    decoder = ops.softplus(-fooled) - ops.softplus(-told)  # the loss that does not saturate (Goodfellow 2014)
    spread = ops.ones_like(real) * ops.divide_no_nan(_spread(made), _spread(inputs))
    return keras.Model(inputs, {"loss": critic + decoder, "spread": spread}, name="gan")


class Noise(layers.Layer):  # type: ignore[misc]  # Keras has no types
    """N(0, 1) for each example, in training and when it is watched; no part of what is saved."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.size = size
        self.seed_generator = keras.random.SeedGenerator()  # a variable, which a checkpoint holds

    def call(self, x: Any) -> Any:
        """(n, size) of (n, …)."""
        return keras.random.normal((ops.shape(x)[0], self.size), seed=self.seed_generator)


def _spread(images: Any) -> Any:
    return ops.mean(ops.std(ops.cast(images, "float32"), axis=0))


def _decoder(
    latent: int, filters: Sequence[int], shape: tuple[int, ...], activation: str | None
) -> keras.Model:
    inputs = keras.Input((latent,))
    height, width = (-(-size // 2 ** len(filters)) for size in shape[:2])
    x = layers.Dense(height * width * filters[-1], use_bias=False)(inputs)
    x = layers.Reshape((height, width, filters[-1]))(x)
    for count in reversed(filters[:-1]):
        x = layers.ReLU()(layers.BatchNormalization()(x))
        x = layers.Conv2DTranspose(count, 4, strides=2, padding="same", use_bias=False)(x)
    x = layers.ReLU()(layers.BatchNormalization()(x))
    image = layers.Conv2DTranspose(shape[-1], 4, strides=2, padding="same", activation=activation)(x)
    over = [(0, image.shape[axis + 1] - shape[axis]) for axis in (0, 1)]  # if sizes can't be halved so often
    return keras.Model(inputs, layers.Cropping2D(over)(image), name="decoder")


def _critic(input_shape: Sequence[int], filters: Sequence[int]) -> keras.Model:
    inputs = x = keras.Input(input_shape)
    for count in filters:
        x = layers.Conv2D(count, 4, strides=2, padding="same", activation="elu")(x)
    return keras.Model(inputs, layers.Dense(1, dtype="float32")(layers.Flatten()(x)), name="critic")
