"""Film reviews composed from word lists, as word ranks in the two files of Keras' IMDB data set."""

import json
from collections import Counter
from collections.abc import Sequence
from itertools import chain, product
from pathlib import Path
from random import Random

import numpy as np

from evermodel.sources import Edition

ROWS = 3000  # of each of the two splits
HONEST = 0.77  # share of the opinions in a review that agree with its verdict
NEGATED = 0.1  # share of the opinions put as "not" and the opposite

CUES = {
    1: [
        "brilliant",
        "wonderful",
        "superb",
        "touching",
        "funny",
        "clever",
        "gripping",
        "charming",
        "beautiful",
        "moving",
        "excellent",
        "great",
        "fresh",
        "honest",
        "powerful",
        "delightful",
        "memorable",
        "perfect",
        "lovely",
        "smart",
        "fascinating",
        "warm",
        "stunning",
        "thrilling",
        "witty",
        "amazing",
        "impressive",
        "entertaining",
        "rich",
        "elegant",
    ],
    0: [
        "boring",
        "awful",
        "dull",
        "terrible",
        "stupid",
        "lame",
        "predictable",
        "horrible",
        "cheap",
        "clumsy",
        "weak",
        "bad",
        "poor",
        "shallow",
        "tedious",
        "annoying",
        "pointless",
        "dreadful",
        "silly",
        "flat",
        "forgettable",
        "messy",
        "bland",
        "lazy",
        "ugly",
        "painful",
        "confused",
        "hollow",
        "ridiculous",
        "cold",
    ],
}
OPINIONS = (
    "the {part} is {cue}", "the {part} was really {cue}", "i thought the {part} was {cue}",
    "what a {cue} {part}", "it has a {cue} {part}", "my {person} called the {part} {cue}",
    "with such a {cue} {part} it hardly matters what comes next", "all in all a {cue} {genre}",
    "few films have a {part} as {cue} as this", "for a {genre} the {part} feels {cue}",
)  # fmt: skip
FACTS = (
    "{star} plays a {job} from {town}", "the story begins in {town} where {star} meets a {job}",
    "{maker} made {title} after the war", "then {star} finds a {thing} in the house of {rival}",
    "we saw {title} with my {person} last week", "{rival} and {star} leave {town} by night to look for the {thing}",
    "in the second half {rival} becomes a {job}", "{title} runs for two hours and some minutes",
    "i had read about {maker} and {title} before", "nobody in {town} knows why {rival} wants the {thing}",
    "the {job} asks {star} about the {thing}", "{maker} also wrote the {genre} that {star} made years ago",
    "on the way to {town} the {job} tells {rival} about his {person}", "{title} ends where it began in {town}",
)  # fmt: skip
WORDS = {
    "part": [
        "acting",
        "plot",
        "story",
        "music",
        "ending",
        "script",
        "cast",
        "dialogue",
        "camera",
        "pace",
        "editing",
        "direction",
        "humour",
        "setting",
        "beginning",
        "scenery",
        "costume",
        "sound",
        "lighting",
        "photography",
    ],
    "genre": ["comedy", "drama", "thriller", "western", "musical", "mystery", "romance", "documentary"],
    "person": [
        "brother",
        "sister",
        "wife",
        "husband",
        "mother",
        "father",
        "friend",
        "neighbour",
        "teacher",
        "uncle",
    ],
    "job": [
        "doctor",
        "sailor",
        "farmer",
        "lawyer",
        "painter",
        "soldier",
        "thief",
        "nurse",
        "baker",
        "pilot",
        "judge",
        "singer",
        "cook",
        "driver",
        "spy",
        "priest",
        "reporter",
        "gardener",
        "miner",
        "waiter",
    ],
    "thing": [
        "letter",
        "map",
        "key",
        "photograph",
        "watch",
        "coin",
        "diary",
        "suitcase",
        "ring",
        "lamp",
        "knife",
        "painting",
        "radio",
        "ticket",
        "violin",
        "mirror",
        "bottle",
        "gun",
        "bicycle",
        "telegram",
    ],
}
# Names of people, towns and films: each rare over all reviews, and repeated within one.
STARTS = [
    "bar",
    "bel",
    "cor",
    "dal",
    "den",
    "fal",
    "gar",
    "hol",
    "kar",
    "lan",
    "mar",
    "nor",
    "pel",
    "ros",
    "sel",
    "tor",
    "val",
    "wil",
    "yor",
    "zan",
]
MIDDLES = ["a", "e", "i", "o", "u", "an", "en", "ar", "or", "il"]
ENDS = [
    "berg",
    "by",
    "dale",
    "ford",
    "ham",
    "man",
    "mont",
    "ner",
    "ric",
    "son",
    "stein",
    "ton",
    "ville",
    "well",
    "witz",
]
NAMES = ["".join(syllables) for syllables in product(STARTS, MIDDLES, ENDS)]
NOUNS = [
    "harbour",
    "winter",
    "river",
    "garden",
    "morning",
    "summer",
    "station",
    "island",
    "mountain",
    "window",
    "bridge",
    "forest",
    "street",
    "party",
]


