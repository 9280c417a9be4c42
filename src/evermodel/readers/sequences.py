"""Texts as lists of word ranks, in the two files of Keras' IMDB data set."""

import hashlib
import io
import json
import pickle
import reprlib
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

import numpy as np
import pandas as pd

from evermodel.core.data import Array, Kind, Raw
from evermodel.core.errors import EvermodelError
from evermodel.formats import raw_files

KIND: Kind = "text"

LIMIT = 1 << 28  # bytes of one unpacked array, twenty times the larger one of IMDB
UNKNOWN = "?"
# All that a pickled array of lists of whole numbers calls; NumPy 1 and 2 name the first differently, and
# Python 3 writes bytes by the last in the protocol that Python 2 reads.
CALLABLES = {
    ("numpy.core.multiarray", "_reconstruct"): np.empty(0).__reduce__()[0],
    ("numpy._core.multiarray", "_reconstruct"): np.empty(0).__reduce__()[0],
    ("numpy", "ndarray"): np.ndarray,
    ("numpy", "dtype"): np.dtype,
    ("_codecs", "encode"): str.encode,
}


def read(folder: Path, *, sequences: str, words: str) -> Raw:
    """Training and test texts, (n,) str objects: the words joined by spaces, "?" for a rank without word.

    sequences: the .npz file of x_train, y_train, x_test and y_test: lists of ranks, and labels. words: the
    .json file of word -> rank. The manifest has a row per text: split, label (int64), words (their number),
    unknown (the share of ranks without word) and the sha256 of the text in UTF-8. Raises EvermodelError if
    a file is missing, changed or corrupt, or holds anything else; nothing that it holds is executed.
    """
    vocabulary = _vocabulary(raw_files.checked(folder, words))
    file = raw_files.checked(folder, sequences)
    parts = [_split(file, split, vocabulary) for split in ("train", "test")]
    manifest = pd.concat([rows for rows, _ in parts], ignore_index=True)
    return Raw(KIND, manifest, np.concatenate([texts for _, texts in parts]))


def _vocabulary(file: Path) -> dict[int, str]:
    """Rank -> word."""
    try:
        ranks = json.loads(file.read_text(encoding="utf-8-sig"), object_pairs_hook=_distinct)
    except ValueError as error:
        raise EvermodelError(f"{file} is not a JSON object of word -> rank ({error}); mend it") from None
    if not isinstance(ranks, dict):
        raise EvermodelError(f"{file} is not a JSON object of word -> rank; write it as {{word: rank, ...}}")
    if wrong := [word for word, rank in ranks.items() if type(rank) is not int]:
        raise EvermodelError(
            f"{file} gives {wrong[0]!r} the rank {reprlib.repr(ranks[wrong[0]])}; give a whole number"
        )
    vocabulary = {rank: word for word, rank in ranks.items()}
    if len(vocabulary) < len(ranks):
        raise EvermodelError(f"{file} gives one rank to several words; give each its own")
    return vocabulary


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(found := dict(pairs)) < len(pairs):
        raise ValueError("a word stands there twice")
    return found


def _split(file: Path, split: str, vocabulary: dict[int, str]) -> tuple[pd.DataFrame, Array]:
    """The manifest's rows and the texts of one split."""
    ranks, labels = _array(file, f"x_{split}", _objects), _array(file, f"y_{split}", _numbers)
    if ranks.shape != labels.shape or labels.ndim != 1 or labels.dtype.kind not in "biu":
        raise EvermodelError(
            f"{file}: y_{split} is {labels.dtype} {labels.shape}; "
            f"give one whole number for each of the texts {ranks.shape} in x_{split}"
        )
    if wrong := [row for row, text in enumerate(ranks) if not _is_text(text)]:
        raise EvermodelError(f"{file}: x_{split}[{wrong[0]}] is not a list of whole numbers; mend it")
    words = [[vocabulary.get(rank, UNKNOWN) for rank in text] for text in ranks]
    texts = np.array([" ".join(text) for text in words], dtype=object)
    rows = pd.DataFrame(
        {
            "split": split,
            "label": labels.astype(np.int64),
            "words": [len(text) for text in words],
            "unknown": [text.count(UNKNOWN) / max(len(text), 1) for text in words],
            "sha256": [hashlib.sha256(text.encode()).hexdigest() for text in texts],
        }
    )
    return rows, texts


def _is_text(value: Any) -> bool:
    return type(value) is list and set(map(type, value)) <= {int}


def _array(file: Path, name: str, decode: Callable[[IO[bytes]], Array]) -> Array:
    """One array of an .npz file."""
    try:
        with zipfile.ZipFile(file) as archive:
            member = archive.getinfo(f"{name}.npy")
            if member.file_size > LIMIT:
                raise EvermodelError(f"{file}: {name} has {member.file_size} bytes; give {LIMIT} at most")
            return decode(io.BytesIO(archive.read(member)))
    except EvermodelError:
        raise
    except Exception as error:  # a corrupt zip file or pickle raises whatever it likes
        reason = " ".join(str(error).split())
        raise EvermodelError(
            f"{file}: {name} can't be read ({reason}); "
            "give x_train, y_train, x_test and y_test as NumPy saves them"
        ) from None


def _numbers(stream: IO[bytes]) -> Array:
    array: Array = np.lib.format.read_array(stream, allow_pickle=False)
    return array


def _objects(stream: IO[bytes]) -> Array:
    np.lib.format.read_magic(stream)
    np.lib.format.read_array_header_1_0(stream)
    array = _Unpickler(stream).load()
    if not isinstance(array, np.ndarray):
        raise TypeError(f"it holds a {type(array).__name__}, not an array")
    return array


class _Unpickler(pickle.Unpickler):
    """Builds arrays, lists and numbers, and refuses everything else before it is called."""

    def find_class(self, module: str, name: str) -> Any:
        """Look a callable up in the short list of those needed."""
        if (module, name) not in CALLABLES:
            raise pickle.UnpicklingError(f"it wants to call {module}.{name}, which no array of numbers needs")
        return CALLABLES[module, name]
