import logging

import numpy as np
import pandas as pd
import pytest

from evermodel.runs import network


@pytest.fixture
def model(keras):
    """Adds to a 64-bit number what 32 bits do not hold beside it."""
    inputs = keras.Input((1,), dtype="float64")
    return keras.Model(inputs, keras.layers.Rescaling(1.0, np.array([1.0]), dtype="float64")(inputs))


def test_numbers_go_in_and_come_out_with_all_their_digits(model):
    predict = network.compiled(model)
    for rows in (1, 2, network.BATCH + 1):
        x = 1e12 + np.arange(rows, dtype=float)[:, None]
        assert np.array_equal(predict(x), x + 1)


def test_many_models_in_one_process_are_none_that_is_compiled_again_and_again(keras):
    import tensorflow

    warned = []
    listener = logging.Handler(logging.WARNING)
    listener.emit = warned.append
    tensorflow.get_logger().addHandler(listener)
    try:
        for _ in range(8):
            inputs = keras.Input((1,))
            network.compiled(keras.Model(inputs, keras.layers.Dense(1)(inputs)))(np.ones((2, 1), np.float32))
    finally:
        tensorflow.get_logger().removeHandler(listener)
    assert [record.getMessage() for record in warned] == []


def test_examples_of_another_shape_are_no_examples(model):
    with pytest.raises(ValueError, match=r"\(1,\), not \(3,\)"):
        network.compiled(model)(np.zeros((4, 3)))


def test_a_table_is_asked_as_numbers_and_texts_with_a_gap_as_the_empty_text():
    mixed = pd.DataFrame({"a": [1.0], "b": pd.Series(["x"], dtype=object), "c": [np.nan]})
    numbers, texts = network.parts(mixed.assign(d=pd.Series([None], dtype=object)))
    assert np.array_equal(numbers, [[1, np.nan]], equal_nan=True)
    assert texts.tolist() == [["x", ""]]
    assert [part.tolist() for part in network.parts(mixed[["a"]])] == [[[1]]]
    assert [part.tolist() for part in network.parts(mixed[["b"]])] == [[["x"]]]


def test_a_table_of_other_columns_is_no_table_of_the_model_s(model):
    with pytest.raises(ValueError, match=r"\(1,\), not \(1,\) and \(1,\)"):
        network.compiled(model)(pd.DataFrame({"a": [1.0], "b": pd.Series(["x"], dtype=object)}))


@pytest.fixture
def maker(keras):
    """Doubles its noise; and tells as code of an image its first line of two pixels."""
    noise, image = keras.Input((2,), name="noise"), keras.Input((2, 2, 1), dtype="uint8")
    made = keras.layers.Reshape((1, 2, 1))(2 * noise)
    return keras.Model([noise, image], [made, keras.ops.cast(image[:, 0, :, 0], "float32")])


def test_noise_of_a_seed_is_the_same_for_ever_whatever_stands_beside_it():
    told = network.noise([0, 1, -1, 2**53], 3)
    known = [[1.117622, -1.3871249, -0.4265716], [1.7291036, -1.4284534, 1.0277448]]
    assert told.dtype == np.float32
    assert told[:2] == pytest.approx(np.array(known), abs=1e-6)
    assert np.array_equal(network.noise([2.0**53], 3), told[3:])
    assert np.array_equal(network.noise([2**64 - 1], 3), told[2:3])
    assert np.array_equal(network.noise([1], 2), told[1:2, :2])


def test_noise_is_of_the_standard_normal_distribution():
    told = network.noise(range(4000), 2)
    assert told.mean(axis=0) == pytest.approx([0, 0], abs=0.05)
    assert np.cov(told, rowvar=False) == pytest.approx(np.eye(2), abs=0.06)


def test_a_network_that_makes_examples_is_asked_by_seeds_noise_or_examples(maker):
    ask = network.compiled(maker)
    seeds = pd.DataFrame({"seed": [3.0, 4.0]})
    assert ask.size == 2
    assert ask(seeds)[..., 0].reshape(2, 2) == pytest.approx(2 * network.noise([3, 4], 2))
    assert np.array_equal(ask(network.noise([3, 4], 2)), ask(seeds))
    assert ask(np.arange(4, dtype=np.uint8).reshape(1, 2, 2, 1)).tolist() == [[0, 1]]
    for wrong in (np.zeros((1, 3)), np.zeros((1, 3, 2, 1), np.uint8)):
        with pytest.raises(ValueError, match="the model takes examples of shape"):
            ask(wrong)


def test_a_network_that_tells_no_codes_takes_no_examples(keras, maker):
    alone = network.compiled(keras.Model(maker.inputs[0], maker.outputs[0]))
    with pytest.raises(ValueError, match=r"\(2,\), not \(2, 2, 1\)"):
        alone(np.zeros((1, 2, 2, 1), np.uint8))


