"""Film reviews that begin with their verdict and then quote others, as ranks in Keras' two IMDB files."""

from pathlib import Path
from random import Random

from evermodel.datasets.source import Edition
from evermodel.samples.reviews import CUES, OPINIONS, WORDS, pick, save

ROWS = {"train": 3000, "test": 1000}


def write(folder: Path, edition: Edition) -> None:
    """Write the edition's two files: 3,000 training and 1,000 test reviews, half of each positive."""
    random = Random(1999)
    save(folder, edition, [_review(random, row % 2) for row in range(sum(ROWS.values()))], ROWS["train"])


def _review(random: Random, verdict: int) -> list[str]:
    """Its own opinion, then four to seven of others, for or against: only the order tells them apart."""
    others = [int(random.random() * 2) for _ in range(4 + int(random.random() * 4))]
    return " ".join(_opinion(random, side) for side in (verdict, *others)).split()


def _opinion(random: Random, side: int) -> str:
    words = {slot: pick(random, choices) for slot, choices in WORDS.items()}
    return pick(random, OPINIONS).format_map(words | {"cue": pick(random, CUES[side])})
