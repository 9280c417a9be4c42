"""The words of texts, as Keras' TextVectorization reads them."""

import re
from collections import Counter
from collections.abc import Iterable

from evermodel.core.data import VOCABULARY

# As keras.layers.TextVectorization with standardize="lower_and_strip_punctuation" reads a text; a test
# holds the two together. Keras itself is not asked, because importing it takes longer than counting. Bytes,
# because TensorFlow's capitals and spaces are those of ASCII alone.
PUNCTUATION = re.compile(rb"""[!"#$%&()*+,\-./:;<=>?@\[\\\]^_`{|}~']""")


def count(texts: Iterable[str]) -> Counter[bytes]:
    """How often each word stands in the texts."""
    return Counter(word for text in texts for word in PUNCTUATION.sub(b"", text.encode().lower()).split())


def ranked(counts: Counter[bytes], most: int = VOCABULARY) -> tuple[str, ...]:
    """The most frequent words, most frequent first, ties by the alphabet."""
    found = sorted(counts, key=lambda word: (-counts[word], word))
    return tuple(word.decode() for word in found[:most])
