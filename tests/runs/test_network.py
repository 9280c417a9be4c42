import numpy as np
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


def test_examples_of_another_shape_are_no_examples(model):
    with pytest.raises(ValueError, match=r"\(1,\), not \(3,\)"):
        network.compiled(model)(np.zeros((4, 3)))
