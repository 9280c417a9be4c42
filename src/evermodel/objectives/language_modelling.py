"""Learning to write: after each character of a text, how likely the next one is."""

from evermodel.core.data import Spec
from evermodel.core.generation import SYMBOLS
from evermodel.training import losses
from evermodel.training.objective import Objective

INPUTS: tuple[str, ...] = ("text",)
TARGET: str = "text"


def objective(spec: Spec) -> Objective:
    """The logit of each symbol at each place of a text, whose characters come in as numbers from 1 on."""
    return Objective(SYMBOLS, None, losses.next_symbol, target=lambda x, y: x - 1, writes=True)
