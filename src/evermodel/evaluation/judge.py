"""The fixed classifier that comes with a data set, by whose features what a model makes is judged."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from evermodel.core import data, generation
from evermodel.core.data import Array, Prepared
from evermodel.core.errors import EvermodelError
from evermodel.evaluation import manifold
from evermodel.runs import determinism, network


@dataclass(frozen=True)
class Judge:
    """sha256: of its file. features: from images (n, height, width, channels) uint8 to (n, d); sees: to the
    numbers of their classes, (n,).

    known: the features of the training rows; real: those of the test rows, beside which model and baseline
    are both judged.
    """

    sha256: str
    features: Callable[[Array], Array]
    sees: Callable[[Array], Array]
    known: Array
    real: Array

    @cached_property
    def real_nearest(self) -> Array:
        """How far each test row is from the nearest training row, (n,)."""
        return manifold.nearest(self.real, self.known)[0]


def load(prepared: Prepared) -> Judge:
    """The judge of prepared data, with their training and test rows; EvermodelError if there is none."""
    if (file := prepared.weights.get(generation.JUDGE)) is None:
        raise EvermodelError(generation.no_judge(prepared.spec.dataset))
    look, see = opened(file)
    known, real = (look(prepared.splits[name].x) for name in ("train", "test"))
    return Judge(data.file_hash(file), look, see, known, real)


def opened(file: Path) -> tuple[Callable[[Array], Array], Callable[[Array], Array]]:
    """What the last layer of a classifier is given, and the number of the class that it takes as likeliest.

    Raises EvermodelError if the classifier does not end in such a layer.
    """
    if file.suffix != ".keras":
        raise EvermodelError(f"{file.name} is no network; choose a Keras model for the judge")
    keras = determinism.keras()
    whole = keras.saving.load_model(file, compile=False, safe_mode=True)
    body = whole.layers[-1]
    if not isinstance(body, keras.Model) or not isinstance(body.layers[-1], keras.layers.Dense):
        raise EvermodelError(
            f"{file.name} is no network that ends in one dense layer, before which its features would be; "
            "choose another model for the judge"
        )
    inner = keras.Model(body.input, body.layers[-1].input)
    answer = network.compiled(whole)
    return (
        network.compiled(keras.Model(whole.input, inner(whole.layers[-2].output))),
        lambda images: answer(images).argmax(axis=1),
    )
