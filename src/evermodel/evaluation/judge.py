"""The fixed classifier that comes with a data set, by whose features what a model makes is judged."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from evermodel.core import data, generation
from evermodel.core.data import Array, Prepared
from evermodel.core.errors import EvermodelError
from evermodel.runs import determinism, network


@dataclass(frozen=True)
class Judge:
    """sha256: of its file. features: from images (n, height, width, channels) uint8 to (n, d).

    known: the features of the training rows.
    """

    sha256: str
    features: Callable[[Array], Array]
    known: Array


def load(prepared: Prepared) -> Judge:
    """The judge of prepared data, of which the training rows are there; EvermodelError if it has none."""
    if (file := prepared.weights.get(generation.JUDGE)) is None:
        raise EvermodelError(generation.no_judge(prepared.spec.dataset))
    see = features(file)
    return Judge(data.file_hash(file), see, see(prepared.splits["train"].x))


def features(file: Path) -> Callable[[Array], Array]:
    """What the last layer of a classifier is given; EvermodelError if it does not end in such a one."""
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
    return network.compiled(keras.Model(whole.input, inner(whole.layers[-2].output)))
