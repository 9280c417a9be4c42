import hashlib
import io
import json
import os
import pickle
import zipfile

import numpy as np
import pytest

from evermodel.core.errors import EvermodelError
from evermodel.readers import sequences
from tests.mirror import needs_mirror, real

WORDS = {"the": 1, "film": 2, "is": 3, "good": 4, "bad": 5, "wasn't": 7}
TEXTS = {"train": [[1, 2, 3, 4], [1, 2, 3, 5], [4]], "test": [[1, 2, 7, 4], []]}
LABELS = {"train": [1, 0, 1], "test": [0, 0]}


def ragged(lists):
    array = np.empty(len(lists), dtype=object)
    array[:] = lists
    return array


def arrays():
    x = {f"x_{split}": ragged(texts) for split, texts in TEXTS.items()}
    return x | {f"y_{split}": np.array(labels) for split, labels in LABELS.items()}


@pytest.fixture
def read(tmp_path, seal):
    """Read files that hold what the test gives: arrays, or bytes in an array's place."""

    def reader(words=WORDS, **changed):
        (tmp_path / "words.json").write_text(words if isinstance(words, str) else json.dumps(words))
        with zipfile.ZipFile(tmp_path / "texts.npz", "w") as archive:
            for name, content in (arrays() | changed).items():
                if content is not None:
                    archive.writestr(f"{name}.npy", content if isinstance(content, bytes) else saved(content))
        return sequences.read(seal(), sequences="texts.npz", words="words.json")

    return reader


def saved(array):
    stream = io.BytesIO()
    np.save(stream, array)
    return stream.getvalue()


def pickled(value, protocol=4):
    """An array file whose pickle holds anything."""
    stream = io.BytesIO()
    np.lib.format.write_array_header_1_0(stream, {"descr": "|O", "fortran_order": False, "shape": (3,)})
    return stream.getvalue() + (value if isinstance(value, bytes) else pickle.dumps(value, protocol))


def test_ranks_become_words(read):
    raw = read()
    assert raw.kind == "text"
    assert raw.inputs.dtype == object
    texts = ["the film is good", "the film is bad", "good", "the film wasn't good", ""]
    assert raw.inputs.tolist() == texts


def test_the_manifest_tells_the_facts_of_each_text(read):
    manifest = read().manifest
    assert manifest.split.tolist() == ["train"] * 3 + ["test"] * 2
    assert manifest.label.tolist() == [1, 0, 1, 0, 0]
    assert manifest.label.dtype == np.int64
    assert manifest.words.tolist() == [4, 4, 1, 4, 0]
    assert manifest.unknown.tolist() == [0, 0, 0, 0, 0]
    assert manifest.sha256[2] == hashlib.sha256(b"good").hexdigest()


@pytest.mark.parametrize("rank", [0, -1, 6, 10**12])
def test_a_rank_without_word_is_marked_and_counted(read, rank):
    raw = read(x_test=ragged([[1, rank], [rank]]))
    assert raw.inputs[3:].tolist() == ["the ?", "?"]
    assert raw.manifest.unknown[3:].tolist() == [0.5, 1]


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_every_protocol_and_both_ages_of_numpy_are_read(read, protocol):
    new = pickle.dumps(ragged(TEXTS["train"]), protocol)
    old = new.replace(b"\x16numpy._core.multiarray", b"\x15numpy.core.multiarray")
    old = old.replace(b"numpy._core.multiarray\n", b"numpy.core.multiarray\n")
    for content in (new, old):
        content = content if protocol < 4 else pickle_without_frame(content)
        assert read(x_train=pickled(content)).inputs[0] == "the film is good"


def pickle_without_frame(content):
    """A frame's length, which the replacement above makes wrong, is not needed."""
    return content[:2] + content[11:] if content[2:3] == b"\x95" else content


class Bomb:
    def __init__(self, call, *arguments):
        self.reduced = call, arguments

    def __reduce__(self):
        return self.reduced


def bombs(canary):
    command = f"touch {canary}"
    writing = f"open({str(canary)!r}, 'w')"
    return {
        "system": Bomb(os.system, command),
        "eval": Bomb(eval, writing),
        "exec": Bomb(exec, writing),
        "open": Bomb(open, str(canary), "w"),
        "numpy": Bomb(np.save, str(canary), np.zeros(1)),
    }


@pytest.mark.parametrize("kind", bombs("x"))
@pytest.mark.parametrize("place", ["array", "element", "part of an element"])
def test_foreign_code_in_a_pickle_never_runs(read, tmp_path, kind, place):
    canary = tmp_path / "canary.npy"
    bomb = bombs(canary)[kind]
    value = {"array": bomb, "element": ragged([bomb]), "part of an element": ragged([[1, bomb]])}[place]
    content = pickled(value)
    with pytest.raises(EvermodelError, match=r"texts\.npz: x_train can't be read \(it wants to call "):
        read(x_train=content)
    assert not canary.exists()
    pickle.loads(content[content.index(b"\n") + 1 :])
    assert canary.exists(), "the bomb would not have gone off anyway"


