"""Blocks of convolutions and a few dense layers: what most small image classifiers are, by their numbers."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import layers

TUTORIAL = {
    "padding": "valid",
    "last_pooling": False,
}  # of TensorFlow and Keras, on Fashion-MNIST and CIFAR-10
TEXTBOOK = {"kernel_size": 2, "padding": "valid"}
GLOBAL = {"batch_norm": True, "global_average": True}  # few parameters, whatever the size of the image
VGG = {"filters": [64, 128, 256, 512], "dense": [4096, 4096], "convolutions": 2}  # arXiv:1409.1556
REFERENCES: list[tuple[object, ...]] = [
    ((28, 28, 1), 10, {"filters": [32, 64, 128], "dense": [128], **TUTORIAL}, 241_546),
    ((32, 32, 3), 10, {"filters": [32, 64, 64], "dense": [64], **TUTORIAL}, 122_570),
    ((64, 64, 3), 10, {"filters": [32, 64], "dense": [128]}, 2_117_962),
    ((128, 128, 3), 10, {"filters": [16, 32], "dense": [100], **TEXTBOOK}, 3_078_598),
    ((64, 64, 3), 10, {"filters": [32, 64, 128], "dense": [128], **GLOBAL}, 112_458),
    ((32, 32, 3), 10, VGG, 29_900_362),
    ((64, 64, 3), 10, VGG, 55_066_186),
    # Conv 112 + 148, 296 + 584; 8*8*8 inputs to Dense: 8,208 + 272; head 170.
    ((32, 32, 3), 10, {"filters": [4, 8], "dense": [16, 16], "convolutions": 2}, 9_790),
]


def build(
    input_shape: Sequence[int],
    outputs: int,
    activation: str | None,
    *,
    filters: Sequence[int],
    dense: Sequence[int],
    kernel_size: int = 3,
    padding: str = "same",
    convolutions: int = 1,
    last_pooling: bool = True,
    global_average: bool = False,
    batch_norm: bool = False,
    dropout: float = 0.0,
    dense_dropout: float = 0.0,
    kernel_initializer: str = "glorot_uniform",
) -> keras.Model:
    """For each number of `filters` a block of ReLU convolutions and 2x2 pooling; `dense` layers; the head.

    input_shape: (height, width, channels), floats in 0…1. convolutions: in each block. last_pooling: of the
    last block. global_average (Lin et al. 2013, "Network in network"): of each filter over the image, where
    else all places go to the dense layers. batch_norm: after each activation. dropout: after each pooling;
    dense_dropout: after each dense layer. kernel_initializer: deep stacks want "he_normal" (He et al. 2015),
    or signals fade in so many ReLU layers.
    """
    relu = {"activation": "relu", "kernel_initializer": kernel_initializer}
    inputs = keras.Input(input_shape)
    x = inputs
    for block, width in enumerate(filters, start=1):
        for _ in range(convolutions):
            x = _normalised(layers.Conv2D(width, kernel_size, padding=padding, **relu)(x), batch_norm)
        if block < len(filters) or last_pooling:
            x = _dropped(layers.MaxPooling2D()(x), dropout)
    x = layers.GlobalAveragePooling2D()(x) if global_average else layers.Flatten()(x)
    for width in dense:
        x = _dropped(_normalised(layers.Dense(width, **relu)(x), batch_norm), dense_dropout)
    return keras.Model(inputs, layers.Dense(outputs, activation=activation)(x), name="cnn")


def _normalised(x: Any, batch_norm: bool) -> Any:
    # With Keras' 0.99, even with 0.9, the moving statistics trail behind the first epochs of small data.
    return layers.BatchNormalization(momentum=0.8)(x) if batch_norm else x


def _dropped(x: Any, rate: float) -> Any:
    return layers.Dropout(rate)(x) if rate else x
