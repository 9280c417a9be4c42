"""The words of texts, as Keras' TextVectorization reads them."""

from collections import Counter
from collections.abc import Iterable
from itertools import islice

from evermodel.core.columns import VOCABULARY

# As keras.layers.TextVectorization with standardize="lower_and_strip_punctuation" reads a text; a test
# holds the two together. Keras itself is not asked, because importing it takes longer than counting. Bytes,
# because TensorFlow's capitals and spaces are those of ASCII alone.
PUNCTUATION = b"""!"#$%&()*+,-./:;<=>?@[\\]^_`{|}~'"""
TEXTS = 1000  # that are counted at a time


def count(texts: Iterable[str]) -> Counter[bytes]:
    """How often each word stands in the texts."""
    counts, rest = Counter[bytes](), iter(texts)
    while some := list(islice(rest, TEXTS)):
        counts.update("\n".join(some).encode().lower().translate(None, PUNCTUATION).split())
    return counts


def ranked(counts: Counter[bytes], most: int = VOCABULARY) -> tuple[str, ...]:
    """The most frequent words, most frequent first, ties by the alphabet."""
    found = sorted(counts, key=lambda word: (-counts[word], word))
    return tuple(word.decode() for word in found[:most])
