"""Film reviews composed from word lists, as word ranks in the two files of Keras' IMDB data set."""

import io
import json
import zipfile
from collections import Counter
from collections.abc import Sequence
from itertools import chain, product
from pathlib import Path
from random import Random

import numpy as np

from evermodel.datasets.source import Edition

ROWS = 3000  # of each of the two splits
HONEST = 0.8  # share of the opinions in a review that agree with its verdict
NEGATED = 0.08  # share of those opinions that are put as "not" and the opposite
LEANING = 0.7  # share of the other words that come from the half of their list that goes with the verdict
HARPED = 0.6  # share of the other words that a review does not choose, but repeats

CUES = [
    words.split()
    for words in (
        """
        boring awful dull terrible stupid lame predictable horrible cheap clumsy weak bad poor shallow
        tedious annoying pointless dreadful silly flat forgettable messy bland lazy ugly painful confused
        hollow ridiculous cold
        """,
        """
        brilliant wonderful superb touching funny clever gripping charming beautiful moving excellent great
        fresh honest powerful delightful memorable perfect lovely smart fascinating warm stunning thrilling
        witty amazing impressive entertaining rich elegant
        """,
    )
]
# fmt: off
OPINIONS = (
    "the {part} is {cue}", "the {part} was really {cue}", "i thought the {part} was {cue}",
    "what a {cue} {part}", "it has a {cue} {part}", "my {person} called the {part} {cue}",
    "with such a {cue} {part} it hardly matters what comes next", "all in all a {cue} {genre}",
    "few films have a {part} as {cue} as this", "for a {genre} the {part} feels {cue}",
)
FACTS = (
    "{star} plays a {job} from {town}", "the story begins in {town} where {star} meets a {job}",
    "{maker} made {title} after the war", "then {star} finds a {thing} in the house of {rival}",
    "we saw {title} with my {person} last week",
    "{rival} and {star} leave {town} by night to look for the {thing}",
    "in the second half {rival} becomes a {job}", "{title} runs for two hours and some minutes",
    "i had read about {maker} and {title} before", "nobody in {town} knows why {rival} wants the {thing}",
    "the {job} asks {star} about the {thing}", "{maker} also wrote the {genre} that {star} made years ago",
    "on the way to {town} the {job} tells {rival} about his {person}",
    "{title} ends where it began in {town}",
)
# fmt: on
LISTS = {
    "part": """
        acting plot story music ending script cast dialogue camera pace editing direction humour setting
        beginning scenery costume sound lighting photography
    """,
    "genre": "comedy drama thriller western musical mystery romance documentary",
    "person": "brother sister wife husband mother father friend neighbour teacher uncle",
    "job": """
        doctor sailor farmer lawyer painter soldier thief nurse baker pilot judge singer cook driver spy
        priest reporter gardener miner waiter
    """,
    "thing": """
        letter map key photograph watch coin diary suitcase ring lamp knife painting radio ticket violin
        mirror bottle gun bicycle telegram
    """,
}
WORDS = {slot: words.split() for slot, words in LISTS.items()}
NOUNS = (
    "harbour", "winter", "river", "garden", "morning", "summer", "station", "island", "mountain", "window",
    "bridge", "forest", "street", "party",
)  # fmt: skip
# Names of people and towns: each rare over all reviews, and repeated within one.
SYLLABLES = (
    "bar bel cor dal den fal gar hol kar lan mar nor pel ros sel tor val wil yor zan",
    "a e i o u an en ar or il",
    "berg by dale ford ham man mont ner ric son stein ton ville well witz",
)
NAMES = ["".join(one) for one in product(*map(str.split, SYLLABLES))]


def write(folder: Path, edition: Edition) -> None:
    """Write the edition's two files: 3,000 training and 3,000 test reviews, half of each positive."""
    # Random.random() is the one stream of Python that is promised to stay the same in every version.
    random = Random(2011)
    save(folder, edition, [_review(random, row % 2) for row in range(2 * ROWS)], ROWS)


def save(folder: Path, edition: Edition, reviews: list[list[str]], train: int) -> None:
    """Write reviews of which every other one is positive. train: how many are to train with.

    The .npz file is as np.savez would write it, with the same bytes from every version of Python's zipfile.
    """
    numbers, labels = _ranks(reviews), np.arange(len(reviews)) % 2
    x = np.empty(len(reviews), dtype=object)
    x[:] = [[numbers[word] for word in review] for review in reviews]
    arrays = {"x_train": x[:train], "y_train": labels[:train], "x_test": x[train:], "y_test": labels[train:]}
    with zipfile.ZipFile(folder / edition.options["sequences"], "w", zipfile.ZIP_STORED) as archive:
        for name, array in arrays.items():
            stream = io.BytesIO()
            np.lib.format.write_array(stream, array)
            archive.writestr(zipfile.ZipInfo(f"{name}.npy"), stream.getvalue())
    (folder / edition.options["words"]).write_text(json.dumps(numbers) + "\n", encoding="ascii")


def _ranks(reviews: list[list[str]]) -> dict[str, int]:
    """Word -> rank: 1 for the most frequent one, as in Keras."""
    counts = Counter(chain.from_iterable(reviews))
    ordered = sorted(counts, key=lambda word: (-counts[word], word))
    return {word: rank for rank, word in enumerate(ordered, start=1)}


def _review(random: Random, verdict: int) -> list[str]:
    """The words of one review, its sentences in any order.

    What is said once goes with the verdict. What is repeated (names, subjects, the words of the poster)
    does not, so that whether a word occurs tells more than how often.
    """
    fixed = {slot: pick(random, NAMES) for slot in ("star", "rival", "maker", "town")}
    fixed["title"] = f"the {pick(random, CUES[_coin(random, 0.5)])} {pick(random, NOUNS)}"
    harped = {slot: pick(random, words) for slot, words in WORDS.items()}

    def said(sentences: Sequence[str], cue: str = "") -> str:
        words = {slot: _word(random, slot, verdict, harped) for slot in WORDS}
        return pick(random, sentences).format_map(words | fixed | {"cue": cue})

    facts = [said(FACTS) for _ in range(_between(random, 9, 15))]
    opinions = [said(OPINIONS, _cue(random, verdict)) for _ in range(_between(random, 6, 10))]
    poster = [pick(random, CUES[_coin(random, 0.5)]) for _ in range(_between(random, 2, 4))]
    echoes = [said(OPINIONS, cue) for cue in poster for _ in range(_between(random, 2, 5))]
    sentences = sorted([*facts, *opinions, *echoes], key=lambda _: random.random())
    return " ".join(sentences).split()


def _cue(random: Random, verdict: int) -> str:
    """A judging word, which may be against the verdict or negated."""
    side = verdict if _coin(random, HONEST) else 1 - verdict
    return f"not {pick(random, CUES[1 - side])}" if _coin(random, NEGATED) else pick(random, CUES[side])


def _word(random: Random, slot: str, verdict: int, harped: dict[str, str]) -> str:
    if _coin(random, HARPED):
        return harped[slot]
    side = verdict if _coin(random, LEANING) else 1 - verdict
    return pick(random, WORDS[slot][side::2])


def pick(random: Random, choices: Sequence[str]) -> str:
    """One of them."""
    return choices[int(random.random() * len(choices))]


def _between(random: Random, low: int, high: int) -> int:
    return low + int(random.random() * (high + 1 - low))


def _coin(random: Random, share: float) -> int:
    return int(random.random() < share)
