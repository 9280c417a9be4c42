"""Encoding examples on their way into a network, by TensorFlow in a process of its own.

JAX has no strings, and of numbers 32 bits, which do not hold the digits of a time stamp. So a network that is
trained on JAX is given what one that is trained on TensorFlow is given.
"""

import os
from collections.abc import Callable
from multiprocessing import get_context
from multiprocessing.connection import Connection
from typing import Any

from evermodel.core.data import Array, Spec
from evermodel.core.errors import EvermodelError
from evermodel.runs.recipe import Train


def encoding(spec: Spec, train: Train, ahead: int) -> Callable[[Any], Array]:
    """What encodes examples as preprocessing.encoder says, at most `ahead` rows at a time.

    The process ends with this one. Raises EvermodelError if it has ended before.
    """
    context = get_context("spawn")  # a fork of this one would have its back end
    ours, theirs = context.Pipe()
    context.Process(target=_encode, args=(theirs, spec, train, ahead), daemon=True).start()
    theirs.close()  # so that each sees the other's end

    def encode(x: Any) -> Array:
        try:
            ours.send(x)
            found: Array = ours.recv()
        except (EOFError, OSError):
            raise EvermodelError(
                f"the process that encodes data set {spec.dataset} has ended; what it said stands above"
            ) from None
        return found

    return encode


def _encode(examples: Connection, spec: Spec, train: Train, ahead: int) -> None:
    os.environ |= {"KERAS_BACKEND": "tensorflow", "CUDA_VISIBLE_DEVICES": "-1"}
    from evermodel.runs import determinism, network
    from evermodel.training import preprocessing

    determinism.keras()
    encode = network.compiled(preprocessing.encoder(spec, train), ahead)
    while True:
        try:
            x = examples.recv()
        except EOFError:
            return
        examples.send(encode(x))
