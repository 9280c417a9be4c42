"""A convolutional autoencoder: an image through a narrow code and back."""

import math
from collections.abc import Sequence

import keras
from keras import layers

# Encoder 519,616 + decoder 1,110,339.
REFERENCES: list[tuple[object, ...]] = [((32, 32, 3), 3, {}, 1_629_955)]
SHRINKS = 16


def build(
    input_shape: Sequence[int],
    outputs: int,
    activation: str | None,
    *,
    latent: int = 128,
    noise: float = 0.0,
) -> keras.Model:
    """Conv 32-64-128-256 with 2x2 pooling to `latent` numbers, transposed convolutions back to the image.

    input_shape: (height, width, channels), floats in 0…1. outputs: channels of the reconstruction.
    noise: the standard deviation of Gaussian noise on the input, in training only (a denoising autoencoder,
    Vincent et al. 2008). The halves are sub-models named encoder and decoder.
    Raises ValueError if height or width is not divisible by 16.
    """
    height, width = input_shape[:2]
    if height % SHRINKS or width % SHRINKS:
        raise ValueError(f"height and width must be divisible by {SHRINKS}, not {height} x {width}")
    inputs = keras.Input(input_shape)
    x = layers.GaussianNoise(noise)(inputs) if noise else inputs
    code = _encoder(input_shape, latent)(x)
    decoded = _decoder(latent, (height // SHRINKS, width // SHRINKS, 256), outputs, activation)(code)
    return keras.Model(inputs, decoded, name="autoencoder")


def _encoder(input_shape: Sequence[int], latent: int) -> keras.Model:
    inputs = keras.Input(input_shape)
    x = inputs
    for filters in (32, 64, 128, 256):
        x = layers.MaxPooling2D()(layers.Conv2D(filters, 3, padding="same", activation="relu")(x))
    return keras.Model(inputs, layers.Dense(latent)(layers.Flatten()(x)), name="encoder")


def _decoder(
    latent: int, smallest: tuple[int, int, int], outputs: int, activation: str | None
) -> keras.Model:
    inputs = keras.Input((latent,))
    x = layers.Dense(math.prod(smallest), activation="relu")(inputs)
    x = layers.Reshape(smallest)(x)
    for filters in (256, 128, 64, 32):
        x = layers.Conv2DTranspose(filters, 3, padding="same", activation="relu")(x)
        x = layers.UpSampling2D()(x)
    image = layers.Conv2D(outputs, 3, padding="same", activation=activation)(x)
    return keras.Model(inputs, image, name="decoder")
