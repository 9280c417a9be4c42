import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LinearRegression

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


def test_mlflow_gets_a_table_for_a_table_and_an_array_for_an_array():
    asked = network.Network(lambda x: 2 * x)
    table = pd.DataFrame({"a": [1.0, 2.0]}, index=[7, 9])
    assert asked.predict(table)[0].to_dict() == {7: 2, 9: 4}
    assert asked.predict(np.ones((2, 3, 1))).shape == (2, 3, 1)


def test_whole_numbers_and_booleans_are_numbers():
    table = pd.DataFrame({"a": [1, 2], "b": [True, False], "c": np.array([0.5, np.nan], np.float32)})
    x = network.numbers(table)
    assert x.dtype == np.float64
    assert np.array_equal(x, [[1, 1, 0.5], [2, 0, np.nan]], equal_nan=True)


@pytest.mark.parametrize("odd", [["1", "2"], ["x", "y"], [None, None], pd.to_datetime(["2020", "2021"])])
def test_anything_else_is_refused_by_the_name_of_its_column(odd):
    with pytest.raises(ValueError, match=r"column 'b' holds .*; the model takes numbers"):
        network.numbers(pd.DataFrame({"a": [1, 2], "b": odd}))


def test_an_estimator_that_knows_its_columns_is_asked_by_their_names():
    table = pd.DataFrame({"a": [1, 2], "b": [3, 5]})
    model = LinearRegression().fit(table.astype(float), [4.0, 7.0])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert network.Estimator(model).predict(table) == pytest.approx([4, 7])