def test_foreign_code_in_the_labels_never_runs(read, tmp_path):
    canary = tmp_path / "canary"
    with pytest.raises(EvermodelError, match=r"y_train can't be read .*allow_pickle=False"):
        read(y_train=pickled(Bomb(os.system, f"touch {canary}")))
    assert not canary.exists()


def test_changed_files_are_not_opened(read, tmp_path):
    read()
    canary = tmp_path / "canary"
    (tmp_path / "texts.npz").write_bytes(pickle.dumps(Bomb(os.system, f"touch {canary}")))
    with pytest.raises(EvermodelError, match=r"texts\.npz was changed since it was fetched"):
        sequences.read(tmp_path, sequences="texts.npz", words="words.json")
    assert not canary.exists()


@pytest.mark.parametrize(
    "element", ["the film", None, (1, 2), [1.0], ["1"], [True], [[1]], np.array([1, 2])], ids=repr
)
def test_a_text_that_is_no_list_of_whole_numbers_is_named(read, element):
    with pytest.raises(EvermodelError, match=r"x_train\[1\] is not a list of whole numbers|wants to call"):
        read(x_train=ragged([[1], element, [2]]))


@pytest.mark.parametrize("value", [[[1], [2]], {"a": 1}, 3, None], ids=repr)
def test_a_pickle_that_is_no_array_is_refused(read, value):
    with pytest.raises(EvermodelError, match=r"x_train can't be read \(it holds a .*, not an array"):
        read(x_train=pickled(value))


@pytest.mark.parametrize(
    "labels",
    [np.array([1, 0]), np.array([[1], [0], [1]]), np.array([1.0, 0.5, 1.0]), np.array(["1", "0", "1"])],
    ids=["too few", "two dimensions", "fractions", "text"],
)
def test_labels_that_do_not_fit_the_texts_are_told(read, labels):
    with pytest.raises(EvermodelError, match="give one whole number for each"):
        read(y_train=labels)


def test_a_missing_array_is_named(read):
    with pytest.raises(EvermodelError, match="y_test can't be read"):
        read(y_test=None)


@pytest.mark.parametrize(
    "content", [b"", b"\x93NUMPY\x01\x00", b"no array at all"], ids=["empty", "cut", "text"]
)
@pytest.mark.parametrize("name", ["x_train", "y_train"])
def test_what_is_no_array_is_refused(read, name, content):
    with pytest.raises(EvermodelError, match=f"{name} can't be read"):
        read(**{name: content})


def test_a_truncated_pickle_is_refused(read):
    with pytest.raises(EvermodelError, match="x_train can't be read"):
        read(x_train=saved(ragged(TEXTS["train"]))[:-5])


def test_a_claim_of_too_many_labels_is_refused(read):
    stream = io.BytesIO()
    header = {"descr": "<i8", "fortran_order": False, "shape": (2**50,)}
    np.lib.format.write_array_header_1_0(stream, header)
    with pytest.raises(EvermodelError, match="y_train can't be read"):
        read(y_train=stream.getvalue())


def test_an_array_that_unpacks_to_too_much_is_refused(read, monkeypatch):
    monkeypatch.setattr(sequences, "LIMIT", 200)
    with pytest.raises(EvermodelError, match=r"x_train has \d+ bytes; give 200 at most"):
        read()


@pytest.mark.parametrize("cut", [0, 10, -10])
def test_a_truncated_archive_is_refused(read, tmp_path, seal, cut):
    read()
    file = tmp_path / "texts.npz"
    file.write_bytes(file.read_bytes()[:cut])
    with pytest.raises(EvermodelError, match=r"texts\.npz: x_train can't be read"):
        sequences.read(seal(), sequences="texts.npz", words="words.json")


@pytest.mark.parametrize("words", ["", "[]", "{", '"the"', '{"the": 1, "the": 2}'])
def test_a_word_index_that_is_none_is_refused(read, words):
    with pytest.raises(EvermodelError, match=r"words\.json is not a JSON object of word -> rank"):
        read(words=words)


@pytest.mark.parametrize("rank", ["first", "1", None, 1.5, 1.0, True, [1]])
def test_a_rank_that_is_no_whole_number_is_told_with_its_word(read, rank):
    with pytest.raises(EvermodelError, match=r"words\.json gives 'the' the rank "):
        read(words={"film": 1, "the": rank})


def test_two_words_of_one_rank_are_refused(read):
    with pytest.raises(EvermodelError, match=r"words\.json gives one rank to several words"):
        read(words={"the": 1, "a": 1})


@needs_mirror
def test_the_real_reviews_are_read(tmp_path):
    raw = sequences.read(tmp_path, **real("imdb", tmp_path).options)
    assert len(raw.inputs) == 50_000
    assert raw.inputs[0].startswith("bromwell high is a cartoon comedy")
    assert raw.manifest.groupby("split").label.mean().to_dict() == {"train": 0.5, "test": 0.5}
    assert raw.manifest.words[:25_000].mean() == pytest.approx(237.7, abs=0.1)
    assert raw.manifest.unknown.max() == 0
