"""A convolutional autoencoder: an image through a narrow code and back."""

import math
from collections.abc import Sequence

import keras
from keras import layers

# Encoder 519,616 + decoder 1,110,339.
REFERENCES: list[tuple[object, ...]] = [((32, 32, 3), 3, {}, 1_629_955)]


def build(
    input_shape: Sequence[int],
    outputs: int,
    activation: str | None,
    *,
    latent: int = 128,
    noise: float = 0.0,
    filters: Sequence[int] = (32, 64, 128, 256),
) -> keras.Model:
    """Convolutions with 2x2 pooling to `latent` numbers, transposed convolutions back to the image.

    input_shape: (height, width, channels), floats in 0…1. outputs: channels of the reconstruction.
    noise: the standard deviation of Gaussian noise on the input, in training only (a denoising autoencoder,
    Vincent et al. 2008). The halves are sub-models named encoder and decoder.
    Raises ValueError if height or width can't be halved once for each number of filters.
    """
    (height, width), shrinks = input_shape[:2], 2 ** len(filters)
    if height % shrinks or width % shrinks:
        raise ValueError(f"height and width must be divisible by {shrinks}, not {height} x {width}")
    inputs = keras.Input(input_shape)
    x = layers.GaussianNoise(noise)(inputs) if noise else inputs
    code = _encoder(input_shape, filters, latent)(x)
    decoded = _decoder(latent, (height // shrinks, width // shrinks), filters, outputs, activation)(code)
    return keras.Model(inputs, decoded, name="autoencoder")


def _encoder(input_shape: Sequence[int], filters: Sequence[int], latent: int) -> keras.Model:
    inputs = keras.Input(input_shape)
    x = inputs
    for count in filters:
        x = layers.MaxPooling2D()(layers.Conv2D(count, 3, padding="same", activation="relu")(x))
    return keras.Model(inputs, layers.Dense(latent)(layers.Flatten()(x)), name="encoder")


def _decoder(
    latent: int, size: tuple[int, int], filters: Sequence[int], outputs: int, activation: str | None
) -> keras.Model:
    inputs = keras.Input((latent,))
    smallest = (*size, filters[-1])
    x = layers.Dense(math.prod(smallest), activation="relu")(inputs)
    x = layers.Reshape(smallest)(x)
    for count in reversed(filters):
        x = layers.Conv2DTranspose(count, 3, padding="same", activation="relu")(x)
        x = layers.UpSampling2D()(x)
    image = layers.Conv2D(outputs, 3, padding="same", activation=activation)(x)
    return keras.Model(inputs, image, name="decoder")