ALPHABET = list("abcde")


@pytest.fixture(scope="module")
def writer(keras):
    """After b, c, d and e it knows what comes, after all else nothing; its bits are numbers of characters."""
    symbols = len(ALPHABET) + 1
    text, character = keras.Input((), dtype="string"), keras.Input((1,), dtype="int32", name="character")
    count = keras.Input((1,))
    encode = keras.layers.TextVectorization(vocabulary=ALPHABET, standardize="lower", split="character")
    bits = keras.ops.cast(encode(text), "float32")
    table = np.zeros((symbols + 1, symbols), np.float32)
    for before, after in ("bc", "cd", "de", "ea"):
        table[2 + ALPHABET.index(before), 1 + ALPHABET.index(after)] = 1
    table[:3] = 1 / symbols
    look_up = keras.layers.Embedding(*table.shape, weights=[table])
    likely = look_up(character)[:, 0]
    return keras.Model([text, character, count], [bits, likely, count + 1])


def test_a_network_that_writes_tells_the_bits_of_texts_of_any_length(writer):
    texts = np.array(["aB", "", "b?e", "abc"], dtype=object)
    wanted = [[2, 3, 0], [0, 0, 0], [3, 1, 6], [2, 3, 4]]
    assert network.compiled(writer)(texts).tolist() == wanted
    assert network.compiled(writer, batch=1)(texts).tolist() == wanted


def test_it_goes_on_from_a_prompt_by_its_seed_whatever_stands_beside_it(writer):
    rows = pd.DataFrame({"seed": [7.0, 8, 7, 7], "prompt": pd.Series(["b", None, "AB", ""], dtype=object)})
    told = network.compiled(writer)(rows)
    assert (told.shape, told.dtype) == ((4,), object)
    assert {len(text) for text in told} == {network.WRITTEN}
    assert told[0] == told[2]
    assert told[0][:4] == "cdea"
    draws = np.random.default_rng(7).random(network.WRITTEN)
    assert told[0][4] == [network.OTHER, *ALPHABET][int(draws[4] * 6)]
    assert told[3][0] == [network.OTHER, *ALPHABET][int(draws[0] * 6)]
    assert told[1] != told[3]
    alone = network.compiled(writer, batch=1)
    assert alone(rows).tolist() == told.tolist()
    with pytest.raises(ValueError, match=r"the seed 1\.5 is no whole number"):
        alone(rows.assign(seed=1.5))


@pytest.fixture(scope="module")
def drawer(keras):
    """Three places of four codes: each code is drawn evenly, and moved on by the one before it and by how
    many words the caption has; an image is its codes, and all patches look at the first word.
    """
    caption = keras.Input((), dtype="string", name="caption")
    codes, draws = keras.Input((3,), dtype="int32"), keras.Input((3,))
    read = keras.layers.TextVectorization(
        vocabulary=["a", "b"], standardize="lower", split="whitespace", output_sequence_length=2
    )
    words = keras.ops.sum(keras.ops.cast(read(caption) > 1, "int32"), axis=1, keepdims=True)
    before = keras.ops.pad(codes, ((0, 0), (1, 0)))[:, :-1]
    drawn = (keras.ops.cast(draws * 4, "int32") + before + words) % 4
    image = keras.ops.cast(codes, "float32")[:, None, :, None]
    looks = keras.ops.stack([keras.ops.ones_like(image[..., 0]), keras.ops.zeros_like(image[..., 0])], -1)
    return keras.Model([caption, codes, draws], [drawn, image, looks])


def one_after_the_other(seed, words):
    found = [0]
    for draw in np.random.default_rng(seed).random(3, np.float32):
        found.append((int(draw * 4) + found[-1] + words) % 4)
    return found[1:]


def test_codes_that_are_drawn_at_once_are_those_that_are_drawn_one_after_the_other(drawer):
    rows = pd.DataFrame({"seed": [7.0, 8, -7, 9], "caption": np.array(["a", "A b", "b", "a b"], object)})
    told = network.compiled(drawer)(rows)
    assert (told.shape, told.dtype) == ((4, 1, 3, 1), np.float32)
    wanted = [one_after_the_other(*one) for one in ((7, 1), (8, 2), (2**64 - 7, 1), (9, 2))]
    assert told[:, 0, :, 0].tolist() == wanted
    alone = network.compiled(drawer, batch=1)
    assert alone(rows).tolist() == told.tolist()
    with pytest.raises(ValueError, match=r"the seed 1\.5 is no whole number"):
        alone(rows.assign(seed=1.5))


def test_what_draws_tells_how_much_its_patches_look_at_each_word(drawer):
    rows = pd.DataFrame({"seed": [1.0, 2], "caption": np.array(["a", "a b"], object)})
    looks = network.compiled(drawer).looks(rows)
    assert looks.shape == (2, 1, 3, 2)
    assert looks[..., 0].min() == 1
