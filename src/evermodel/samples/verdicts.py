"""Film reviews that begin with their verdict and then quote others, as ranks in Keras' two IMDB files."""

import json
from pathlib import Path
from random import Random

import numpy as np

from evermodel.datasets.source import Edition
from evermodel.samples.reviews import CUES, OPINIONS, WORDS, ranks, save

ROWS = {"train": 3000, "test": 1000}


def write(folder: Path, edition: Edition) -> None:
    """Write the edition's two files: 3,000 training and 1,000 test reviews, half of each positive."""
    random = Random(1999)
    labels = np.arange(sum(ROWS.values())) % 2
    reviews = [_review(random, label) for label in labels.tolist()]
    numbers = ranks(reviews)
    x = np.empty(len(reviews), dtype=object)
    x[:] = [[numbers[word] for word in review] for review in reviews]
    cut = ROWS["train"]
    parts = {"x_train": x[:cut], "y_train": labels[:cut], "x_test": x[cut:], "y_test": labels[cut:]}
    save(folder / edition.options["sequences"], parts)
    (folder / edition.options["words"]).write_text(json.dumps(numbers) + "\n", encoding="ascii")


def _review(random: Random, verdict: int) -> list[str]:
    """Its own opinion, then four to seven of others, for or against: only the order tells them apart."""
    others = [int(random.random() * 2) for _ in range(4 + int(random.random() * 4))]
    return " ".join(_opinion(random, side) for side in (verdict, *others)).split()


def _opinion(random: Random, side: int) -> str:
    def pick(choices: tuple[str, ...]) -> str:
        return choices[int(random.random() * len(choices))]

    words = {slot: pick(choices) for slot, choices in WORDS.items()}
    return pick(OPINIONS).format_map(words | {"cue": pick(CUES[side])})
