"""What every form of a request comes down to: raw examples, and how an answer for them is shown."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from starlette.responses import Response

from evermodel.core.data import Array
from evermodel.serving.champion import Champion


@dataclass(frozen=True)
class Shown:
    """A response, and what of it is written down."""

    response: Response
    noted: Any


@dataclass(frozen=True)
class Asked:
    """x: examples as the model takes them; show: what a client gets of a version's answer for them."""

    x: Any
    show: Callable[[Champion, Array], Shown]
