"""A network that was trained on other images, under a new head (Yosinski et al. 2014)."""

from collections.abc import Sequence
from pathlib import Path

import keras

REFERENCES = [
    ((224, 224, 3), 10, {"base": "ResNet50", "image_size": 224}, 24_591_242),
    ((299, 299, 3), 10, {"base": "InceptionV3", "image_size": 299}, 23_113_514),
    ((224, 224, 3), 10, {"base": "VGG16", "image_size": 224}, 14_965_578),
    ((224, 224, 3), 10, {"base": "VGG16", "image_size": 224, "plane": True}, 14_720_844),  # base + 513 * 12
]
BASES = ("InceptionV3", "ResNet50", "VGG16")
IMAGENET_BGR = (103.939, 116.779, 123.68)  # the mean pixel of the Caffe models, of 0 to 255


def build(
    input_shape: Sequence[int],
    outputs: int,
    activation: str | None,
    *,
    base: str,
    image_size: int,
    last_layer: str | None = None,
    plane: bool = False,
    weights: str | Path | None = None,
) -> keras.Model:
    """Resizing to `image_size`, the base's own pre-processing, the frozen base, Flatten, Dense.

    With `plane`, heads on the base's mean over places ("features") give {"classes": …, "map": (n, 2)}.
    input_shape: (height, width, 3), RGB of 0 to 1. base: ResNet50 (He et al. 2015), InceptionV3 (Szegedy et
    al. 2015) or VGG16 (Simonyan & Zisserman 2014), up to its layer `last_layer`. weights: a file of Keras'
    weights of the base without its top; None leaves them random. Batch normalisation stays in inference mode
    as long as it is not trainable. Raises ValueError for a base or layer that is not there, or a wrong file.
    """
    inputs = keras.Input(input_shape)
    x = keras.layers.Resizing(image_size, image_size)(inputs)
    x = _trunk(base, image_size, last_layer, weights)(_preprocessed(x, base))
    x = keras.layers.GlobalAveragePooling2D(name="features")(x) if plane else keras.layers.Flatten()(x)
    classes = keras.layers.Dense(outputs, activation=activation, name="classes")(x)
    predictions = {"classes": classes, "map": keras.layers.Dense(2, name="map")(x)} if plane else classes
    return keras.Model(inputs, predictions, name="transfer")


def _preprocessed(x: keras.KerasTensor, base: str) -> keras.KerasTensor:
    """What keras.applications' preprocess_input of the base makes of 0 to 255, made of 0 to 1."""
    if base == "InceptionV3":
        return keras.layers.Rescaling(2.0, -1.0)(x)
    return keras.layers.Rescaling(255.0, [-mean for mean in IMAGENET_BGR])(keras.ops.flip(x, axis=-1))


def _trunk(base: str, image_size: int, last_layer: str | None, weights: str | Path | None) -> keras.Model:
    if base not in BASES:
        raise ValueError(f"there is no base {base!r}; the choices are {', '.join(BASES)}")
    shape = (image_size, image_size, 3)
    trunk = getattr(keras.applications, base)(include_top=False, weights=None, input_shape=shape, name="base")
    if weights is not None:
        _load(trunk, base, weights)
    elif base == "InceptionV3":  # so deep that nothing would come through Keras' own random weights
        _amplify(trunk)
    if last_layer:
        trunk = keras.Model(trunk.input, trunk.get_layer(last_layer).output, name="base")
    trunk.trainable = False
    return trunk


def _amplify(trunk: keras.Model) -> None:
    """Draw the kernels anew so that ReLU layers keep the signal's size (He et al. 2015)."""
    for number, layer in enumerate(trunk.layers):
        if isinstance(layer, keras.layers.Conv2D):
            layer.kernel.assign(keras.initializers.HeNormal(number)(layer.kernel.shape))


def _load(trunk: keras.Model, base: str, weights: str | Path) -> None:
    try:
        trunk.load_weights(weights)
    except (OSError, KeyError, ValueError) as error:
        reason = str(error).splitlines()[0].rstrip(":")
        raise ValueError(f"{weights} holds no weights of {base} without its top: {reason}") from None
