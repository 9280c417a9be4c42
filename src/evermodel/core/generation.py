"""What all agree on of models that make something: what they are asked, and what they are judged by."""

from collections.abc import Iterable, Sequence
from itertools import cycle, islice
from typing import TYPE_CHECKING

from evermodel.core.columns import Column

if TYPE_CHECKING:
    import pandas as pd

SEED = Column(name="seed", kind="whole")  # a whole number of which noise is made
PROMPT = Column(name="prompt", kind="text", gaps="fill")  # a text to go on from, which may be empty
CAPTION = Column(name="caption", kind="text")  # what is to be seen on an image
LONGEST = 500  # characters of a prompt
ALPHABET = " abcdefghijklmnopqrstuvwxyz0123456789.,;:!?'\"()-/"  # capitals count as the small letters
SYMBOLS = len(ALPHABET) + 1  # that are told apart in what is written; one stands for all others
# The columns of the rows that a model is asked, by what it is judged by.
ASKED = {"example": (SEED,), "captioned": (SEED, CAPTION), "text": (SEED, PROMPT)}
JUDGED = ("example", "captioned")  # by the features of a classifier
JUDGE = "judge"  # the classifier among the weights that come with a data set


def seeds(count: int, columns: Sequence[Column] = (SEED,)) -> "pd.DataFrame":
    """Rows with the seeds 0, 1, 2 …, and in other columns what is known there in turn, or nothing; typed."""
    import pandas as pd

    known = {column.name: islice(cycle(column.categories or [None]), count) for column in columns}
    others = {name: pd.Series(list(values), dtype=object) for name, values in known.items()}
    return pd.DataFrame(others | {SEED.name: pd.Series(range(count), dtype=float)})


def words(caption: str) -> list[str]:
    """The words of a caption; capitals count as the small letters."""
    return caption.lower().split()


def vocabulary(captions: Iterable[str]) -> tuple[str, ...]:
    """The words of all captions, by the alphabet."""
    return tuple(sorted({word for caption in captions for word in words(caption)}))


def columns(target: str, captions: Sequence[str]) -> tuple[Column, ...] | None:
    """The columns of the rows that a model with that target is asked; None if it is asked no such rows.

    captions: those of the data set, of whose words others can be made.
    """
    if (found := ASKED.get(target)) is None:
        return None
    known = {"categories": tuple(captions), "vocabulary": vocabulary(captions)}
    return tuple(one.model_copy(update=known) if one is CAPTION else one for one in found)


def no_judge(dataset: str) -> str:
    """That a data set has no judge, and how it gets one."""
    return (
        f"data set {dataset} has no judge, the classifier by which what a model makes is judged; train one, "
        f"and `evermodel judge EXPERIMENT` tells what data/{dataset}/params.yaml has to say (docs/data.md)"
    )
