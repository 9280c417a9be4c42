"""Characters by the few before them: n-grams with interpolated Kneser-Ney smoothing."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator

ALPHABET = " abcdefghijklmnopqrstuvwxyz0123456789.,;:!?'\"()-/"  # as core/generation.py has it
OTHER = "\N{REPLACEMENT CHARACTER}"  # stands for all others
START = 0  # before the first character of a text; characters are numbered from 1 on
SYMBOLS = len(ALPHABET) + 1
BASE = SYMBOLS + 1
WRITTEN = 200  # characters that go on from a prompt
AT_ONCE = 4_000_000  # characters whose n-grams are counted together
# The number of each character of ASCII, in capitals or not, and of all others.
NUMBERS = np.full(129, SYMBOLS)
NUMBERS[[ord(one) for one in ALPHABET.upper()]] = np.arange(1, SYMBOLS)
NUMBERS[[ord(one) for one in ALPHABET]] = np.arange(1, SYMBOLS)


class CharacterNGrams(BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """How likely each character is after the `order` - 1 before it, which are start marks before a text."""

    def __init__(self, order: int) -> None:
        self.order = order

    def fit(self, x: Any, y: Any = None) -> "CharacterNGrams":
        """Count the n-grams of texts (n,).

        Those of the highest order count as often as they occur, those of a lower one as often as there are
        different characters before them (Kneser & Ney 1995).
        """
        counts = _Counts.summed(_Counts.of(keys) for keys in self._all_keys(x))
        self.orders_ = [counts]
        for order in range(self.order - 1, 0, -1):
            self.orders_.insert(0, _Counts.of(self.orders_[0].keys % BASE**order))
        return self

    def probabilities(self, contexts: Any) -> Any:
        """How likely each symbol is, (…, SYMBOLS), after contexts (…, order - 1) of numbers of characters."""
        context = np.asarray(contexts, np.int64) @ BASE ** np.arange(self.order - 1)[::-1]
        return self._probability(context[..., None] * BASE + np.arange(1, BASE))

    def predict(self, x: Any) -> Any:
        """The bits of each character of texts (n,), (n, longest) float32, 0 after the end of a text; of rows
        with the columns seed and prompt what goes on from the prompt, (n,) objects.
        """
        if hasattr(x, "columns"):
            return self._written(x["seed"], x["prompt"].fillna(""))
        lengths = np.array([len(text) for text in x])
        bits = np.zeros((len(x), lengths.max(initial=0)), np.float32)
        if lengths.any():
            found = np.concatenate([-np.log2(self._probability(keys)) for keys in self._all_keys(x)])
            bits[np.arange(bits.shape[1]) < lengths[:, None]] = found
        return bits

    def _all_keys(self, x: Any) -> Iterator[Any]:
        """The n-grams that end in each character of texts, as numbers, some texts at a time."""
        ends = np.cumsum([len(text) for text in x])
        pieces = np.split(np.asarray(x, object), np.flatnonzero(np.diff(ends // AT_ONCE)) + 1)
        return (self._keys(piece) for piece in pieces)

    def _keys(self, texts: Any) -> Any:
        """An n-gram is a number whose digits are those of its characters, the first one first."""
        numbers, marks = _numbers((OTHER * (self.order - 1)).join(["", *texts])), self.order - 1
        lengths = np.array([len(text) for text in texts])
        starts = np.cumsum(lengths + marks) - lengths
        is_mark = np.zeros(len(numbers), bool)
        is_mark[(starts[:, None] - np.arange(1, marks + 1)).ravel()] = True
        numbers[is_mark] = START
        keys = np.zeros(max(0, len(numbers) - marks), np.int64)
        for place in range(self.order):
            keys = keys * BASE + numbers[place : place + len(keys)]
        return keys[~is_mark[marks:]]

    def _probability(self, keys: Any) -> Any:
        """Of the last character of n-grams, given those before it.

        What the discounts take from the counts of an order is dealt out by the next lower one, and in the end
        to all symbols alike (Chen & Goodman 1999).
        """
        found = np.full(keys.shape, 1 / SYMBOLS)
        for order, counts in enumerate(self.orders_, start=1):
            found = counts.interpolated(keys % BASE**order, found)
        return found

    def _written(self, seeds: Any, prompts: Any) -> Any:
        """Each row by itself: NumPy's PCG64 of the seed draws a number in 0 to 1 for each character."""
        texts = []
        for seed, prompt in zip(seeds, prompts, strict=True):
            draws = np.random.default_rng(int(seed) % 2**64).random(WRITTEN)
            context = [START] * (self.order - 1) + _numbers(prompt).tolist()
            for draw in draws:
                likely = self.probabilities(context[len(context) - self.order + 1 :])
                context.append(1 + min(int((likely.cumsum() <= draw).sum()), SYMBOLS - 1))
            texts.append("".join((ALPHABET + OTHER)[number - 1] for number in context[-WRITTEN:]))
        return np.array(texts, object)


class _Counts:
    """How often n-grams of one order count, what is taken from each, and what is known of their contexts."""

    def __init__(self, keys: Any, counts: Any) -> None:
        self.keys, self.counts = keys, counts
        once, twice = ((counts == times).sum() for times in (1, 2))
        self.discount = once / (once + 2 * twice) if once else 0.5  # Ney, Essen & Kneser 1994
        self.contexts, first = np.unique(keys // BASE, return_index=True)
        self.totals = np.add.reduceat(counts, first)
        self.kinds = np.diff(first, append=len(keys))

    @classmethod
    def of(cls, keys: Any) -> "_Counts":
        return cls(*np.unique(keys, return_counts=True))

    @classmethod
    def summed(cls, parts: Iterator["_Counts"]) -> "_Counts":
        all_parts = list(parts)
        keys, place = np.unique(np.concatenate([one.keys for one in all_parts]), return_inverse=True)
        counts = np.concatenate([one.counts for one in all_parts])
        return cls(keys, np.bincount(place, counts).astype(np.int64))

    def interpolated(self, keys: Any, lower: Any) -> Any:
        """The probability of the last character, where lower is that by a shorter context."""
        count = _looked_up(keys, self.keys, self.counts)
        total = _looked_up(keys // BASE, self.contexts, self.totals)
        kinds = _looked_up(keys // BASE, self.contexts, self.kinds)
        share = np.maximum(count - self.discount, 0) + self.discount * kinds * lower
        return np.where(total > 0, share / np.maximum(total, 1), lower)


def build(input_shape: Sequence[int], target: str, *, order: int = 5) -> CharacterNGrams:
    """Characters by the `order` - 1 before them."""
    return CharacterNGrams(order)


def _looked_up(keys: Any, known: Any, values: Any) -> Any:
    """The value of each key, 0 of one that is not known; known: in order."""
    if len(known) == 0:
        return np.zeros(keys.shape, np.int64)
    place = np.minimum(np.searchsorted(known, keys), len(known) - 1)
    return np.where(known[place] == keys, values[place], 0)


def _numbers(text: str) -> Any:
    """The numbers of the characters of a text, int64."""
    return NUMBERS[np.minimum(np.frombuffer(text.encode("utf-32-le"), np.uint32), 128)]