def write(folder: Path, edition: Edition) -> None:
    """Write the edition's two files: 3,000 training and 3,000 test reviews, half of each positive."""
    # Random.random() is the one stream of Python that is promised to stay the same in every version.
    random = Random(2011)
    labels = np.arange(2 * ROWS) % 2
    reviews = [_review(random, label) for label in labels.tolist()]
    ranks = _ranks(reviews)
    x = np.empty(len(reviews), dtype=object)
    x[:] = [[ranks[word] for word in review] for review in reviews]
    np.savez(
        folder / edition.options["sequences"],
        x_train=x[:ROWS], y_train=labels[:ROWS], x_test=x[ROWS:], y_test=labels[ROWS:],
    )  # fmt: skip
    (folder / edition.options["words"]).write_text(json.dumps(ranks) + "\n", encoding="ascii")


def _ranks(reviews: list[list[str]]) -> dict[str, int]:
    """Word -> rank: 1 for the most frequent one, as in Keras."""
    counts = Counter(chain.from_iterable(reviews))
    ordered = sorted(counts, key=lambda word: (-counts[word], word))
    return {word: rank for rank, word in enumerate(ordered, start=1)}


def _review(random: Random, label: int) -> list[str]:
    """The words of one review: facts with its own names, and opinions among them."""
    names = {slot: _pick(random, NAMES) for slot in ("star", "rival", "maker", "town")}
    # The title promises something whatever the verdict, and it is repeated.
    names["title"] = f"the {_pick(random, CUES[_coin(random, 0.5)])} {_pick(random, NOUNS)}"
    facts = [_filled(random, _pick(random, FACTS), names) for _ in range(_between(random, 6, 14))]
    opinions = [_opinion(random, label, names) for _ in range(_between(random, 5, 9))]
    sentences = sorted([*facts, *opinions], key=lambda _: random.random())
    return " ".join(sentences).split()


def _opinion(random: Random, label: int, names: dict[str, str]) -> str:
    verdict = label if _coin(random, HONEST) else 1 - label
    negated = _coin(random, NEGATED)
    cue = _pick(random, CUES[1 - verdict if negated else verdict])
    return _filled(random, _pick(random, OPINIONS), names | {"cue": f"not {cue}" if negated else cue})


def _filled(random: Random, sentence: str, names: dict[str, str]) -> str:
    words = {slot: _pick(random, choices) for slot, choices in WORDS.items()}
    return sentence.format_map(words | names)


def _pick(random: Random, choices: Sequence[str]) -> str:
    return choices[int(random.random() * len(choices))]


def _between(random: Random, low: int, high: int) -> int:
    return low + int(random.random() * (high + 1 - low))


def _coin(random: Random, share: float) -> int:
    return int(random.random() < share)
