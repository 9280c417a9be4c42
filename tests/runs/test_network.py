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
