"""EfficientNet-Lite0, trained on other images, under a new head.

EfficientNet-B0 (Tan & Le 2019) without squeeze and excitation, with ReLU6 (tensorflow/tpu on GitHub).
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras
from keras import layers

REFERENCES = [
    ((224, 224, 3), 1000, {"image_size": 224}, 4_694_024),  # 3,413,024 without its top
    ((224, 224, 3), 10, {"image_size": 224, "plane": True}, 3_428_396),
]
# Of each stage: kernel, stride of its first block, expansion, filters, blocks.
STAGES = ((3, 1, 1, 16, 1), (3, 2, 6, 24, 2), (5, 2, 6, 40, 2), (3, 2, 6, 80, 3),
          (5, 1, 6, 112, 3), (5, 2, 6, 192, 4), (3, 1, 6, 320, 1))  # fmt: skip


def build(
    input_shape: Sequence[int],
    outputs: int,
    activation: str | None,
    *,
    image_size: int,
    plane: bool = False,
    weights: str | Path | None = None,
) -> keras.Model:
    """Resizing to `image_size`, the frozen base, its mean over places ("features"), Dense.

    With `plane`, heads on the features give {"classes": …, "map": (n, 2)}. input_shape: (height, width, 3),
    RGB of 0 to 1. weights: a file of Keras' weights of the base; None leaves them random. Batch normalisation
    stays in inference mode as long as it is not trainable. Raises ValueError for a file that does not fit.
    """
    inputs = keras.Input(input_shape)
    x = _base(image_size, weights)(layers.Resizing(image_size, image_size)(inputs))
    x = layers.GlobalAveragePooling2D(name="features")(x)
    classes = layers.Dense(outputs, activation=activation, name="classes")(x)
    predictions = {"classes": classes, "map": layers.Dense(2, name="map")(x)} if plane else classes
    return keras.Model(inputs, predictions, name="efficientnet_lite0")


def _base(size: int, weights: str | Path | None) -> keras.Model:
    inputs = keras.Input((size, size, 3))
    x = layers.Rescaling(255 / 128, -127 / 128)(inputs)  # (pixel - 127) / 128
    x = layers.ReLU(6)(_convolution(x, "stem", 32, 3, 2))
    blocks = [(k, s if n == 0 else 1, *rest) for k, s, *rest, count in STAGES for n in range(count)]
    for number, block in enumerate(blocks):
        x = _inverted_residual(x, f"block{number}", *block)
    base = keras.Model(inputs, layers.ReLU(6)(_convolution(x, "head", 1280, 1)), name="base")
    base.trainable = False
    try:
        if weights is not None:
            base.load_weights(weights)
    except (OSError, KeyError, ValueError) as error:
        reason = str(error).splitlines()[0].rstrip(":")
        raise ValueError(f"{weights} holds no weights of EfficientNet-Lite0's base: {reason}") from None
    return base


def _inverted_residual(x: Any, name: str, kernel: int, stride: int, expansion: int, filters: int) -> Any:
    inputs, channels = x, x.shape[-1]
    if expansion > 1:
        x = layers.ReLU(6)(_convolution(x, f"{name}_expand", expansion * channels, 1))
    x = layers.ReLU(6)(_convolution(x, f"{name}_depthwise", None, kernel, stride))
    x = _convolution(x, f"{name}_project", filters, 1)
    return layers.Add()([inputs, x]) if stride == 1 and channels == filters else x


def _convolution(x: Any, name: str, filters: int | None, kernel: int, stride: int = 1) -> Any:
    """Without `filters`, of each channel alone. Weights start as in He et al. 2015."""
    given = {"strides": stride, "padding": "same", "use_bias": False, "name": f"{name}_conv"}
    if filters:
        convolution = layers.Conv2D(filters, kernel, kernel_initializer="he_normal", **given)
    else:
        he = keras.initializers.VarianceScaling(2.0, "fan_out")  # "he_normal" would count all channels
        convolution = layers.DepthwiseConv2D(kernel, depthwise_initializer=he, **given)
    return layers.BatchNormalization(name=f"{name}_bn")(convolution(x))
