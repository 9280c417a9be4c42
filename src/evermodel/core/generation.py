"""What all agree on of models that make something: what they are asked, and what they are judged by."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from evermodel.core.columns import Column

if TYPE_CHECKING:
    import pandas as pd

SEED = Column(name="seed", kind="whole")  # a whole number of which noise is made
PROMPT = Column(name="prompt", kind="text", gaps="fill")  # a text to go on from, which may be empty
LONGEST = 500  # characters of a prompt
ALPHABET = " abcdefghijklmnopqrstuvwxyz0123456789.,;:!?'\"()-/"  # capitals count as the small letters
SYMBOLS = len(ALPHABET) + 1  # that are told apart in what is written; one stands for all others
# The columns of the rows that a model is asked, by what it is judged by.
ASKED = {"example": (SEED,), "text": (SEED, PROMPT)}
JUDGE = "judge"  # the classifier among the weights that come with a data set


def seeds(count: int, columns: Sequence[Column] = (SEED,)) -> "pd.DataFrame":
    """Rows with the seeds 0, 1, 2 …, and nothing in other columns, typed."""
    import pandas as pd

    empty = {column.name: pd.Series([None] * count, dtype=object) for column in columns}
    return pd.DataFrame(empty | {SEED.name: pd.Series(range(count), dtype=float)})


def no_judge(dataset: str) -> str:
    """That a data set has no judge, and how it gets one."""
    return (
        f"data set {dataset} has no judge, the classifier by which what a model makes is judged; train one, "
        f"and `evermodel judge EXPERIMENT` tells what data/{dataset}/params.yaml has to say (docs/data.md)"
    )
