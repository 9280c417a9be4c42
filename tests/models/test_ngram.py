import numpy as np
import pandas as pd
import pytest

from evermodel.core import generation
from evermodel.models import ngram
from evermodel.runs import network

TEXTS = np.array(["ab", "aab"], dtype=object)
RNG = np.random.default_rng(3)
A, B, C = (1 + ngram.ALPHABET.index(letter) for letter in "abc")
S = ngram.SYMBOLS


def fitted(texts, order=5):
    return ngram.build((), "text", order=order).fit(np.array(texts, dtype=object))


def words(count):
    return ["".join(RNG.choice(list("ab c"), RNG.integers(0, 12))) for _ in range(count)]


def test_it_knows_the_characters_that_networks_know_and_writes_as_much():
    assert (ngram.ALPHABET, ngram.SYMBOLS) == (generation.ALPHABET, generation.SYMBOLS)
    assert (ngram.OTHER, ngram.WRITTEN) == (network.OTHER, network.WRITTEN)


def test_pairs_are_smoothed_as_by_hand():
    # Twice a after the start, twice b after a, once a after a: the discount is 1 / (1 + 2*2). Before a stand
    # two different ones, before b one: the discount of these two is 1 / (1 + 2*1).
    model = fitted(TEXTS, order=2)
    rest = 1 / 3 * 2 / 3 / S
    single = np.full(S, rest)
    single[A - 1], single[B - 1] = (2 - 1 / 3) / 3 + rest, (1 - 1 / 3) / 3 + rest
    after_a = 0.2 * 2 / 3 * single
    after_a[A - 1] += (1 - 0.2) / 3
    after_a[B - 1] += (2 - 0.2) / 3
    first = 0.2 * 1 / 2 * single
    first[A - 1] += (2 - 0.2) / 2
    told = model.probabilities([[A], [ngram.START], [C]])
    assert told == pytest.approx(np.stack([after_a, first, single]))
    bits = -np.log2([first[A - 1], after_a[A - 1], after_a[B - 1]])
    assert model.predict(np.array(["aab"], dtype=object))[0] == pytest.approx(bits)


@pytest.mark.parametrize("order", [1, 2, 3, 5])
def test_what_comes_next_is_certain_to_be_one_of_all_symbols_whatever_was_before(order):
    model = fitted([*words(50), "É"], order)
    contexts = RNG.integers(0, ngram.BASE, (300, order - 1))
    told = model.probabilities(np.concatenate([contexts, RNG.choice([0, 1, A, B, C], contexts.shape)]))
    assert told.sum(axis=-1) == pytest.approx(1)
    assert told.min() > 0


def test_without_texts_all_symbols_are_alike():
    assert fitted([""]).probabilities([[0, 0, 0, 0]]) == pytest.approx(1 / S)


def test_bits_are_those_of_each_character_after_the_ones_before_it():
    model, texts = fitted(words(80)), [*words(20), "", "Ab\N{SNOWMAN}"]
    told = model.predict(np.array(texts, dtype=object))
    assert told.shape == (22, max(map(len, texts)))
    for text, bits in zip(texts, told, strict=True):
        numbers = [0] * 4 + ngram._numbers(text).tolist()
        for place, number in enumerate(numbers[4:]):
            likely = model.probabilities([numbers[place : place + 4]])[0, number - 1]
            assert bits[place] == pytest.approx(-np.log2(likely), rel=1e-5)
        assert not bits[len(text) :].any()


def test_texts_are_counted_in_pieces_to_the_same_numbers(monkeypatch):
    texts = words(60)
    whole = fitted(texts)
    monkeypatch.setattr(ngram, "AT_ONCE", 37)
    pieces = fitted(texts)
    for ours, theirs in zip(pieces.orders_, whole.orders_, strict=True):
        assert np.array_equal(ours.keys, theirs.keys)
        assert np.array_equal(ours.counts, theirs.counts)


def test_capitals_count_as_small_letters_and_all_that_is_unknown_as_one_symbol():
    assert ngram._numbers("aA z\n\N{KELVIN SIGN}é\N{GRINNING FACE}").tolist() == [A, A, 1, 27, S, S, S, S]


def test_a_text_that_can_go_on_in_one_way_does_so_from_any_prompt_and_seed():
    model = fitted(["abc" * 200] * 50)
    rows = pd.DataFrame({"seed": [0.0, 1.0, -1.0], "prompt": pd.Series([None, "ab", "ABC"], dtype=object)})
    told = model.predict(rows)
    for text, beginning in zip(told, ["abcabc", "cabcab", "abcabc"], strict=True):
        assert len(text) == ngram.WRITTEN
        assert text.startswith(beginning)
    assert model.predict(rows[1:2])[0] == told[1]
